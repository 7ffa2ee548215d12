// SPDX-License-Identifier: Apache-2.0
#include "wse/model/pipeline_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "largest.h"

namespace wse::model {
namespace {

using base::Bytes;
using base::Cycles;

/// The search grows with the stages; small ones would be all code and edges.
constexpr std::uint64_t kMostStages = 512;

std::uint64_t sequence_of(const host::ModelSpec& model, const RunConfig& run) {
  return run.sequence == 0 ? model.positions : run.sequence;
}

/// Stage s of P keeps the activations of as many samples as there are stages from it to the end.
std::vector<std::uint64_t> in_flight_of(std::size_t stages, std::uint64_t samples,
                                        std::uint64_t most) {
  std::vector<std::uint64_t> n;
  for (std::size_t s = 0; s < stages; ++s) {
    n.push_back(std::min<std::uint64_t>({samples, most, stages - s}));
  }
  return n;
}

PipelinePlan place(const Placement& placement, const std::vector<StageLoad>& loads,
                   const std::vector<std::uint64_t>& in_flight, const Settings& settings,
                   std::uint64_t samples) {
  PipelinePlan plan;
  plan.samples = samples;
  plan.in_flight = in_flight.front();
  plan.loads = loads;
  for (std::size_t s = 0; s < loads.size(); ++s) {
    const StageLoad& load = loads[s];
    PipelineStage stage;
    stage.name = load.name;
    stage.rectangle = placement.rectangles[s];
    const std::uint32_t columns = stage.rectangle.columns.size();
    const std::uint32_t rows = stage.rectangle.rows.size();
    stage.tile_bytes = stage_tile_bytes(load, columns, rows, in_flight[s], settings.machine);
    stage.config.place = load.place;
    stage.config.cycles = stage_cycles(load, stage.rectangle, settings);
    stage.config.samples = samples;
    stage.config.in_flight = in_flight[s];
    stage.config.state_bytes = load.state_bytes();
    stage.config.sample_bytes = load.kept_bytes;
    if (s + 1 < loads.size()) {
      const Transfer t = transfer_between(stage.rectangle, placement.rectangles[s + 1],
                                          load.result_bytes, settings.machine.fabric);
      stage.config.to_next = t.cycles;
      stage.word_to_next = t.word;
      stage.transfer_hops = t.hops;
    }
    plan.state_bytes += stage.config.state_bytes;
    plan.sram_bytes += stage.tile_bytes * stage.rectangle.tiles();
    plan.stages.push_back(std::move(stage));
  }
  const auto slower = [](const PipelineStage& a, const PipelineStage& b) {
    return a.config.cycles.of_sample() < b.config.cycles.of_sample();
  };
  plan.slowest = static_cast<std::size_t>(
      std::max_element(plan.stages.begin(), plan.stages.end(), slower) - plan.stages.begin());
  return plan;
}

std::vector<tiles::StageConfig> configs_of(const PipelinePlan& plan) {
  std::vector<tiles::StageConfig> configs;
  for (const PipelineStage& s : plan.stages) configs.push_back(s.config);
  return configs;
}

/// Of a step whose inputs are all there: every stage runs as far as it can, in any order.
Cycles run_stages(const std::vector<tiles::StageConfig>& configs, std::uint64_t samples) {
  std::vector<tiles::StageCore> cores;
  for (tiles::StageConfig c : configs) {
    c.parts.clear();
    c.samples = samples;
    cores.emplace_back(std::move(c)).begin_step(0);
  }
  for (std::uint64_t i = 0; i < samples; ++i) cores.front().receive_activations(0);
  Cycles end = 0;
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t s = 0; s < cores.size(); ++s) {
      while (const auto done = cores[s].next_done()) {
        moved = true;
        end = std::max(end, done->finish);
        cores[s].take_until(done->finish);
        const bool last = s + 1 == cores.size();
        if (done->pass == tiles::StageCore::Pass::kForward) {
          last ? cores[s].receive_gradients(done->finish)
               : cores[s + 1].receive_activations(done->finish + configs[s].to_next);
        } else if (done->pass == tiles::StageCore::Pass::kBackward && s > 0) {
          cores[s - 1].receive_gradients(done->finish + configs[s - 1].to_next);
        }
      }
    }
  }
  return end;
}

/// The search for samples in flight and recomputation.
class Search {
 public:
  Search(const host::ModelSpec& model, const Settings& settings, std::uint64_t samples)
      : model_(model), settings_(settings), samples_(samples) {}

  std::optional<PipelinePlan> best() {
    for (const bool recompute : {false, true}) {
      if (settings_.run.recompute == (recompute ? "none" : "full")) continue;
      try_all(recompute);
    }
    return std::move(best_);
  }

 private:
  void try_all(bool recompute) {
    const std::uint64_t sequence = sequence_of(model_, settings_.run);
    const std::vector<StageLoad> loads =
        stage_loads(model_, sequence, recompute, settings_.run.precision_kind());
    Bytes state = 0;
    for (const StageLoad& load : loads) state += load.state_bytes();
    if (state > settings_.machine.sram_bytes_user()) return;
    PlacementSearch search(loads, settings_);
    int fitted = 0;  // fewer in flight helps where SRAM is tight: one size more than fits is tried
    for (std::uint64_t most = std::min<std::uint64_t>(samples_, loads.size());; most /= 2) {
      const auto in_flight = in_flight_of(loads.size(), samples_, most);
      if (const auto placement = search.best(in_flight)) {
        consider(place(*placement, loads, in_flight, settings_, samples_), recompute, sequence);
        ++fitted;
      }
      if (most == 1 || fitted == 2) return;
    }
  }
  void consider(PipelinePlan plan, bool recompute, std::uint64_t sequence) {
    plan.recompute = recompute;
    plan.sequence = sequence;
    plan.estimated_cycles = pipeline_cycles(configs_of(plan));
    if (!best_ || plan.estimated_cycles < best_->estimated_cycles) best_ = std::move(plan);
  }

  const host::ModelSpec& model_;
  const Settings& settings_;
  const std::uint64_t samples_;
  std::optional<PipelinePlan> best_;
};

/// With as little as a pipeline can do with: one sample in flight, recomputed where that is allowed.
bool fits_at_least(const host::ModelSpec& model, const Settings& settings, std::uint64_t sequence) {
  const bool recompute = settings.run.recompute != "none";
  const auto loads = stage_loads(model, sequence, recompute, settings.run.precision_kind());
  return PlacementSearch(loads, settings).best(in_flight_of(loads.size(), 1, 1)).has_value();
}

std::string billions(std::uint64_t parameters) {
  return parameters >= 1'000'000'000
             ? fmt::format("{:.1f} B", static_cast<double>(parameters) * 1e-9)
             : fmt::format("{:.1f} M", static_cast<double>(parameters) * 1e-6);
}

std::string gigabytes(Bytes bytes) {
  return bytes >= 100'000'000 ? fmt::format("{:.3g} GB", static_cast<double>(bytes) * 1e-9)
                              : fmt::format("{:.3g} MB", static_cast<double>(bytes) * 1e-6);
}

double seconds_of(const PipelinePlan& plan, const MachineConfig& machine) {
  return static_cast<double>(plan.estimated_cycles) / static_cast<double>(machine.core_hz) +
         1e-12 * static_cast<double>(machine.memoryx.latency_ps + 2 * machine.lane_latency_ps);
}

}  // namespace

std::uint64_t PipelinePlan::tiles() const {
  std::uint64_t sum = 0;
  for (const PipelineStage& s : stages) sum += s.rectangle.tiles();
  return sum;
}

Cycles pipeline_cycles(const std::vector<tiles::StageConfig>& stages) {
  const std::uint64_t samples = stages.front().samples;
  const std::uint64_t reached = 4 * stages.size();
  if (samples <= 2 * reached) return run_stages(stages, samples);
  const Cycles shorter = run_stages(stages, reached);
  const Cycles longer = run_stages(stages, 2 * reached);
  return longer + base::mul_div_up(longer - shorter, samples - 2 * reached, reached);
}

std::string pipeline_obstacle(const host::ModelSpec& model, const RunConfig& run) {
  if (model.layers + 2 > kMostStages) {
    return fmt::format("a model of more than {} layers is streamed", kMostStages - 2);
  }
  if (model.experts > 1) return "a mixture of experts is streamed";
  if (model.stacks() > 1) return "an encoder and a decoder are streamed";
  if (run.sparsity > 0) return "sparse weights are streamed";
  if (run.systems > 1) return "several systems are fed by streams";
  return {};
}

std::optional<PipelinePlan> plan_pipeline(const host::ModelSpec& model, const Settings& settings,
                                          std::uint64_t samples) {
  return Search(model, settings, samples).best();
}

void refuse_pipeline(const host::ModelSpec& model, const Settings& settings) {
  const std::uint64_t sequence = sequence_of(model, settings.run);
  const auto loads =
      stage_loads(model, sequence, settings.run.recompute != "none", settings.run.precision_kind());
  Bytes state = 0;
  Bytes activations = 0;
  for (const StageLoad& load : loads) {
    state += load.state_bytes();
    activations += load.kept_bytes + load.working_bytes;
  }
  const std::uint64_t layers = largest_below(model.layers + 1, [&](std::uint64_t n) {
    host::ModelSpec fewer = model;
    fewer.layers = n;
    return fits_at_least(fewer, settings, sequence);
  });
  const std::uint64_t tokens = largest_below(
      sequence + 1, [&](std::uint64_t n) { return fits_at_least(model, settings, n); });
  std::string would = layers > 0 ? fmt::format("{} of {} layers would fit", layers, model.layers)
                                 : "not even one layer would fit";
  if (tokens > 0) would += fmt::format(", or a sequence of {} tokens", tokens);
  if (settings.run.recompute == "none") would += ", or run.recompute = full may";
  throw base::ConfigError(
      "run.mode", "pipeline",
      fmt::format(
          "{} parameters need {} of SRAM, and {} of activations with one sample in flight; "
          "a program reaches {}, of which {} are code: {}; run.mode = stream needs no room "
          "for parameters",
          billions(model.parameters()), gigabytes(state), gigabytes(activations),
          gigabytes(settings.machine.sram_bytes_user()),
          gigabytes(settings.machine.tile.code_bytes * settings.machine.geometry.user_columns *
                    settings.machine.geometry.user_rows),
          would));
}

ModeChoice choose_mode(const host::ModelSpec& model, const Settings& settings,
                       const TrainingPlan& stream) {
  constexpr double kLeastGain = 1.1;
  const RunConfig& run = settings.run;
  if (run.mode == "stream") return {std::nullopt, "stream: as run.mode says"};
  const bool asked = run.mode == "pipeline";
  const std::string obstacle = pipeline_obstacle(model, run);
  if (!obstacle.empty() && asked) {
    throw base::ConfigError("run.mode", "pipeline", "must be stream or auto: " + obstacle);
  }
  if (!obstacle.empty()) return {std::nullopt, "stream: " + obstacle};
  auto plan = plan_pipeline(model, settings, stream.batch);
  const MachineConfig& machine = settings.machine;
  if (!plan && asked) refuse_pipeline(model, settings);
  if (!plan) {
    return {
        std::nullopt,
        fmt::format("stream: {} parameters with gradients, optimizer and activations do not fit "
                    "into {} of SRAM",
                    billions(model.parameters()), gigabytes(machine.sram_bytes_user()))};
  }
  const double gain = stream.estimated_step_seconds / seconds_of(*plan, machine);
  const std::string fits = fmt::format(
      "{} layers fit ({:.0f} % of SRAM)", model.layers,
      100 * static_cast<double>(plan->sram_bytes) / static_cast<double>(machine.sram_bytes_user()));
  if (!asked && gain < kLeastGain) {
    return {std::nullopt, fmt::format("stream: {}, but a pipeline is estimated at {:.2f} times the "
                                      "rate of streaming, less than {}",
                                      fits, gain, kLeastGain)};
  }
  std::string reason =
      fmt::format("pipeline: {} and it is {:.2f} times as fast as streaming", fits, gain);
  return {std::move(plan), std::move(reason)};
}

TrainingPlan as_training_plan(const PipelinePlan& pipeline, const Settings& settings) {
  const MachineConfig& machine = settings.machine;
  TrainingPlan plan;
  plan.schedule.sequence = pipeline.sequence;
  plan.schedule.recompute = pipeline.recompute;
  plan.schedule.micro_batches.assign(pipeline.samples, 1);
  plan.mapping = {machine.geometry.user_columns, machine.geometry.user_rows, 1};
  plan.batch = pipeline.samples;
  plan.capacity = pipeline.in_flight;
  plan.fewest = pipeline.samples;
  for (std::size_t s = 0; s < pipeline.stages.size(); ++s) {
    const tiles::StageConfig& c = pipeline.stages[s].config;
    plan.activation_bytes +=
        std::min(c.samples, c.in_flight) * c.sample_bytes + pipeline.loads[s].working_bytes;
    plan.schedule.copies.push_back(1);
  }
  plan.schedule.copies.resize(pipeline.stages.size() - 1);  // layers, and what follows them
  const Bytes code = machine.tile.code_bytes * plan.mapping.tiles();
  plan.activation_limit = machine.sram_bytes_user() - code - pipeline.state_bytes;
  plan.estimated_step_seconds = seconds_of(pipeline, machine);
  return plan;
}

}  // namespace wse::model
