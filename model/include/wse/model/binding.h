// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "wse/model/plan.h"
#include "wse/tiles/cost_terms.h"

namespace wse::model {

/// Shares of a step's time by the resource that would have to grow to save them; together 1.
struct Binding {
  double compute = 0;  ///< tiles at work
  double io = 0;       ///< tiles wait for lanes, in either direction
  double sram = 0;     ///< layers recomputed because their activations do not fit
  double latency = 0;  ///< sums on their way, the optimizer and the first weights after it

  /// compute, io, sram or latency: the largest.
  std::string_view by() const;
};
Binding binding_of(const std::array<double, tiles::kNumCauses>& time_ledger);

/// What stands where while a model trains on one device.
struct Residency {
  base::Bytes sram_built = 0;
  base::Bytes sram_program = 0;        ///< what a program reaches
  base::Bytes activations = 0;         ///< of the largest micro-batch
  base::Bytes weights_in_flight = 0;   ///< room for weights between lanes and tiles
  base::Bytes gradients_waiting = 0;   ///< room for gradients between tiles and lanes
  base::Bytes code_and_sums = 0;       ///< the rest of the share that is not for activations
  base::Bytes free = 0;                ///< of the share for activations
  base::Bytes parameter_state = 0;     ///< weights and optimizer in MemoryX
  base::Bytes parameter_capacity = 0;  ///< of MemoryX
};
Residency residency_of(const host::ModelSpec& model, const Settings& settings,
                       const TrainingPlan& plan);

}  // namespace wse::model
