// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wse/tiles/compute_engines.h"

namespace wse::tiles {

inline void set_bit(std::uint16_t& bits, std::uint32_t place, bool on) {
  const auto bit = static_cast<std::uint16_t>(1U << place);
  bits = static_cast<std::uint16_t>(on ? bits | bit : bits & ~bit);
}

/// A tile in one cycle.
struct ComputeEngines::Visit {
  std::uint32_t tile;
  Tile& t;
  const Program& p;
  fabric::RampFrame& frame;
  std::uint32_t popped = 0;    ///< input queues that lost a wavelet in this cycle, as bits
  std::uint8_t given = kNone;  ///< output queue that gave one
  bool did = false;            ///< anything
};

/// An operand of a vector operation in one step.
struct ComputeEngines::Source {
  const Descriptor* descriptor = nullptr;  ///< null: a value
  std::uint32_t bits = 0;                  ///< the value, or the wavelet of this step
  const std::uint8_t* data = nullptr;      ///< its elements in memory, side by side
  std::uint8_t ring[4 * kMostElements];    ///< a copy of them, where they may not be
};

}  // namespace wse::tiles
