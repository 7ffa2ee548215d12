// SPDX-License-Identifier: Apache-2.0
#include "sweep_runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <system_error>

#include "child_runs.h"
#include "wse/model/training.h"
#include "wse/report/files.h"

namespace wse::cli {
namespace {

namespace fs = std::filesystem;
using report::RunStatus;

/// An exclusive lock on a file, released with the object and, if this process dies, with its child.
class FileLock {
 public:
  explicit FileLock(const std::string& path)
      : descriptor_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), path);
    held_ = flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
    if (!held_ && errno != EWOULDBLOCK) {
      const int error = errno;
      close(descriptor_);
      throw std::system_error(error, std::generic_category(), path);
    }
  }
  ~FileLock() { close(descriptor_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  bool held() const { return held_; }
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
  bool held_ = false;
};

std::string read_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// Files of a run that name its folder, such as the command in its report, follow it.
void follow_move(const fs::path& folder, const std::string& from, const std::string& to) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string ending = entry.path().extension().string();
    if (ending != ".gtkw" && ending != ".html" && entry.path().filename() != "config.json")
      continue;
    std::string text = read_text(entry.path().string());
    std::size_t at = text.find(from);
    if (at == std::string::npos) continue;
    for (; at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
    report::write_file(entry.path().string(), text);
  }
}

}  // namespace

/// One call of make(): what waits, what runs, which locks are held.
class SweepRunner::Session {
 public:
  Session(SweepRunner& runner, std::size_t jobs, const Progress& progress, const Notice& notice)
      : runner_(runner), jobs_(jobs), progress_(progress), notice_(notice) {}

  void make(const std::vector<std::size_t>& chosen) {
    for (const std::size_t run : chosen) {
      if (runner_.damage(run).empty()) {
        take_over(run);
      } else {
        waiting_.push_back(run);
      }
    }
    try {
      while (!waiting_.empty() || children_.running() > 0) step();
    } catch (const model::Interrupted&) {  // the children have ended
      for (const auto& [run, lock] : locks_) {
        fs::remove_all(runner_.beside(run, ".part"));
        fs::remove(runner_.beside(run, ".log"));
      }
      throw;
    }
  }

 private:
  static constexpr int kPoll = 100;  ///< ms between two looks at a run that another sweep makes
  static constexpr int kLong = 1000;

  void step() {
    start_what_can();
    const bool others = children_.running() < jobs_ && !waiting_.empty();
    if (others && !said_) notice_("waiting for runs that another sweep makes");
    said_ = said_ || others;
    const auto patience = std::chrono::milliseconds(others ? kPoll : kLong);
    for (const auto& [run, status] : children_.wait(patience)) finish(run, status);
  }

  void start_what_can() {
    for (std::size_t left = waiting_.size(); left > 0 && children_.running() < jobs_; --left) {
      const std::size_t run = waiting_.front();
      waiting_.pop_front();
      if (!start(run)) waiting_.push_back(run);
    }
  }

  /// False if another process makes the run.
  bool start(std::size_t run) {
    auto lock = std::make_unique<FileLock>(runner_.beside(run, ".lock"));
    if (!lock->held()) return false;
    const std::string damage = runner_.damage(run);
    if (damage.empty()) {
      take_over(run);
      return true;
    }
    const std::string& id = runner_.plan_.runs()[run].id;
    if (runner_.exists(run))
      notice_(fmt::format("run {} is damaged ({}) and is made again", id, damage));
    const std::string part = runner_.beside(run, ".part");
    if (fs::exists(part)) notice_(fmt::format("run {} was left unfinished and is made again", id));
    fs::remove_all(part);
    children_.start(run, runner_.arguments(run), runner_.beside(run, ".log"), lock->descriptor());
    locks_[run] = std::move(lock);
    progress_(ended_, simulated_, run);
    return true;
  }

  void take_over(std::size_t run) {
    runner_.outcomes_[run] = {RunStatus::kDone, 0, "", true};
    progress_(++ended_, simulated_, run);
  }

  void finish(std::size_t run, int status) {
    RunOutcome outcome{RunStatus::kDone, status, "", false};
    if (status == 0) outcome.message = runner_.install(run);
    if (status != 0 || !outcome.message.empty()) {
      outcome.status = RunStatus::kFailed;
      if (status != 0) outcome.message = runner_.last_message(run, status);
      fs::remove_all(runner_.beside(run, ".part"));
    }
    runner_.outcomes_[run] = outcome;
    locks_.erase(run);
    progress_(++ended_, ++simulated_, run);
  }

  SweepRunner& runner_;
  const std::size_t jobs_;
  const Progress& progress_;
  const Notice& notice_;
  std::deque<std::size_t> waiting_;
  std::map<std::size_t, std::unique_ptr<FileLock>> locks_;
  ChildRuns children_;  // ended before their locks are released
  std::size_t ended_ = 0;
  std::size_t simulated_ = 0;
  bool said_ = false;
};

SweepRunner::SweepRunner(const model::SweepPlan& plan, Files files, std::string out)
    : plan_(plan), files_(std::move(files)), out_(std::move(out)), outcomes_(plan.runs().size()) {}

std::string SweepRunner::folder(std::size_t run) const {
  return out_ + "/runs/" + plan_.runs()[run].id;
}

std::string SweepRunner::beside(std::size_t run, const char* ending) const {
  return folder(run) + ending;
}

bool SweepRunner::exists(std::size_t run) const {
  std::error_code ignored;
  return fs::exists(folder(run), ignored);
}

std::string SweepRunner::damage(std::size_t run, const std::string& folder) const {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return "it is no folder";
  try {
    const report::RunFolder found = report::read_run("run", folder);
    const model::SweepRun& wanted = plan_.runs()[run];
    return report::mismatch(found.config, plan_.settings(wanted), plan_.model(wanted),
                            plan_.file().options);
  } catch (const base::ConfigError& error) {
    return error.what();
  }
}

std::vector<std::string> SweepRunner::arguments(std::size_t run) const {
  const model::SweepRun& wanted = plan_.runs()[run];
  std::vector<std::string> words{"train", plan_.model(wanted).file, "--machine", files_.machine};
  const auto add = [&words](const std::string& option, const std::string& value) {
    words.push_back(option);
    words.push_back(value);
  };
  if (!files_.run.empty()) add("--run", files_.run);
  for (const model::Assignment& a : plan_.assignments(wanted.point))
    add("--set", a.path + "=" + a.value);
  add("--steps", std::to_string(plan_.file().options.steps));
  if (plan_.file().options.cold_start) words.push_back("--cold-start");
  add("--out", beside(run, ".part"));
  add("--wave", "none");  // a sweep compares numbers
  words.push_back("--quiet");
  return words;
}

std::string SweepRunner::install(std::size_t run) const {
  const std::string part = beside(run, ".part");
  const std::string found = damage(run, part);
  if (!found.empty()) return found;
  std::error_code error;
  const std::string& id = plan_.runs()[run].id;
  follow_move(part, id + ".part", id);
  fs::remove_all(folder(run), error);
  fs::rename(part, folder(run), error);
  if (error) return "cannot be moved into place: " + error.message();
  fs::remove(beside(run, ".log"), error);
  return "";
}

std::string SweepRunner::last_message(std::size_t run, int status) const {
  std::istringstream lines(read_text(beside(run, ".log")));
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
  }
  if (status > 128)
    return fmt::format("ended by signal {} ({})", status - 128, strsignal(status - 128));
  return last.empty() ? fmt::format("ended with status {} and no message", status) : last;
}

void SweepRunner::look() {
  for (std::size_t run = 0; run < outcomes_.size(); ++run) {
    if (damage(run).empty()) outcomes_[run] = {RunStatus::kDone, 0, "", true};
  }
}

void SweepRunner::make(const std::vector<std::size_t>& chosen, std::size_t jobs,
                       const Progress& progress, const Notice& notice) {
  fs::create_directories(out_ + "/runs");
  Session(*this, jobs, progress, notice).make(chosen);
}

}  // namespace wse::cli
