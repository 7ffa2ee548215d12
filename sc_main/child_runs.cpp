// SPDX-License-Identifier: Apache-2.0
#include "child_runs.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "wse/model/training.h"

namespace wse::cli {
namespace {

/// Between fork and exec: nothing but system calls.
[[noreturn]] void become(char* const* arguments, const char* log, int held, pid_t parent,
                         const sigset_t* mask) {
  constexpr int kNotStarted = 127;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kNotStarted);  // it ended in between
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  sigprocmask(SIG_SETMASK, mask, nullptr);
  const int nothing = open("/dev/null", O_RDWR);
  const int errors = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (nothing < 0 || errors < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
      dup2(nothing, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0)
    _exit(kNotStarted);
  if (held >= 0) fcntl(held, F_SETFD, 0);
  execv("/proc/self/exe", arguments);
  _exit(kNotStarted);
}

int status_of(int raw) { return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw); }

}  // namespace

ChildRuns::ChildRuns() {
  signal(SIGCHLD, SIG_DFL);  // a parent that ignored it would have ours vanish unseen
  sigemptyset(&waited_);
  for (const int s : {SIGCHLD, SIGINT, SIGTERM}) sigaddset(&waited_, s);
  sigprocmask(SIG_BLOCK, &waited_, &before_);
}

ChildRuns::~ChildRuns() {
  end_all();
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

void ChildRuns::start(std::size_t run, const std::vector<std::string>& arguments,
                      const std::string& log, int held) {
  std::vector<std::string> words{"wse"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0)
    throw std::system_error(errno, std::generic_category(), "a child process cannot be started");
  if (child == 0) become(pointers.data(), log.c_str(), held, parent, &before_);
  runs_[child] = run;
}

std::vector<ChildRuns::Ended> ChildRuns::reap() {
  std::vector<Ended> ended;
  for (auto it = runs_.begin(); it != runs_.end();) {
    int raw = 0;
    if (waitpid(it->first, &raw, WNOHANG) == it->first) {
      ended.push_back({it->second, status_of(raw)});
      it = runs_.erase(it);
    } else {
      ++it;
    }
  }
  return ended;
}

std::vector<ChildRuns::Ended> ChildRuns::wait(std::chrono::milliseconds at_most) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at_most);
  timespec time{};
  time.tv_sec = seconds.count();
  time.tv_nsec = std::chrono::nanoseconds(at_most - seconds).count();
  const int seen = sigtimedwait(&waited_, nullptr, &time);
  if (seen == SIGINT || seen == SIGTERM) {
    end_all();
    throw model::Interrupted();
  }
  return reap();
}

void ChildRuns::end_all() {
  for (const auto& [process, run] : runs_) kill(process, SIGTERM);
  constexpr int kPatience = 100;  // times 50 ms
  for (int i = 0; i < kPatience && !runs_.empty(); ++i) {
    reap();
    const timespec pause{0, 50'000'000};
    sigset_t child{};
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if (!runs_.empty()) sigtimedwait(&child, nullptr, &pause);
  }
  for (const auto& [process, run] : runs_) {
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
  }
  runs_.clear();
}

}  // namespace wse::cli
