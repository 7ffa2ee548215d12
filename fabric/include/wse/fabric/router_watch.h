// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "wse/base/coordinates.h"
#include "wse/base/units.h"
#include "wse/fabric/port.h"
#include "wse/fabric/wavelet.h"

namespace wse::fabric {

/// A wavelet that leaves a watched router, or that its compute engine gives to it.
struct LinkEvent {
  std::uint32_t tile = 0;
  Port port = Port::kRamp;
  bool given = false;  ///< by the compute engine; else `port` is the output that it leaves by
  Wavelet wavelet;
};

/// Wavelets in a queue of a watched router that may leave at the start of a cycle.
struct QueueFill {
  std::uint32_t tile = 0;
  Port input = Port::kRamp;
  std::uint8_t color = 0;
  std::uint8_t wavelets = 0;
  std::uint8_t slots = 0;
};

/// Sees what the routers of a rectangle do, cycle by cycle. A fabric asks watches() in each cycle;
/// where it says no, and for all other routers, watching costs nothing.
class RouterWatch {
 public:
  virtual ~RouterWatch() = default;
  virtual base::Rectangle tiles() const = 0;
  virtual bool watches(base::Cycles cycle) = 0;
  /// Queues at the start of the cycle, in a fixed order; events of the cycle by tile and port.
  virtual void see(base::Cycles cycle, const std::vector<QueueFill>& queues,
                   const std::vector<LinkEvent>& events) = 0;
  /// Nothing will move any more, though wavelets are left.
  virtual void deadlock(base::Cycles /*cycle*/) {}
  /// A twin failed in the cycle that was seen last; no cycle comes after it.
  virtual void failed(base::Cycles /*cycle*/) {}
};

}  // namespace wse::fabric
