// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "wse/base/units.h"

namespace wse::fabric {

/// When a stream has its first wavelet at the edge ports, and when all are through.
struct Passage {
  base::Cycles first = 0;
  base::Cycles last = 0;
};

/// The edge ports of a lane in one direction: a wavelet a port and cycle, first come, first served.
class EdgePorts {
 public:
  explicit EdgePorts(std::uint32_t ports) : ports_(ports) {}

  Passage pass(std::uint64_t wavelets, base::Cycles arrival) {
    const std::uint64_t begin = std::max(arrival * ports_, taken_);
    taken_ = begin + wavelets;
    return {begin / ports_, base::ceil_div(taken_, ports_)};
  }

 private:
  std::uint64_t ports_;
  std::uint64_t taken_ = 0;  ///< places up to this one, numbered cycle by cycle and port by port
};

}  // namespace wse::fabric
