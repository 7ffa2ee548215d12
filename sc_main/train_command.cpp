// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>

#include "commands.h"
#include "progress_bar.h"
#include "settings_options.h"
#include "wse/base/report.h"
#include "wse/report/files.h"
#include "wse/report/timeline_json.h"
#include "wse/report/train_report.h"

namespace wse::cli {
namespace {

namespace po = boost::program_options;

volatile std::sig_atomic_t g_interrupted = 0;  // the one thing a signal handler may touch
void on_interrupt(int) { g_interrupted = 1; }

struct TrainOptions {
  SettingsOptions settings;
  std::string model;
  std::string out;
  std::string fidelity = "transaction";
  std::int64_t steps = 1;
  bool cold_start = false;
  std::string order = "forward";
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  std::string timeline;
};

bool read_options(const Arguments& arguments, TrainOptions& o) {
  po::options_description options("options");
  options.add_options()("model", po::value(&o.model)->required()->value_name("MODEL"),
                        "preset or path of a Hugging Face config.json")(
      "steps", po::value(&o.steps)->value_name("N"), "optimizer steps, back to back (default 1)")(
      "fidelity", po::value(&o.fidelity)->value_name("LEVEL"), "transaction")(
      "cold-start", po::bool_switch(&o.cold_start), "begin at the temperature of the coolant")(
      "construction-order", po::value(&o.order)->value_name("ORDER"),
      "forward or reverse; results are equal")("out", po::value(&o.out)->value_name("DIR"),
                                               "folder of the results (default out/MODEL)")(
      "json", po::bool_switch(&o.json), "print one JSON object")("quiet", po::bool_switch(&o.quiet),
                                                                 "print nothing but errors")(
      "verbose", po::bool_switch(&o.verbose), "tell on standard error what happens during the run");
  options.add_options()("timeline", po::value(&o.timeline)->value_name("A..B"),
                        "write timeline.json of the layers A to B, 0 the first");
  o.settings.add_to(options);
  po::positional_options_description positions;
  positions.add("model", 1);
  po::variables_map values;
  return parse_options(arguments, options, positions, "wse train MODEL [options]", values);
}

void check(const TrainOptions& o) {
  base::ConfigErrors errors;
  errors.require(o.steps >= 1 && o.steps <= 1'000'000, "--steps", o.steps, "must be 1 .. 1000000");
  errors.require(o.fidelity == "transaction", "--fidelity", o.fidelity,
                 "must be transaction for this command");
  errors.require(o.order == "forward" || o.order == "reverse", "--construction-order", o.order,
                 "must be forward or reverse");
  errors.throw_if_any();
}

/// A..B, both included.
std::optional<base::Timeline> timeline_of(const std::string& layers, const host::ModelSpec& model) {
  if (layers.empty()) return std::nullopt;
  const std::string rule = fmt::format("must be A..B with 0 <= A <= B < {}", model.layers);
  static const std::regex form("([0-9]{1,9})\\.\\.([0-9]{1,9})");
  std::smatch match;
  if (!std::regex_match(layers, match, form)) throw base::ConfigError("--timeline", layers, rule);
  const auto first = static_cast<std::uint32_t>(std::stoul(match[1]));
  const auto last = static_cast<std::uint32_t>(std::stoul(match[2]));
  if (first > last || last >= model.layers) throw base::ConfigError("--timeline", layers, rule);
  return base::Timeline(first, last);
}

/// Relative energy tables are looked for here, then at home.
std::string energy_file(const std::string& given) {
  std::error_code error;
  return std::filesystem::exists(given, error) ? given : home() + "/" + given;
}

}  // namespace

int train_command(const Arguments& arguments) {
  TrainOptions o;
  if (!read_options(arguments, o)) return kDone;
  check(o);
  model::Origins origins;
  const model::Settings settings = o.settings.read(origins);
  const std::string file = preset_file("MODEL", o.model, "models", ".json");
  std::string name = std::filesystem::path(file).stem().string();
  if (name == "config") name = std::filesystem::absolute(file).parent_path().filename().string();
  const host::ModelSpec spec = host::read_model(file, name);
  const power::EnergyTable energy =
      power::EnergyTable::read(energy_file(settings.machine.energy_table));
  std::optional<base::Timeline> timeline = timeline_of(o.timeline, spec);
  const std::string out = o.out.empty() ? "out/" + name : o.out;
  report::prepare_folder(out);
  base::install_report_sink(o.verbose ? sc_core::SC_HIGH : sc_core::SC_NONE);
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  model::TrainingOptions options;
  options.steps = static_cast<std::uint32_t>(o.steps);
  options.cold_start = o.cold_start;
  if (o.order == "reverse") options.order = model::ConstructionOrder::kReverse;
  options.interrupted = [] { return g_interrupted != 0; };
  if (timeline) options.timeline = &*timeline;
  ProgressBar bar(!o.quiet && !o.verbose);
  options.progress = [&bar](const model::Progress& progress) { bar.show(progress); };
  const model::TrainingResult result = model::train(spec, settings, energy, options);
  bar.clear();
  report::write_results(result, out);
  if (timeline) {
    report::write_file(out + "/timeline.json",
                       report::timeline_json(timeline->spans(), result.samples.front().begin));
  }
  if (o.json) {
    std::cout << report::train_json(result).dump(2) << std::endl;
  } else if (!o.quiet) {
    std::cout << report::summary(result) << "  results in             " << out
              << "/ (stats.json, dies.csv, wafer.vcd, wafer.gtkw"
              << (timeline ? ", timeline.json)" : ")") << std::endl;
  }
  return kDone;
}

}  // namespace wse::cli
