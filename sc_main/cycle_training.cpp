// SPDX-License-Identifier: Apache-2.0
#include "cycle_training.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "chain_waves.h"
#include "commands.h"
#include "interrupt.h"
#include "mesh_options.h"
#include "progress_bar.h"
#include "wse/base/host_usage.h"
#include "wse/fabric/noc_run.h"
#include "wse/model/gpt_prediction.h"
#include "wse/model/mesh_config.h"
#include "wse/power/energy_table.h"
#include "wse/report/files.h"
#include "wse/report/gpt_report.h"

namespace wse::cli {
namespace {

/// What of a run the cycle level has: one system, dense, fp32, whole sequences.
void check_run(const model::Settings& settings, const model::Origins& origins,
               const host::GptShape& shape, base::ConfigErrors& errors) {
  const model::RunConfig& run = settings.run;
  const bool chosen = std::any_of(origins.begin(), origins.end(), [](const auto& origin) {
    return origin.first == "run.precision";
  });
  errors.require(!chosen || run.precision == "fp32", "run.precision", run.precision,
                 "must be fp32 with --fidelity cycle, which is its default there");
  errors.require(run.sequence == 0 || run.sequence == shape.positions, "run.sequence", run.sequence,
                 fmt::format("must be {}, the positions of the model, with --fidelity cycle",
                             shape.positions));
  errors.require(run.systems == 1, "run.systems", run.systems, "must be 1 with --fidelity cycle");
  errors.require(run.sparsity == 0, "run.sparsity", run.sparsity,
                 "must be 0 with --fidelity cycle");
  errors.require(run.copies <= 1, "run.copies", run.copies, "must be 1 with --fidelity cycle");
  errors.require(run.micro_batches <= 1, "run.micro_batches", run.micro_batches,
                 "must be 1 with --fidelity cycle");
  errors.require(run.recompute != "full", "run.recompute", run.recompute,
                 "must be none with --fidelity cycle: activations stay in the tiles");
  errors.require(run.mode != "pipeline", "run.mode", run.mode,
                 "must be stream with --fidelity cycle");
  const base::Cycles layer_change = settings.machine.tile.layer_change_cycles;
  errors.require(layer_change == 0 || !is_set_by_hand(origins, "tile.layer_change_cycles"),
                 "tile.layer_change_cycles", layer_change,
                 "must be 0 with --fidelity cycle, whose kernels follow each other");
  errors.require(run.batch <= 4096, "run.batch", run.batch,
                 "must be at most 4096 with --fidelity cycle");
}

model::GptTraining training_of(const CycleTraining& o, const model::Settings& settings,
                               const model::Origins& origins, const host::ModelSpec& spec) {
  model::GptTraining training;
  training.on.shape = host::GptShape::of(spec);
  base::ConfigErrors errors;
  check_run(settings, origins, training.on.shape, errors);
  training.on.mesh = mesh_of(o.mesh, errors);
  check_mesh(training.on.mesh, settings.machine.geometry, true, errors);
  errors.throw_if_any();
  if (settings.run.batch != 0) {
    training.on.sequences = static_cast<std::uint32_t>(settings.run.batch);
  }
  training.tile = settings.machine.tile;
  training.steps = o.steps;
  training.seed = settings.run.seed;
  return training;
}

/// Routers, memories and tiles that are simulated elsewhere; each kernel has them anew.
TwinPlaces twins_of(const CycleTraining& o, const fabric::Mesh& mesh) {
  if (o.twins.twin.empty()) return {};
  TwinPlaces places(o.twins, mesh, true);
  if (!places.any_remote()) return places;
  throw base::ConfigError("--twin", "remote", "must be rtl:NAME: simulators serve one kernel");
}

/// What is seen, and what is simulated elsewhere, in each kernel of a run.
struct Observed {
  const tiles::MeshConfig& config;
  TwinPlaces twins;
  std::optional<ChainWaves> waves;
};

void observe(const CycleTraining& o, report::GptRecord& record, Observed& observed) {
  model::GptTraining& training = record.training;
  const fabric::Mesh mesh = training.on.with_lanes();
  observed.twins = twins_of(o, mesh);
  record.twins = observed.twins.names();
  o.waves.selection(mesh);  // throws before anything runs
  training.before = [&](const std::string&, tiles::TileMesh& tiles, std::uint32_t first_row) {
    if (!observed.twins.empty()) observed.twins.put_into(tiles, observed.config, first_row);
    observed.waves->before(tiles, first_row);
  };
  training.after = [&](const tiles::TileMesh& tiles) { observed.waves->after(tiles); };
}

void run(report::GptRecord& record, model::GptStep& step, const host::TextTokens& text,
         bool shows) {
  ProgressBar bar(shows);
  const base::Stopwatch stopwatch;
  record.training.progress = [&](std::uint64_t done) {
    if (interrupted()) throw fabric::Interrupted();
    const std::uint64_t steps = record.training.steps;
    bar.show(static_cast<double>(done) / static_cast<double>(steps),
             fmt::format("step {} of {}", std::min(done + 1, steps), steps));
  };
  record.result = model::train_gpt(record.training, step, text);
  record.host = base::host_usage();
  record.host_seconds = stopwatch.seconds();
}

void write(const report::GptRecord& record, const std::string& out) {
  const nlohmann::ordered_json stats = report::gpt_stats_json(record);
  report::write_files({{out + "/loss.csv", report::loss_csv(record)},
                       {out + "/report.html", report::gpt_page(stats)},
                       {out + "/stats.json", stats.dump(2) + "\n"}});
}

}  // namespace

int train_in_cycles(const CycleTraining& o) {
  model::Origins origins;
  const model::Settings settings = o.settings.read(origins);
  const std::string file = preset_file("MODEL", o.model, "models", ".json");
  const host::ModelSpec spec = host::read_model(file, model_name(file));
  report::GptRecord record;
  record.command = o.command;
  record.model = model_name(file);
  record.machine = settings.machine;
  record.training = training_of(o, settings, origins, spec);
  const model::GptMesh& on = record.training.on;
  record.useful_multiply_adds = 3 * spec.forward_multiply_adds(on.sequences, on.shape.positions);
  record.scheduled = model::scheduled_step(spec, on, settings.machine.tile);
  record.text = o.text.value_or("configs/texts/coriolanus.txt");
  const host::TextTokens text =
      host::read_text(o.text ? record.text : home() + "/" + record.text, on.shape.vocabulary);
  record.characters = text.characters();
  const tiles::MeshConfig config = model::mesh_config(settings.machine);
  const base::Stopwatch stopwatch;
  model::GptStep step(on, config, o.threads);
  record.elaboration_seconds = stopwatch.seconds();
  Observed observed{config, {}, {}};
  observe(o, record, observed);
  const std::string out = o.out.empty() ? "out/" + record.model : o.out;
  report::prepare_folder(out);
  const report::FolderLock lock(out);
  catch_interrupts();
  observed.waves.emplace(o.waves, o.timeline, on.with_lanes(), step.kernels(),
                         record.machine.core_hz, out);
  run(record, step, text, !o.quiet);
  observed.waves->finish();
  report::take_energy(record,
                      power::EnergyTable::read(energy_table_file(record.machine.energy_table)));
  write(record, out);
  if (o.json) {
    std::cout << report::gpt_json(record).dump(2) << std::endl;
  } else if (!o.quiet) {
    std::cout << report::gpt_summary(record) << "  results in             " << out
              << "/ (report.html, stats.json, loss.csv" << observed.waves->files() << ")"
              << std::endl;
  }
  return kDone;
}

}  // namespace wse::cli
