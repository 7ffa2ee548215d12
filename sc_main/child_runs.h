// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <map>
#include <string>
#include <vector>

namespace wse::cli {

/// Runs of this very program as child processes: one SystemC elaboration each. While it lives,
/// SIGINT and SIGTERM wait until wait() sees them. Children end with this process, however it ends.
class ChildRuns {
 public:
  /// A child that ended.
  struct Ended {
    std::size_t run = 0;  ///< as given to start()
    int status = 0;       ///< exit status; 128 + signal where one ended it
  };

  ChildRuns();
  ~ChildRuns();  ///< ends the children that still run
  ChildRuns(const ChildRuns&) = delete;
  ChildRuns& operator=(const ChildRuns&) = delete;

  /// `wse` with these arguments; standard error goes to the file `log`, other streams nowhere. The
  /// child keeps the descriptor `held` open: a lock on it outlives this process if the child does.
  void start(std::size_t run, const std::vector<std::string>& arguments, const std::string& log,
             int held);
  std::size_t running() const { return runs_.size(); }

  /// Waits until a child ends, at most that long, and returns those that ended. Throws
  /// model::Interrupted on SIGINT or SIGTERM, when all children have ended.
  std::vector<Ended> wait(std::chrono::milliseconds at_most);

 private:
  std::vector<Ended> reap();
  void end_all();

  std::map<pid_t, std::size_t> runs_;  ///< process, and its run
  sigset_t waited_{};
  sigset_t before_{};
};

}  // namespace wse::cli
