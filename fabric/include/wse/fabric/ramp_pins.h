// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wse/fabric/router_twin.h"

namespace wse::fabric {

/// One direction of a ramp in one clock.
struct RampPins {
  LinkPins link;
  std::uint32_t credits = 0;  ///< bit c: a slot for color c was freed by the sender of these pins

  friend bool operator==(const RampPins& a, const RampPins& b) {
    return a.link == b.link && a.credits == b.credits;
  }
};

}  // namespace wse::fabric
