// SPDX-License-Identifier: Apache-2.0
#include "wse/model/gpt_prediction.h"

#include "wse/fabric/gemm_traffic.h"
#include "wse/host/schedule.h"
#include "wse/tiles/cost_terms.h"

namespace wse::model {

ScheduledStep scheduled_step(const host::ModelSpec& model, const GptMesh& on,
                             const tiles::TileConfig& tile) {
  constexpr tiles::Precision kFp32 = tiles::Precision::kFp32;
  host::ScheduleConfig config;
  config.micro_batches = {on.sequences};
  config.sequence = on.shape.positions;
  const base::Mapping mapping(on.mesh.columns, on.mesh.rows, 1);
  const base::Rectangle all{{0, on.mesh.columns}, {0, on.mesh.rows}};
  ScheduledStep step;
  for (const base::WorkItem& item : host::build_schedule(model, config)) {
    if (item.operation == base::Operation::kLayerChange) continue;
    step.cycles += tiles::total(cycles_of(item, mapping, tile, kFp32));
    const base::EventCounts work = tiles::events_of(item, mapping, tile, kFp32, all);
    const base::EventCounts traffic =
        fabric::gemm_events(fabric::gemm_traffic(item, mapping, all, tiles::link_bits(kFp32)));
    for (std::size_t k = 0; k < work.size(); ++k) step.events[k] += work[k] + traffic[k];
  }
  return step;
}

base::Cycles predicted_cycles(const std::vector<GptOperationPlan>& plans) {
  base::Cycles sum = 0;
  for (const GptOperationPlan& plan : plans) sum += plan.predicted.value_or(0);
  return sum;
}

std::optional<double> deviation_of(const GptOperationPlan& plan,
                                   const std::vector<GptOperationPlan>& plans,
                                   const std::vector<tiles::OperationCost>& costs,
                                   std::uint64_t steps) {
  if (!plan.predicted) return std::nullopt;
  base::Cycles cycles = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (plans[i].name == plan.name || plans[i].predicted_with == plan.name) {
      cycles += costs[i].cycles;
    }
  }
  return static_cast<double>(*plan.predicted * steps) / static_cast<double>(cycles) - 1;
}

}  // namespace wse::model
