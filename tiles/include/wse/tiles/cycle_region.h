// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <map>
#include <systemc>
#include <vector>

#include "wse/base/clock_epochs.h"
#include "wse/base/window_ticker.h"
#include "wse/fabric/cycle_fabric.h"
#include "wse/tiles/tile_mesh.h"

namespace wse::tiles {

/// The compute engines of a rectangle of tiles, at most a die, at the cycle level: a shell of sockets
/// around ComputeEngines.
///
/// Interfaces  a pair of ramp sockets, a memory initiator, an activity initiator.
/// Timing      acts at clock edges: what it gives in cycle n is stamped n. Sleeps while nothing can
///             act; results do not depend on how a mesh is cut into regions.
/// Memory      asks for direct access to the SRAM of its tiles before the run; where it is denied it
///             reads and writes by b_transport with a memory::BankStep. Bank accesses are counted by
///             BankCore and posted at the end of each activity window.
/// Errors      a report that is refused: /wse/tiles/memory_refused, /wse/tiles/activity_refused. Faults of programs are kept in
///             engines().faults().
class CycleRegion final : public sc_core::sc_module {
 public:
  fabric::CycleFabric::RampTarget ramp_in_socket{"ramp_in_socket"};
  fabric::CycleFabric::RampInitiator ramp_out_socket{"ramp_out_socket"};
  tlm_utils::simple_initiator_socket<CycleRegion> memory_socket{"memory_socket"};
  tlm_utils::simple_initiator_socket<CycleRegion> activity_socket{"activity_socket"};

  /// Where the tiles are: their die and, in the order of the rectangle, their cores on it.
  struct Place {
    std::uint32_t die = 0;
    std::vector<std::uint64_t> cores;
  };

  /// `kernel` has passed check().
  CycleRegion(const sc_core::sc_module_name& name, const Kernel& kernel,
              const base::Rectangle& tiles, const Place& place, const MeshConfig& config,
              const base::ClockEpochs& epochs, const base::WindowTicker& ticker);
  ~CycleRegion() override;

  /// All programs begin at a clock edge that has not passed.
  void launch(base::Cycles cycle);
  /// At the end of a run: everything is in the SRAM.
  void finish();
  /// Before the simulation there are none.
  const ComputeEngines& engines() const { return *engines_; }
  ComputeEngines& engines() { return *engines_; }
  const base::Rectangle& tiles() const { return tiles_; }
  bool has(std::uint32_t x, std::uint32_t y) const { return tiles_.contains({x, y}); }
  std::uint32_t index_of(base::Coordinate tile) const {
    return (tile.y - tiles_.rows.begin) * tiles_.columns.size() + tile.x - tiles_.columns.begin;
  }
  /// Reports what happened in the window that ends at `end`; called by the ticker, and once at the end
  /// of a run.
  void report_window(std::uint64_t window, base::Picoseconds end);

 private:
  /// What takes effect in a cycle.
  struct Due {
    std::vector<fabric::RampWavelet> wavelets;
    std::vector<fabric::RampCredit> credits;
  };
  /// A tile without direct access: what lies beside its datapath is kept here.
  struct Remote;
  void start_of_simulation() override;
  void copy_near(bool back);
  void receive(const fabric::RampFrame& frame);
  void run();
  void act(base::Cycles cycle);
  void arm();
  void end_window();

  const Kernel& kernel_;
  const base::Rectangle tiles_;
  const Place place_;
  const MeshConfig config_;
  const base::ClockEpochs& epochs_;
  const base::WindowTicker& ticker_;
  std::unique_ptr<ComputeEngines> engines_;
  std::vector<std::unique_ptr<Remote>> remotes_;
  std::map<base::Cycles, Due> due_;
  std::vector<Due> spare_;  ///< emptied ones, with their memory
  fabric::RampFrame frame_;
  EngineStats reported_;
  base::Cycles launch_ = ~base::Cycles{0};
  sc_core::sc_event wake_{"wake"};
};

}  // namespace wse::tiles
