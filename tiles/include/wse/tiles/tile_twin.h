// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "wse/base/vcd_source.h"
#include "wse/fabric/ramp_pins.h"
#include "wse/tiles/compute_engines.h"

namespace wse::tiles {

using fabric::RampPins;

/// What a tile is told before its first clock. What it points at outlives the tile.
struct TileSetup {
  const Kernel* kernel = nullptr;  ///< has passed check()
  base::Coordinate tile;
  ComputeConfig compute;
  memory::SramConfig sram;
  std::uint32_t ramp_slots = 0;   ///< behind the ramp for each color
  std::uint32_t ramp_cycles = 0;  ///< of the ramp, one way
  std::uint32_t mutant = 0;       ///< a planted fault; 0: none
  bool checked = false;           ///< outputs must not move without a clock: a TwinError if they do
};

/// A compute engine behind its ramp, with its memory, as one clocked block, to be stood in for by a
/// model, Verilated RTL or a remote simulator.
///
/// Contract: outputs() is a function of state only (Moore); clock() takes what the router gives and
/// moves the state to the next. What leaves the router in cycle t by the ramp is taken in the clock
/// that ends cycle t + r - 1, r the latency of the ramp, so that it is state in t + r; what the tile
/// shows in t leaves it in t. Each side counts credits, as routers do among each other
/// (router_twin.h). After launch() the tile is in the first cycle.
class TileTwin : public base::Traceable {
 public:
  using Inputs = RampPins;
  using Outputs = RampPins;

  virtual RampPins outputs() const = 0;
  virtual void clock(const RampPins& from_router) = 0;

  virtual void launch() = 0;
  /// Whether anything happens in this clock or later, whatever comes.
  virtual bool busy() const = 0;
  /// Whether its tasks and operations have ended.
  virtual bool finished() const = 0;
  /// Why it has stopped for good; empty: it has not.
  virtual std::string fault() const = 0;

  /// The word at a multiple of four bytes, before launch() and after the run.
  virtual void write(std::uint32_t address, std::uint32_t word) = 0;
  virtual std::uint32_t read(std::uint32_t address) const = 0;
  /// What it has counted.
  virtual EngineStats stats() const = 0;
  virtual ComputeEngines::TileTimes times() const = 0;
};

}  // namespace wse::tiles
