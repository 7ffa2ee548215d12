// SPDX-License-Identifier: Apache-2.0
#include "pipeline_stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace wse::report {

using json = nlohmann::ordered_json;
using model::PipelinePlan;
using model::PipelineStage;
using model::TrainingResult;

namespace {

json stage_json(const PipelineStage& s) {
  const tiles::StageCycles& c = s.config.cycles;
  const base::Rectangle& r = s.rectangle;
  return {{"name", s.name},
          {"rectangle", {r.columns.begin, r.rows.begin, r.columns.end, r.rows.end}},
          {"tiles", r.tiles()},
          {"forward_cycles", tiles::total(c.forward)},
          {"recompute_cycles", tiles::total(c.recompute)},
          {"backward_cycles", tiles::total(c.backward)},
          {"update_cycles", tiles::total(c.update)},
          {"transfer_cycles", s.config.to_next},
          {"samples_in_flight", std::min(s.config.samples, s.config.in_flight)},
          {"sram_bytes", s.tile_bytes}};
}

base::Cycles longest_update(const PipelinePlan& plan) {
  base::Cycles most = 0;
  for (const PipelineStage& s : plan.stages) {
    most = std::max(most, tiles::total(s.config.cycles.update));
  }
  return most;
}

double share(const TrainingResult& r, tiles::Cause cause) {
  return r.time_ledger[static_cast<std::size_t>(cause)];
}

}  // namespace

double bubble_fraction(const TrainingResult& r) {
  return share(r, tiles::Cause::kPipelineWait) / (1 - share(r, tiles::Cause::kUnplaced));
}

json pipeline_json(const TrainingResult& r) {
  if (!r.pipeline) return json::object();
  const PipelinePlan& plan = *r.pipeline;
  json stages = json::array();
  for (const PipelineStage& s : plan.stages) stages.push_back(stage_json(s));
  return {{"samples", plan.samples},
          {"samples_in_flight", plan.in_flight},
          {"tiles", plan.tiles()},
          {"slowest_stage", plan.stages[plan.slowest].name},
          {"bubble_fraction", bubble_fraction(r)},
          {"update_cycles", longest_update(plan)},
          {"estimated_cycles", plan.estimated_cycles},
          {"state_bytes", plan.state_bytes},
          {"sram_bytes", plan.sram_bytes},
          {"stages", stages}};
}

std::string pipeline_text(const TrainingResult& r) {
  const PipelinePlan& plan = *r.pipeline;
  const PipelineStage& slowest = plan.stages[plan.slowest];
  return fmt::format(
      "{} stages on {} tiles, up to {} samples in flight; {} is the slowest, {} "
      "cycles a sample; bubbles {:.1f} %",
      plan.stages.size(), plan.tiles(), plan.in_flight, slowest.name,
      slowest.config.cycles.of_sample(), 100 * bubble_fraction(r));
}

std::string pipeline_sram_text(const TrainingResult& r) {
  const PipelinePlan& plan = *r.pipeline;
  base::Bytes fullest = 0;
  for (const PipelineStage& s : plan.stages) fullest = std::max(fullest, s.tile_bytes);
  return fmt::format(
      "one device suffices: {:.3g} GB weights, gradients and optimizer, {:.3g} GB "
      "activations; the fullest tile holds {} of {} bytes",
      static_cast<double>(plan.state_bytes) * 1e-9,
      static_cast<double>(r.plan.activation_bytes) * 1e-9, fullest,
      r.settings.machine.sram.size_bytes);
}

}  // namespace wse::report
