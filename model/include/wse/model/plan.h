// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "wse/base/mapping.h"
#include "wse/host/model_spec.h"
#include "wse/host/schedule.h"
#include "wse/model/settings.h"

namespace wse::model {

/// What was chosen for a training step before it is simulated, and why.
struct TrainingPlan {
  host::ScheduleConfig schedule;
  base::Mapping mapping{1, 1, 1};     ///< of the first layer
  std::uint64_t batch = 0;            ///< sequences a step
  std::uint64_t capacity = 0;         ///< sequences that fit at once
  std::uint64_t fewest = 0;           ///< micro-batches that the batch needs
  std::uint32_t passes = 0;           ///< times a layer's weights enter: 2, or 3 with recomputation
  base::Bytes activation_bytes = 0;   ///< of the largest micro-batch, on the wafer
  base::Bytes activation_limit = 0;   ///< on the wafer, if every tile were full
  base::Bytes tile_bytes = 0;         ///< of activations, in the tile that holds most
  base::Bytes tile_limit = 0;         ///< SRAM of a tile that is left beside code
  double estimated_step_seconds = 0;  ///< by the cost terms alone, used to choose
  double window_s = 0.001;            ///< activity window

  std::uint64_t tokens() const { return batch * schedule.sequence; }
  std::uint64_t largest_micro_batch() const;
};

/// Layers that follow each other and are mapped alike.
struct MappedLayers {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool head = false;  ///< what follows the last layer; first and last say nothing then
  std::uint32_t copies = 1;
  std::uint64_t tokens_a_tile = 0;
  std::uint64_t features_a_tile = 0;  ///< of the width
  bool recompute = false;
};
/// The whole plan, in the order of the forward pass.
std::vector<MappedLayers> mapped_layers(const host::ModelSpec& model, const TrainingPlan& plan);

/// Chooses, by estimated tokens a second and within the SRAM that a tile has for activations: which
/// layers are recomputed, micro-batches, and the copies of the feature dimension layer by layer. Throws
/// ConfigError if not even one sequence fits, or what is pinned does not, saying what would.
TrainingPlan make_plan(const host::ModelSpec& model, const Settings& settings);

}  // namespace wse::model
