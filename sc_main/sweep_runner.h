// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "wse/model/sweep_plan.h"
#include "wse/report/run_folder.h"
#include "wse/report/sweep_table.h"

namespace wse::cli {

/// How a run of a sweep ended.
struct RunOutcome {
  report::RunStatus status = report::RunStatus::kMissing;
  int exit_status = 0;
  std::string message;
  bool taken_over = false;  ///< found complete
};

/// Simulates the runs of a sweep in folders OUT/runs/ID: a child process each, written into
/// OUT/runs/ID.part and renamed when complete, so that a sweep may be ended at any time and goes on
/// where it was. OUT/runs/ID.lock keeps two sweeps from making the same run.
class SweepRunner {
 public:
  struct Files {
    std::string machine;
    std::string run;  ///< empty: none
  };
  /// Called when a run begins or ends: how many have ended and how many of those were simulated.
  using Progress = std::function<void(std::size_t ended, std::size_t simulated, std::size_t run)>;
  using Notice = std::function<void(const std::string&)>;

  SweepRunner(const model::SweepPlan& plan, Files files, std::string out);

  std::string folder(std::size_t run) const;
  /// Empty if the folder holds this run, complete; else what is wrong with it.
  std::string damage(std::size_t run) const { return damage(run, folder(run)); }
  bool exists(std::size_t run) const;

  /// Takes over what is complete and makes nothing.
  void look();

  /// Makes the chosen runs, `jobs` at once. What it throws (model::Interrupted) leaves finished
  /// runs in place, and outcomes() says which they are.
  void make(const std::vector<std::size_t>& chosen, std::size_t jobs, const Progress& progress,
            const Notice& notice);
  const std::vector<RunOutcome>& outcomes() const { return outcomes_; }

 private:
  class Session;

  std::string damage(std::size_t run, const std::string& folder) const;
  std::vector<std::string> arguments(std::size_t run) const;
  std::string beside(std::size_t run, const char* ending) const;
  /// Moves a complete run into place; says why it could not.
  std::string install(std::size_t run) const;
  std::string last_message(std::size_t run, int status) const;

  const model::SweepPlan& plan_;
  const Files files_;
  const std::string out_;
  std::vector<RunOutcome> outcomes_;
};

}  // namespace wse::cli
