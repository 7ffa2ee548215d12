// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "wse/fabric/router_twin.h"

namespace wse::tiles {

/// A compute engine behind its ramp as one clocked block, to be stood in for by a model, Verilated
/// RTL or a remote simulator.
///
/// Contract: to_router() and ready() are functions of state only (Moore); clock() takes what the
/// router offers in this clock and moves the state to the next. Ramp pipeline registers lie on the
/// router's side of this boundary.
class TileTwin {
 public:
  virtual ~TileTwin() = default;
  virtual fabric::LinkPins to_router() const = 0;
  /// Bit c: the input queue bound to color c takes a wavelet.
  virtual std::uint32_t ready() const = 0;
  virtual void clock(const fabric::LinkPins& from_router, std::uint32_t router_ready) = 0;
};

}  // namespace wse::tiles
