// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "wse/model/sweep_plan.h"

namespace wse::cli {

/// Where and how the jobs of a sweep run.
struct SweepJobs {
  std::string program;  ///< this executable
  std::string file;     ///< the sweep file
  std::string out;
  std::string folder;  ///< in which relative names hold
  std::size_t at_once = 1;
};

/// One line a run, separated by tabs: its number from 0, its id, its model and its values.
std::string points_text(const model::SweepPlan& plan);
/// A script that makes all runs with GNU parallel.
std::string parallel_script(const model::SweepPlan& plan, const SweepJobs& jobs);
/// A Slurm job array for sbatch; its argument is added to the number of a job.
std::string slurm_script(const model::SweepPlan& plan, const SweepJobs& jobs);
/// The commands that submit it: several where one array would be too large.
std::vector<std::string> slurm_commands(const model::SweepPlan& plan, const SweepJobs& jobs);

/// A word of a shell command.
std::string shell_word(const std::string& text);

}  // namespace wse::cli
