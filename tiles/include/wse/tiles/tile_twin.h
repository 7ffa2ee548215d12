// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "wse/fabric/router_twin.h"

namespace wse::tiles {

/// One direction of a ramp in one clock.
struct RampPins {
  fabric::LinkPins link;
  std::uint32_t credits = 0;  ///< bit c: a slot for color c was freed by the sender of these pins
};

/// A compute engine behind its ramp as one clocked block, to be stood in for by a model, Verilated
/// RTL or a remote simulator.
///
/// Contract: to_router() is a function of state only (Moore); clock() takes what the router gives in
/// this clock and moves the state to the next. Each side counts credits, as routers do among each
/// other (router_twin.h). Ramp pipeline registers lie on the router's side of this boundary.
class TileTwin {
 public:
  virtual ~TileTwin() = default;
  virtual RampPins to_router() const = 0;
  virtual void clock(const RampPins& from_router) = 0;
};

}  // namespace wse::tiles
