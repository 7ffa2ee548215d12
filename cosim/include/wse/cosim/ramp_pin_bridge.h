// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <systemc>

#include "wse/base/clock_epochs.h"
#include "wse/base/window_ticker.h"
#include "wse/cosim/ramp_pins.h"
#include "wse/fabric/cycle_fabric.h"

namespace wse::cosim {

/// The         ramp of one tile.
struct RampPinConfig {
  base::Coordinate tile;
  std::uint32_t ramp_cycles = 2;
  std::uint32_t ramp_slots = 4;  ///< behind the ramp for each color, on the side of the router
  std::uint32_t colors = 0;      ///< that the router takes from the ramp, as bits

  static RampPinConfig of(const fabric::RouteTable& routes, base::Coordinate tile,
                          const fabric::EngineConfig& fabric);
};

/// Stands in the place of a CycleRegion of one tile: the same ramp sockets on one side, pins on the
/// other, for a compute engine that is a clocked module with signals: SystemC, or Verilated RTL.
///
/// Interfaces  a pair of ramp sockets; pins to_tile_*, to_router_*, clk, start, cycle, busy.
/// Timing      clk rises at the edges of the core clock, and falls a quarter of a cycle later. At
///             the falling edge the pins change hands: what the module gives in this cycle is
///             taken, and what takes effect at the next edge is put on to_tile_*. The module
///             samples it at that edge, so its input register is the last stage of the ramp:
///
///                             cycle n-1       cycle n         cycle n+1
///                 clk        /~~~\___________/~~~\___________/~~~\___________
///                 cycle      n-1 |n              |n+1            |n+2
///                 to_tile        |=== effect in n|=== .. in n+1  |=== .. in n+2
///                 to_router   given in n-1=== given in n===== given in n+1===
///                                ^ taken         ^ taken
///
///             A wavelet that leaves the router in cycle t is on to_tile_* before edge t + r, r the
///             latency of the ramp, and counts as the tile's from that edge on: it may be read, its
///             slot freed and an answer given on the pins that follow this edge. A wavelet that is
///             on to_router_* after edge n has been given in n and may leave the router in n + r.
///             With r = 1 to_tile_* may change once more in the middle of the cycle.
/// Contract    to_router_* and busy are functions of the module's state (Moore) and settle within a
///             quarter of a cycle after the edge. busy: the next edge matters even without anything
///             on to_tile_* and start; after an edge in which the module gives something there is
///             always another one. Tied to true the clock never stops, with the same results. Where
///             a window of activity ends within a quarter of a cycle after an edge, the falling edge
///             comes half way to that.
/// Clock       Stands still while nothing is on the pins and busy is false, which costs nothing; so
///             the module counts time by `cycle`, the number of the next edge. busy may rise at any
///             time: the next edge after that comes. RTL with a synchronous reset is busy during
///             it.
/// Errors      SC_REPORT_ERROR /wse/cosim/ramp_pins/: no_credit (a wavelet without a slot),
///             no_wavelet (frees a slot that no wavelet is in), no_color (a color that the router
///             does not take from the ramp, or that there is not), late (to_router_* changes
///             between falling and rising edge). Each names tile, cycle and color; what is wrong
///             goes nowhere.
/// Energy      Only what the fabric does is accounted; the module has an account of its own.
class RampPinBridge final : public sc_core::sc_module {
 public:
  fabric::CycleFabric::RampTarget ramp_in_socket{"ramp_in_socket"};
  fabric::CycleFabric::RampInitiator ramp_out_socket{"ramp_out_socket"};
  sc_core::sc_out<bool> clk{"clk"};
  sc_core::sc_out<bool> start{"start"};  ///< programs begin at the next edge
  sc_core::sc_out<std::uint64_t> cycle{"cycle"};
  sc_core::sc_in<bool> busy{"busy"};
  RampPorts<sc_core::sc_out> to_tile{"to_tile"};
  RampPorts<sc_core::sc_in> to_router{"to_router"};

  RampPinBridge(const sc_core::sc_module_name& name, const RampPinConfig& config,
                const base::ClockEpochs& epochs, const base::WindowTicker& ticker);

  /// `start` is true at a clock edge that has not passed.
  void launch(base::Cycles at);
  std::uint64_t edges() const { return edges_; }  ///< of clk, up to now

 private:
  void receive(const fabric::RampFrame& frame);
  void run();
  void wake_up();
  void watch();
  base::Cycles first_use() const;
  base::Picoseconds swap_time(base::Cycles at) const;
  void arm();
  void drive(base::Cycles at);
  void rise();
  void fall();
  void take(const tiles::RampPins& given);
  void free_slot(std::uint32_t color);
  void complain(const char* what, std::uint32_t color, const std::string& text) const;

  static constexpr base::Cycles kNever = ~base::Cycles{0};
  /// Where a window of activity ends right behind an edge, the pins have no time to settle, but
  /// deltas: modules of a few processes in a row.
  static constexpr std::uint32_t kDeltas = 16;

  const RampPinConfig config_;
  const base::ClockEpochs& epochs_;
  const base::WindowTicker& ticker_;
  std::map<base::Cycles, tiles::RampPins> due_;  ///< by the cycle in which it takes effect
  base::Cycles launch_ = kNever;
  base::Cycles woken_ = kNever;   ///< an edge that busy asks for
  base::Cycles driven_ = kNever;  ///< the coming edge, whose pins are driven
  tiles::RampPins pins_;          ///< on to_tile
  bool starts_ = false;
  base::Cycles shown_ = kNever;  ///< the last edge
  bool high_ = false;
  std::uint32_t deltas_ = 0;
  base::Picoseconds fall_time_ = 0;
  tiles::RampPins seen_;  ///< on to_router at the last fall
  std::array<std::uint32_t, fabric::kNumColors> slots_{};
  std::array<std::uint32_t, fabric::kNumColors> held_{};  ///< wavelets whose slot is not freed
  fabric::RampFrame frame_;
  std::uint64_t edges_ = 0;
  sc_core::sc_event wake_{"wake"};
};

}  // namespace wse::cosim
