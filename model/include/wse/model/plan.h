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
  base::Mapping mapping{1, 1, 1};
  std::uint64_t batch = 0;           ///< sequences a step
  std::uint64_t capacity = 0;        ///< sequences that fit at once
  std::uint64_t fewest = 0;          ///< micro-batches that the batch needs
  std::uint32_t passes = 0;          ///< times a layer's weights enter: 2, or 3 with recomputation
  base::Bytes activation_bytes = 0;  ///< of the largest micro-batch
  base::Bytes activation_limit = 0;
  double estimated_step_seconds = 0;  ///< by the cost terms alone, used to choose
  double window_s = 0.001;            ///< activity window

  std::uint64_t tokens() const { return batch * schedule.sequence; }
};

/// Bytes of activations a token keeps on the wafer: 34 L d, or 2 L d + 34 d with recomputation
/// [korthikanti2022].
base::Bytes activation_bytes_per_token(const host::ModelSpec& model, bool recompute);

/// Chooses recomputation, micro-batches and copies of the feature dimension by estimated tokens a
/// second, within the SRAM that a program reaches. Throws ConfigError if not even one sequence
/// fits, saying what would.
TrainingPlan make_plan(const host::ModelSpec& model, const Settings& settings);

}  // namespace wse::model
