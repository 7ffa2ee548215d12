// SPDX-License-Identifier: Apache-2.0
#include "sweep_scripts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "commands.h"

namespace wse::cli {
namespace {

/// Slurm refuses larger arrays unless its MaxArraySize was raised.
constexpr std::size_t kArraySize = 1000;

/// What both scripts do before they start the jobs.
std::string preamble(const SweepJobs& jobs) {
  return fmt::format(
      "set -euo pipefail\n"
      "cd {}\n"
      "export WSE_HOME={}\n"
      "program={}\n"
      "file={}\n"
      "out={}\n",
      shell_word(jobs.folder), shell_word(home()), shell_word(jobs.program), shell_word(jobs.file),
      shell_word(jobs.out));
}

std::string array_of(std::size_t count, const SweepJobs& jobs) {
  return fmt::format("0-{}%{}", count - 1, jobs.at_once);
}

}  // namespace

std::string shell_word(const std::string& text) {
  const auto is_plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string("-_./=:,+%@").find(c) != std::string::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

std::string points_text(const model::SweepPlan& plan) {
  std::string text;
  for (std::size_t i = 0; i < plan.runs().size(); ++i) {
    const model::SweepRun& run = plan.runs()[i];
    text += fmt::format("{}\t{}\t{}", i, run.id, plan.model(run).name);
    for (const model::Assignment& a : plan.file().assignments(run.point))
      text += "\t" + a.path + "=" + a.value;
    text += "\n";
  }
  return text;
}

std::string parallel_script(const model::SweepPlan& plan, const SweepJobs& jobs) {
  return fmt::format(
             "#!/usr/bin/env bash\n"
             "# The {} runs of the sweep {} by GNU parallel; arguments are options of parallel.\n",
             plan.runs().size(), plan.file().name) +
         preamble(jobs) +
         fmt::format(
             "exec parallel --quote --jobs {} \"$@\" --colsep '\\t' \\\n"
             "  \"$program\" sweep \"$file\" --out \"$out\" --point '{{1}}' :::: "
             "\"$out/points.txt\"\n",
             jobs.at_once);
}

std::string slurm_script(const model::SweepPlan& plan, const SweepJobs& jobs) {
  const std::size_t first = std::min(plan.runs().size(), kArraySize);
  return fmt::format(
             "#!/usr/bin/env bash\n"
             "# The {} runs of the sweep {} as a Slurm job array; the argument is the number of "
             "the "
             "first run.\n"
             "#SBATCH --job-name=wse-{}\n"
             "#SBATCH --array={}\n"
             "#SBATCH --ntasks=1\n"
             "#SBATCH --cpus-per-task=1\n"
             "#SBATCH --output=/dev/null\n",
             plan.runs().size(), plan.file().name, plan.file().name, array_of(first, jobs)) +
         preamble(jobs) +
         "point=$((SLURM_ARRAY_TASK_ID + ${1:-0}))\n"
         "exec \"$program\" sweep \"$file\" --out \"$out\" --point \"$point\" "
         "2>\"$out/slurm-$point.log\"\n";
}

std::vector<std::string> slurm_commands(const model::SweepPlan& plan, const SweepJobs& jobs) {
  const std::string script = shell_word(jobs.out + "/run.slurm.sh");
  std::vector<std::string> commands;
  for (std::size_t first = 0; first < plan.runs().size(); first += kArraySize) {
    const std::size_t count = std::min(plan.runs().size() - first, kArraySize);
    commands.push_back(
        first == 0 ? "sbatch " + script
                   : fmt::format("sbatch --array={} {} {}", array_of(count, jobs), script, first));
  }
  return commands;
}

}  // namespace wse::cli
