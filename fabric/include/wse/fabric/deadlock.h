// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "wse/fabric/engine.h"

namespace wse::fabric {

/// Nothing can move and wavelets are left; what() tells who waits for whom.
class DeadlockError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A queue that holds something, as an engine sees it.
struct HeldQueue {
  std::uint32_t leaf = 0;  ///< tile and color
  Port input = Port::kRamp;
  std::uint32_t wavelets = 0;
  PortSet wants;  ///< outputs that the head has to leave by; empty: the switch does not take it
  std::uint8_t position = 0;
  bool halted = false;
};

/// Who waits for whom, from the first queue on until a wait closes or something outside the fabric
/// is to blame: one line a queue, with router, port and color.
std::string explain_deadlock(const RouteTable& routes, const std::vector<HeldQueue>& held,
                             base::Cycles cycle);

}  // namespace wse::fabric
