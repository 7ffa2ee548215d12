// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <tlm>
#include <vector>

#include "wse/base/units.h"
#include "wse/base/work_item.h"
#include "wse/fabric/wavelet.h"

namespace wse::fabric {

/// A wavelet bound for or sent by one tile of the region. An input or output queue of a tile belongs
/// to one color at a time, so the color names it.
struct RampWavelet {
  std::uint32_t tile = 0;  ///< index in the region, row-major
  Wavelet wavelet;
};

/// Slots freed in the queue of a color since the frame before.
struct RampCredit {
  std::uint32_t tile = 0;
  std::uint8_t color = 0;
  std::uint8_t count = 0;
};

/// What a stream means to its receiver at the transaction level.
enum class StreamKind : std::uint8_t {
  kWeights,      ///< to a region: a work item and the span in which its weights arrive on the die
  kPartialSums,  ///< to the fabric: the part has finished the item; its sums or gradients have left
  kResultsReady,    ///< to a region: everything up to the item has been reduced and delivered
  kGradientCredit,  ///< to a region: the gradients of the item have left the wafer
};

/// Many wavelets of one color as one record: {color, wavelets, first cycle, rate}, timing only.
/// The rate is wavelets / (last_cycle - first_cycle).
struct RampStream {
  StreamKind kind = StreamKind::kWeights;
  std::uint8_t color = 0;
  std::uint32_t part = 0;                ///< index of the piece of a die that the stream belongs to
  const base::WorkItem* item = nullptr;  ///< owned by the host's schedule for the whole run
  std::uint64_t wavelets = 0;
  base::Cycles first_cycle = 0;
  base::Cycles last_cycle = 0;
};

/// All wavelets that cross one ramp boundary in one cycle, the credits that go back, and, above the
/// cycle level, streams.
///
/// Contract: the frame is stamped with the cycle in which its content left; the receiver files it
/// by the stamp, never by order of arrival, and asserts that no stamp lies in its past. Filled by
/// its owner and reused (clear, never shrink); the receiver takes what it needs before the call
/// returns and keeps no reference to the frame. What is stamped n takes effect in n + the latency of
/// the ramp. Credits per (tile, color) never exceed the slots of the queue (docs/timing.md).
struct RampFrame {
  base::Cycles cycle = 0;
  std::vector<RampWavelet> wavelets;
  std::vector<RampCredit> credits;
  std::vector<RampStream> streams;

  void clear() {
    wavelets.clear();
    credits.clear();
    streams.clear();
  }
};

/// A ramp socket carries frames only: binding it to a memory port does not compile.
struct RampProtocol {
  using tlm_payload_type = RampFrame;
  using tlm_phase_type = tlm::tlm_phase;
};

}  // namespace wse::fabric
