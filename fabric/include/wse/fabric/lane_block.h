// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <tlm>
#include <vector>

#include "wse/base/units.h"
#include "wse/base/work_item.h"
#include "wse/fabric/ramp_frame.h"

namespace wse::fabric {

/// What travels over one I/O lane as one transaction: a share of a work item, or a credit that goes
/// back.
struct LaneBlock {
  enum class Kind : std::uint8_t {
    kShare,     ///< to the wafer: weights and samples of the item; from the wafer: its gradients
    kCredit,    ///< from the wafer: the item has left the wafer's buffers
    kWavelets,  ///< at the cycle level, both ways: what crosses the edge ports in one cycle
  };
  Kind kind = Kind::kShare;
  const base::WorkItem* item = nullptr;  ///< owned by the host's schedule for the whole run
  base::Bytes bytes = 0;
  base::Picoseconds first = 0;  ///< the first byte is at the receiver
  base::Picoseconds last =
      0;  ///< the last byte is at the receiver; lanes have a clock of their own

  // Of kWavelets: as in a ramp frame, with the number of the edge port in the lane for the tile.
  base::Cycles cycle = 0;
  std::vector<RampWavelet> wavelets{};
  std::vector<RampCredit> credits{};
};

/// A lane carries blocks only: binding it to a memory or ramp port does not compile.
struct LaneProtocol {
  using tlm_payload_type = LaneBlock;
  using tlm_phase_type = tlm::tlm_phase;
};

}  // namespace wse::fabric
