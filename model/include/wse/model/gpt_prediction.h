// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wse/host/model_spec.h"
#include "wse/model/gpt_mesh.h"
#include "wse/model/gpt_step.h"
#include "wse/tiles/tile_config.h"

namespace wse::model {

/// A step by the schedule of the transaction level on the same mesh, fp32, one copy of the features, nothing
/// recomputed: its operations, without waits for lanes and changes of layers, which kernels that follow each
/// other do not have.
struct ScheduledStep {
  base::Cycles cycles = 0;
  base::EventCounts events{};  ///< of the tiles and between them
};
ScheduledStep scheduled_step(const host::ModelSpec& model, const GptMesh& on,
                             const tiles::TileConfig& tile);

/// Sum of what the cost terms say of the operations of a step; those without a term count 0.
base::Cycles predicted_cycles(const std::vector<GptOperationPlan>& plans);

/// Prediction of an operation, with all that it includes, over cycles of the runs of a step, minus 1.
/// None: there is no prediction, or it is part of another one's.
std::optional<double> deviation_of(const GptOperationPlan& plan,
                                   const std::vector<GptOperationPlan>& plans,
                                   const std::vector<tiles::OperationCost>& costs,
                                   std::uint64_t steps);

}  // namespace wse::model
