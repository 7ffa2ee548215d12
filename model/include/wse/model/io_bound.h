// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "wse/base/mapping.h"
#include "wse/base/work_item.h"
#include "wse/model/settings.h"

namespace wse::model {

/// Whether the lanes set the pace of a training step, and what would free it: they bind where the tiles
/// wait for them longer than a tenth of their own work.
struct IoBound {
  static constexpr double kShare = 0.1;

  bool bound = false;
  double tiles_seconds = 0;  ///< a step, work of the tiles
  double waits_seconds = 0;  ///< a step, at the present rate: estimated as the next members are
  base::Phase phase = base::Phase::kForward;  ///< that waits most
  bool outwards = false;                      ///< for gradients to leave, not for weights to come
  /// Times the present rate of the lanes from which on they do not bind, for the same plan. Below 1:
  /// what they have to spare. 0: none.
  double factor = 0;
  double bits_per_second = 0;  ///< the same as line rate of all lanes together
  /// What a lane needs to hand on that rate, one wavelet a port and cycle.
  std::uint64_t edge_ports_per_lane = 0;
  double freed_step_seconds = 0;    ///< with that rate, but for what waits for no lane
  std::uint64_t tokens = 0;         ///< of the largest micro-batch
  std::uint64_t tokens_needed = 0;  ///< of one from which on they would not bind; 0: of none
};

/// Counted from the items of a step, each with the cycles that the cost terms give it, as host and tiles
/// go through them: weights as far ahead as the buffers hold, gradients as far behind as their buffers.
/// `mapping`: the rectangle; copies are those of the items. `io`: the lanes as the host drives them.
IoBound io_bound_of(const std::vector<base::WorkItem>& schedule, const base::Mapping& mapping,
                    const MachineConfig& machine, const fabric::IoConfig& io,
                    tiles::Precision precision);

}  // namespace wse::model
