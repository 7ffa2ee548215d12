// SPDX-License-Identifier: Apache-2.0
#include "tornado_runs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>
#include <thread>

#include "commands.h"
#include "interrupt.h"
#include "sweep_runner.h"
#include "wse/report/files.h"
#include "wse/report/run_folder.h"

namespace wse::cli {
namespace {

namespace fs = std::filesystem;
using model::TornadoParameter;
using model::TornadoPlan;
using model::TornadoSide;
using report::RunStatus;
using report::TornadoResult;

std::string read_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// The runs of a tornado as points of a sweep. Point 0 is the run itself.
class Points {
 public:
  Points(const TornadoPlan& plan, std::string table, std::string folder)
      : table_(std::move(table)), folder_(std::move(folder)) {
    fs::create_directories(folder_);
    for (const TornadoParameter& p : plan.parameters) {
      add(p, p.low, "low");
      add(p, p.high, "high");
    }
  }
  const std::vector<std::vector<model::Assignment>>& list() const { return list_; }
  /// Point of a side; there is one for each that is possible.
  std::uint64_t of(const std::string& path, const char* side) const {
    return points_.at(path + " " + side);
  }

 private:
  void add(const TornadoParameter& p, const TornadoSide& side, const char* name) {
    if (!side.possible()) return;
    points_[p.path + " " + name] = list_.size();
    list_.push_back({p.is_energy() ? energy(p, side, name)
                                   : model::Assignment{p.path, side.value, "--tornado"}});
  }
  /// A run reads its energies from a file.
  model::Assignment energy(const TornadoParameter& p, const TornadoSide& side, const char* name) {
    const std::string kind = p.path.substr(std::string(model::kEnergyPrefix).size());
    const std::string file = fmt::format("{}/{}-{}.csv", folder_, kind, name);
    report::write_file(file, model::with_energy(table_, kind, side.value));
    return {"power.energy_table", file, "--tornado"};
  }

  const std::string table_;
  const std::string folder_;
  std::vector<std::vector<model::Assignment>> list_{{}};
  std::map<std::string, std::uint64_t> points_;
};

model::SweepPlan sweep_of(const TornadoInputs& in, const Points& points) {
  model::SweepFile file;
  file.file = "--tornado";
  file.name = "tornado";
  file.models = {{"model", in.model_file, ""}};
  file.list = points.list();
  file.options.cold_start = in.cold_start;
  for (const std::string& assignment : in.options.set) {
    const std::size_t equals = assignment.find('=');
    file.fixed.push_back({assignment.substr(0, equals), assignment.substr(equals + 1), "--set"});
  }
  model::SweepPlan plan(std::move(file), in.settings, in.origins,
                        {{in.model_name, in.model_file, read_text(in.model_file)}});
  base::ConfigErrors errors;
  plan.expand([](const std::string& table) { return read_text(energy_table_file(table)); }, errors);
  errors.throw_if_any();
  return plan;
}

/// A line on a terminal that says how far it is.
class Progress {
 public:
  explicit Progress(std::size_t runs, bool quiet)
      : runs_(runs), on_(!quiet && isatty(STDERR_FILENO) != 0) {}
  ~Progress() {
    if (on_) std::cerr << "\r\033[K" << std::flush;
  }
  void show(std::size_t ended) const {
    if (on_) std::cerr << fmt::format("\r\033[K[{}/{}] tornado", ended, runs_) << std::flush;
  }

 private:
  const std::size_t runs_;
  const bool on_;
};

/// Hundreds of runs: their pages and traces would take a gigabyte.
void keep_numbers(const std::string& folder) {
  std::error_code ignored;
  for (const char* name : {"report.html", "samples.json", "power.csv", "dies.csv"})
    fs::remove(folder + "/" + name, ignored);
}

/// The runs of one tornado, and their results.
class Runs {
 public:
  Runs(const model::SweepPlan& plan, SweepRunner& runner) : runner_(runner) {
    for (std::size_t run = 0; run < plan.runs().size(); ++run) runs_[plan.runs()[run].point] = run;
  }

  void make(const std::vector<std::size_t>& chosen, bool quiet) {
    if (interrupted()) throw model::Interrupted();  // later signals reach the runner
    Progress progress(chosen.size(), quiet);
    runner_.make(
        chosen, std::max(1U, std::thread::hardware_concurrency()),
        [&](std::size_t ended, std::size_t, std::size_t run) {
          if (runner_.outcomes()[run].status == RunStatus::kDone) keep_numbers(runner_.folder(run));
          progress.show(ended);
        },
        [quiet](const std::string& text) {
          if (!quiet) std::cerr << "wse: " << text << std::endl;
        });
  }

  /// Nothing, and why in `side`, where the run failed.
  std::optional<TornadoResult> result(std::uint64_t point, TornadoSide& side) const {
    const std::size_t run = runs_.at(point);
    const RunOutcome& outcome = runner_.outcomes()[run];
    if (outcome.status != RunStatus::kDone) {
      side.why = fmt::format("at {} the run ends with status {}: {}", side.value,
                             outcome.exit_status, outcome.message);
      return std::nullopt;
    }
    const nlohmann::ordered_json stats = report::read_run("run", runner_.folder(run)).stats;
    return TornadoResult{stats.at("tokens_per_second"), stats.at("wafer_power_w").at("mean"),
                         stats.at("temperature_c").at("peak")};
  }
  std::string hash_of_base() const {
    return report::read_run("run", runner_.folder(0)).stats.at("result_hash");
  }
  bool made_base() const { return runner_.outcomes()[0].status == RunStatus::kDone; }

 private:
  SweepRunner& runner_;
  std::map<std::uint64_t, std::size_t> runs_;  ///< by the point
};

/// The run itself first: where an earlier program left another result, nothing is taken over.
void make_base(Runs& runs, const TornadoInputs& in, const std::string& folder) {
  runs.make({0}, true);
  if (runs.made_base() && runs.hash_of_base() != in.result.result_hash) {
    fs::remove_all(folder + "/runs");
    runs.make({0}, true);
  }
  if (!runs.made_base() || runs.hash_of_base() != in.result.result_hash)
    throw std::runtime_error("the run of the tornado's middle differs from the run itself");
}

}  // namespace

report::TornadoTable run_tornado(const TornadoInputs& in) {
  const std::string folder = in.out + "/tornado";
  const std::string table = read_text(energy_table_file(in.settings.machine.energy_table));
  const TornadoPlan wanted = model::tornado_plan(in.settings, in.origins, table);
  const Points points(wanted, table, folder + "/tables");
  const model::SweepPlan plan = sweep_of(in, points);
  SweepRunner::Files files{preset_file("--machine", in.options.machine, "machines", ".yaml"), ""};
  if (!in.options.run.empty()) files.run = preset_file("--run", in.options.run, "runs", ".yaml");
  SweepRunner runner(plan, files, folder);
  Runs runs(plan, runner);
  make_base(runs, in, folder);
  std::vector<std::size_t> changed(plan.runs().size() - 1);
  std::iota(changed.begin(), changed.end(), std::size_t{1});
  runs.make(changed, in.quiet);

  report::TornadoTable result;
  result.model = in.model_name;
  result.machine = in.settings.machine.name;
  result.command = in.command;
  result.base = {in.result.tokens_per_second(), in.result.wafer_power_mean_w,
                 in.result.temperature_peak_c};
  result.skipped = wanted.skipped;
  for (const TornadoParameter& p : wanted.parameters) {
    report::TornadoRow row{p, {}, {}};
    if (p.low.possible()) row.low = runs.result(points.of(p.path, "low"), row.parameter.low);
    if (p.high.possible()) row.high = runs.result(points.of(p.path, "high"), row.parameter.high);
    result.rows.push_back(std::move(row));
  }
  rank(result);
  return result;
}

void write_tornado(const report::TornadoTable& table, const std::string& out) {
  report::write_files({{out + "/tornado.csv", report::tornado_csv(table)},
                       {out + "/tornado.html", report::tornado_page(table)},
                       {out + "/tornado.json", report::tornado_json(table).dump(2) + "\n"}});
}

}  // namespace wse::cli
