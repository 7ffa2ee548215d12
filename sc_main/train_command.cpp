// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <sstream>

#include "commands.h"
#include "cycle_training.h"
#include "interrupt.h"
#include "mesh_options.h"
#include "progress_bar.h"
#include "run_waves.h"
#include "scaling_runs.h"
#include "settings_options.h"
#include "sweep_scripts.h"
#include "tornado_runs.h"
#include "versus_option.h"
#include "window_option.h"
#include "wse/base/report.h"
#include "wse/report/files.h"
#include "wse/report/run_files.h"
#include "wse/report/timeline_json.h"
#include "wse/report/train_report.h"
#include "wse/report/versus_report.h"
#include "wse/report/window_report.h"

namespace wse::cli {
namespace {

namespace po = boost::program_options;

struct TrainOptions {
  SettingsOptions settings;
  std::string model;
  std::string out;
  std::string fidelity = "transaction";
  std::int64_t steps = 1;
  std::optional<std::string> mesh;  ///< of the cycle level, as the text
  std::optional<std::string> text;
  std::int64_t threads = 1;              ///< of the cycle level
  std::vector<std::string> other_level;  ///< options that were given and are not for this level
  std::string cycle_waves;               ///< --wave at the cycle level; empty: none
  TwinOptions twins;
  bool cold_start = false;
  bool tornado = false;
  std::optional<std::string> scaling;
  std::string order = "forward";
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  std::string timeline;
  std::optional<model::GpuCluster> versus;
  WaveOptions waves;
  WindowOptions window;
};

/// At the cycle level waves and a timeline are of tiles.
void check_tiles_given(const TrainOptions& o, const po::variables_map& values) {
  base::ConfigErrors errors;
  const bool given = !o.cycle_waves.empty() || !o.timeline.empty();
  for (const char* name : {"wave-tiles", "wave-from", "wave-to"}) {
    const bool there = values.count(name) != 0 && !values[name].defaulted();
    errors.require(given || !there, fmt::format("--{}", name), "given",
                   "needs --wave FILE or --timeline FILE with --fidelity cycle");
  }
  errors.require(o.timeline.empty() || !o.window.wave_tiles.empty(), "--timeline", o.timeline,
                 "needs --wave-tiles with --fidelity cycle, which says of which tiles");
  errors.throw_if_any();
}

bool read_options(const Arguments& arguments, TrainOptions& o) {
  po::options_description options("options");
  options.add_options()("model", po::value(&o.model)->required()->value_name("MODEL"),
                        "preset or path of a Hugging Face config.json")(
      "steps", po::value(&o.steps)->value_name("N"), "optimizer steps, back to back (default 1)")(
      "fidelity", po::value(&o.fidelity)->value_name("LEVEL"),
      "transaction (default), or cycle: a small GPT is trained for real")(
      "cold-start", po::bool_switch(&o.cold_start), "begin at the temperature of the coolant")(
      "construction-order", po::value(&o.order)->value_name("ORDER"),
      "forward or reverse; results are equal")("out", po::value(&o.out)->value_name("DIR"),
                                               "folder of the results (default out/MODEL)")(
      "json", po::bool_switch(&o.json), "print one JSON object")("quiet", po::bool_switch(&o.quiet),
                                                                 "print nothing but errors")(
      "verbose", po::bool_switch(&o.verbose), "tell on standard error what happens during the run");
  const auto keep = [](std::optional<std::string>& to) {
    return po::value<std::string>()->notifier([&to](const std::string& given) { to = given; });
  };
  options.add_options()("mesh", keep(o.mesh)->value_name("WxH"),
                        "tiles with activations at the cycle level (default 16x16); at the "
                        "transaction level all tiles that a program may use")(
      "text", keep(o.text)->value_name("FILE"),
      "what is learned at the cycle level (default configs/texts/coriolanus.txt)");
  options.add_options()("threads", po::value(&o.threads)->value_name("N"),
                        "bands of rows of the fabric at the cycle level (default 1)");
  options.add_options()("timeline", po::value(&o.timeline)->value_name("A..B"),
                        "write timeline.json of the layers A to B, 0 the first; a FILE at the "
                        "cycle level: tasks and operations of --wave-tiles");
  options.add_options()("twin",
                        po::value(&o.twins.twin)->composing()->value_name("KIND@X,Y=rtl:NAME"),
                        "router, sram or tile that is RTL at the cycle level, as often as wanted")(
      "lockstep", po::bool_switch(&o.twins.lockstep), "compare each twin with the model");
  options.add_options()("tornado", po::bool_switch(&o.tornado),
                        "change every assumption by 20 %, down and up: tornado.html");
  options.add_options()(
      "versus",
      po::value<std::string>()->value_name("GPU:N")->notifier(
          [&o](const std::string& given) { o.versus = read_versus(given); }),
      "compare with graphics cards: a100:96, a name of wse list clusters, a file");
  options.add_options()("scaling",
                        po::value<std::string>()->value_name("N,N,..")->notifier(
                            [&o](const std::string& list) { o.scaling = list; }),
                        "the same on so many systems each: a table, scaling.csv, scaling.svg");
  o.waves.add_to(options);
  o.window.add_to(options);
  o.settings.add_to(options);
  po::positional_options_description positions;
  positions.add("model", 1);
  po::variables_map values;
  if (!parse_options(arguments, options, positions, "wse train MODEL [options]", values)) {
    return false;
  }
  const bool cycle = o.fidelity == "cycle";
  if (cycle) {
    if (values.count("wave") != 0 && !values["wave"].defaulted()) o.cycle_waves = o.waves.file;
    check_tiles_given(o, values);
  } else {
    o.window.check_given(values, o.waves);
  }
  const std::vector<std::string> of_cycles{"text", "twin", "lockstep", "threads"};
  const std::vector<std::string> of_transactions{
      "cold-start",  "construction-order", "verbose",    "tornado",      "versus",
      "scaling",     "wave-signals",       "window",     "window-layer", "window-matrix",
      "window-pass", "window-threads",     "window-wave"};
  for (const std::string& name : cycle ? of_transactions : of_cycles) {
    if (values.count(name) != 0 && !values[name].defaulted()) o.other_level.push_back(name);
  }
  return true;
}

/// What the cycle level takes of the options.
CycleTraining cycle_training_of(const TrainOptions& o, const Arguments& arguments) {
  CycleTraining training;
  training.settings = o.settings;
  training.model = o.model;
  training.out = o.out;
  training.steps = static_cast<std::uint64_t>(o.steps);
  if (o.mesh) training.mesh = *o.mesh;
  training.text = o.text;
  training.threads = static_cast<std::uint32_t>(o.threads);
  training.waves.file = o.cycle_waves;
  training.waves.tiles = o.window.wave_tiles;
  training.waves.from = o.waves.from;
  training.waves.to = o.waves.to;
  training.timeline = o.timeline;
  training.twins = o.twins;
  training.command = command_line("train", arguments);
  training.json = o.json;
  training.quiet = o.quiet;
  return training;
}

void check(const TrainOptions& o) {
  base::ConfigErrors errors;
  errors.require(o.steps >= 1 && o.steps <= 1'000'000, "--steps", o.steps, "must be 1 .. 1000000");
  errors.require(!o.tornado || o.steps == 1, "--steps", o.steps,
                 "must be 1 with --tornado, whose runs are one step each");
  errors.require(o.threads >= 1 && o.threads <= 256, "--threads", o.threads, "must be 1 .. 256");
  errors.require(o.threads == 1 || o.twins.twin.empty(), "--threads", o.threads,
                 "must be 1 with --twin");
  errors.require(o.fidelity == "transaction" || o.fidelity == "cycle", "--fidelity", o.fidelity,
                 "must be transaction or cycle");
  errors.require(o.order == "forward" || o.order == "reverse", "--construction-order", o.order,
                 "must be forward or reverse");
  for (const std::string& name : o.other_level) {
    errors.add(
        "--" + name, "given",
        o.fidelity == "cycle" ? "cannot be with --fidelity cycle" : "needs --fidelity cycle");
  }
  errors.throw_if_any();
}

fabric::Mesh mesh_given(const std::string& text) {
  base::ConfigErrors errors;
  const fabric::Mesh mesh = mesh_of(text, errors);
  errors.throw_if_any();
  return mesh;
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

std::string read_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

model::TrainingResult train(const TrainOptions& o, const host::ModelSpec& spec,
                            const model::Settings& settings, const power::EnergyTable& energy,
                            std::optional<base::Timeline>& timeline, RunWaves& waves,
                            model::TrainingWindow* window) {
  model::TrainingOptions options;
  options.steps = static_cast<std::uint32_t>(o.steps);
  options.cold_start = o.cold_start;
  if (o.order == "reverse") options.order = model::ConstructionOrder::kReverse;
  options.interrupted = interrupted;
  if (timeline) options.timeline = &*timeline;
  if (window != nullptr) {
    options.block = &window->block();
    options.finished = [window] {
      window->run([] {
        if (interrupted()) throw model::Interrupted();
      });
    };
  }
  options.observer = [&waves](const model::RunSample& sample, const power::WindowSample& power) {
    waves.observe(sample, power);
  };
  ProgressBar bar(!o.quiet && !o.verbose);
  options.progress = [&bar](const model::Progress& progress) { bar.show(progress); };
  try {
    return model::train(spec, settings, energy, options);
  } catch (...) {
    bar.clear();
    if (!waves.left_behind().empty()) {
      std::cerr << "wse: the waves up to here are in " << waves.left_behind() << "\n";
    }
    throw;
  }
}

std::optional<report::TornadoTable> tornado(const TrainOptions& o, const report::RunRecord& record,
                                            const model::Settings& settings,
                                            const model::TrainingResult& result,
                                            const std::string& out) {
  if (!o.tornado) return std::nullopt;
  report::TornadoTable table =
      run_tornado({o.settings, settings, record.origins, result, record.model_file,
                   record.model_name, record.command, o.cold_start, o.quiet, out});
  write_tornado(table, out);
  return table;
}

std::optional<report::ScalingTable> scaling(const TrainOptions& o, const std::string& model_file,
                                            const std::vector<std::uint64_t>& systems,
                                            const model::TrainingResult& result,
                                            const std::string& out) {
  if (systems.empty()) return std::nullopt;
  report::ScalingTable table =
      run_scaling({o.settings, result, model_file, o.cold_start, out}, systems);
  write_scaling(table, out);
  return table;
}

/// Placed before the run: what is wrong with it is told at once.
std::optional<model::GpuRun> place_versus(const TrainOptions& o, const host::ModelSpec& spec,
                                          const model::Settings& settings) {
  if (!o.versus) return std::nullopt;
  const std::uint64_t sequence =
      settings.run.sequence == 0 ? spec.positions : settings.run.sequence;
  return model::place_on_gpus(spec, sequence, settings.run.batch, *o.versus);
}

report::Cs2Rate rate_of_one(const model::TrainingResult& result) {
  const std::uint64_t systems = result.shares.systems;
  return {result.tokens_per_second() / static_cast<double>(systems), systems};
}

}  // namespace

int train_command(const Arguments& arguments) {
  TrainOptions o;
  if (!read_options(arguments, o)) return kDone;
  check(o);
  if (o.fidelity == "cycle") return train_in_cycles(cycle_training_of(o, arguments));
  report::RunRecord record;
  model::Settings settings = o.settings.read(record.origins);
  if (o.mesh) restrict_to_mesh(mesh_given(*o.mesh), settings, record.origins);
  if (o.scaling) compare_in_one_mode(settings);
  shorten_places(record.origins);
  record.command = command_line("train", arguments);
  record.model_file = preset_file("MODEL", o.model, "models", ".json");
  record.model_name = model_name(record.model_file);
  const host::ModelSpec spec = host::read_model(record.model_file, record.model_name);
  record.model_document = read_text(record.model_file);
  const power::EnergyTable energy =
      power::EnergyTable::read(energy_table_file(settings.machine.energy_table));
  std::optional<base::Timeline> timeline = timeline_of(o.timeline, spec);
  const std::optional<model::GpuRun> versus = place_versus(o, spec, settings);
  const std::vector<std::uint64_t> systems =
      o.scaling ? scaling_of(*o.scaling, settings) : std::vector<std::uint64_t>{};
  std::optional<model::TrainingWindow> window;
  if (o.window.given()) window.emplace(spec, settings, o.window.read());
  const std::string out = o.out.empty() ? "out/" + record.model_name : o.out;
  report::prepare_folder(out);
  const report::FolderLock lock(out);
  RunWaves waves(o.waves, settings.machine, out);
  std::optional<WindowWaves> window_waves;
  if (window) window_waves.emplace(o.window, *window, settings.machine.core_hz, out);
  base::install_report_sink(o.verbose ? sc_core::SC_HIGH : sc_core::SC_NONE);
  catch_interrupts();
  const model::TrainingResult result =
      train(o, spec, settings, energy, timeline, waves, window ? &*window : nullptr);
  waves.finish();
  if (window) window_waves->finish();
  nlohmann::ordered_json window_result;
  if (window) window_result = report::window_json(window->result(), energy);
  report::write_run(result, report::config_json(record, settings, result.steps, o.cold_start),
                    timeline ? &*timeline : nullptr, window_result, out);
  if (timeline) {
    report::write_file(out + "/timeline.json",
                       report::timeline_json(timeline->spans(), result.samples.front().begin));
  }
  const report::Cs2Rate cs2 = rate_of_one(result);
  if (versus) {
    report::write_file(out + "/versus.json", report::versus_json(*versus, cs2).dump(2) + "\n");
  }
  if (window) report::write_file(out + "/window.json", window_result.dump(2) + "\n");
  const auto effects = tornado(o, record, settings, result, out);
  const auto curve = scaling(o, record.model_file, systems, result, out);
  if (o.json) {
    nlohmann::ordered_json object = report::train_json(result);
    if (effects) object["tornado"] = report::tornado_json(*effects);
    if (curve) object["scaling"] = report::scaling_json(*curve);
    if (versus) object["versus"] = report::versus_json(*versus, cs2);
    if (window) object["window"] = window_result;
    std::cout << object.dump(2) << std::endl;
  } else if (!o.quiet) {
    std::cout << report::summary(result) << (versus ? report::versus_text(*versus, cs2) : "")
              << (effects ? report::tornado_text(*effects) : "")
              << (curve ? report::scaling_text(*curve) : "")
              << (window ? report::window_text(window->result(), energy) : "")
              << "  results in             " << out << "/ (report.html, stats.json" << waves.files()
              << (window ? ", window.json" + window_waves->files() : "")
              << (timeline ? ", timeline.json" : "") << (versus ? ", versus.json" : "")
              << (effects ? ", tornado.html, tornado.csv, tornado.json" : "")
              << (curve ? ", scaling.csv, scaling.svg)" : ")") << std::endl;
  }
  if (window) window->result().require();
  return kDone;
}

}  // namespace wse::cli
