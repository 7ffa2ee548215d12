// SPDX-License-Identifier: Apache-2.0
#include "scaling_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "child_runs.h"
#include "commands.h"
#include "wse/report/files.h"
#include "wse/report/run_folder.h"
#include "wse/report/train_report.h"

namespace wse::cli {
namespace {

using Systems = std::vector<std::uint64_t>;

std::string folder_of(const ScalingInputs& in, std::uint64_t systems) {
  return fmt::format("{}/scaling/{}", in.out, systems);
}

std::string log_of(const ScalingInputs& in, std::uint64_t systems) {
  return folder_of(in, systems) + ".log";
}

std::vector<std::string> arguments_of(const ScalingInputs& in, std::uint64_t systems) {
  std::vector<std::string> words{"train",     in.model_file,
                                 "--machine", in.options.machine,
                                 "--steps",   std::to_string(in.result.steps),
                                 "--out",     folder_of(in, systems),
                                 "--wave",    "none",
                                 "--quiet"};
  if (in.cold_start) words.emplace_back("--cold-start");
  const auto add = [&words](const std::string& option, const std::string& value) {
    words.push_back(option);
    words.push_back(value);
  };
  if (!in.options.run.empty()) add("--run", in.options.run);
  for (const std::string& assignment : in.options.set) add("--set", assignment);
  add("--set", fmt::format("run.systems={}", systems));
  add("--set", "run.mode=" + in.result.settings.run.mode);
  return words;
}

std::string text_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

void make_runs(const ScalingInputs& in, const Systems& wanted) {
  std::filesystem::create_directories(in.out + "/scaling");
  const std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
  ChildRuns children;
  for (std::size_t next = 0; next < wanted.size() || children.running() > 0;) {
    while (next < wanted.size() && children.running() < jobs) {
      children.start(next, arguments_of(in, wanted[next]), log_of(in, wanted[next]), -1);
      ++next;
    }
    for (const auto& [run, status] : children.wait(std::chrono::seconds(1))) {
      const std::string log = log_of(in, wanted[run]);
      if (status != 0) {
        throw model::RunFailed(
            fmt::format("--scaling: the run on {} systems ended with status {}: {}", wanted[run],
                        status, text_of(log)));
      }
      std::filesystem::remove(log);
    }
  }
}

}  // namespace

void compare_in_one_mode(model::Settings& settings) {
  if (settings.run.mode == "pipeline") {
    throw base::ConfigError(
        "run.mode", "pipeline",
        "must be stream or auto with --scaling: several systems are fed by streams");
  }
  settings.run.mode = "stream";
}

Systems scaling_of(const std::string& list, const model::Settings& settings) {
  std::set<std::uint64_t> all{1};
  std::istringstream items(list + ",");
  for (std::string item; std::getline(items, item, ',');) {
    const bool is_number = !item.empty() && item.size() <= 3 &&
                           item.find_first_not_of("0123456789") == std::string::npos;
    const std::uint64_t n = is_number ? std::stoull(item) : 0;
    if (n < 1 || n > host::SwarmX::kMostSystems) {
      throw base::ConfigError("--scaling", list, "must be numbers of systems, 1 .. 192: 1,2,4,8");
    }
    all.insert(n);
  }
  model::Settings scaled = settings;
  for (const std::uint64_t n : all) {
    scaled.run.systems = n;
    model::settings_of_one_system(scaled);
  }
  return {all.begin(), all.end()};
}

report::ScalingTable run_scaling(const ScalingInputs& in, const Systems& systems) {
  const std::uint64_t own = in.result.shares.systems;
  Systems others = systems;
  others.erase(std::remove(others.begin(), others.end(), own), others.end());
  make_runs(in, others);
  report::ScalingTable table{in.result.model.name, in.result.settings.machine.name, {}};
  for (const std::uint64_t n : systems) {
    table.runs.push_back(n == own ? report::train_json(in.result)
                                  : report::read_run("--scaling", folder_of(in, n)).stats);
  }
  return table;
}

void write_scaling(const report::ScalingTable& table, const std::string& out) {
  report::write_files({{out + "/scaling.csv", report::scaling_csv(table)},
                       {out + "/scaling.svg", report::scaling_svg(table)}});
}

}  // namespace wse::cli
