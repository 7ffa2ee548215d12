// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <map>
#include <systemc>
#include <vector>

#include "wse/base/activity.h"
#include "wse/base/clock_epochs.h"
#include "wse/base/one_way_socket.h"
#include "wse/base/window_ticker.h"
#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/lane_block.h"
#include "wse/fabric/ramp_frame.h"
#include "wse/fabric/router_twin.h"

namespace wse::fabric {

/// A mesh cut into regions, each of which lies behind a pair of ramp sockets, the edge ports of I/O
/// lanes, and the dies that its activity is accounted to. An edge port is a router whose ramp leads
/// to a lane and not to a compute engine (docs/timing.md).
struct FabricLayout {
  Mesh mesh;
  std::vector<base::Rectangle> regions;           ///< without overlap
  std::vector<std::vector<std::uint32_t>> lanes;  ///< tiles of the edge ports, by lane and port
  std::vector<std::uint32_t> die_of_tile;         ///< for activity; empty: nothing is reported
  std::uint32_t dies = 0;
  base::Phase phase = base::Phase::kForward;  ///< of the work, for activity
};

/// The fabric at the cycle level: a shell of sockets around ChannelFabric.
///
/// Interfaces  a ramp socket pair per region, a lane socket pair per lane, an activity initiator.
/// Timing      regions and lanes act at clock edges. The fabric does cycle n between the edges n and n + 1, when all
///             that is stamped n has come; what leaves in n takes effect in n + the latency of the
///             ramp. It runs ahead to the first cycle in which anybody else could send something, and sleeps
///             while nothing can move.
/// Errors      a tile in two regions or lanes, or in none, a wavelet without a slot, a stamp in the past, a color without a route: WSE_CHECK; an activity
///             report that is refused: SC_REPORT_ERROR /wse/fabric/activity_refused.
class CycleFabric final : public sc_core::sc_module, private EngineSink {
 public:
  using LaneTarget = base::OneWayTarget<LaneProtocol>;
  using LaneInitiator = base::OneWayInitiator<LaneProtocol>;
  using RampTarget = base::OneWayTarget<RampProtocol>;
  using RampInitiator = base::OneWayInitiator<RampProtocol>;

  sc_core::sc_vector<LaneTarget> lane_in_socket;
  sc_core::sc_vector<LaneInitiator> lane_out_socket;
  sc_core::sc_vector<RampTarget> ramp_in_socket;      ///< from the regions
  sc_core::sc_vector<RampInitiator> ramp_out_socket;  ///< to the regions
  tlm_utils::simple_initiator_socket<CycleFabric> activity_socket{"activity_socket"};

  /// Routes must have passed check_routes().
  CycleFabric(const sc_core::sc_module_name& name, RouteTable routes, const EngineConfig& config,
              const FabricLayout& layout, const base::ClockEpochs& epochs,
              const base::WindowTicker& ticker, std::uint32_t threads = 1);

  const ChannelFabric& core() const { return core_; }
  /// Puts another implementation in the place of a router, before the run; see ChannelFabric.
  void set_twin(std::uint32_t tile, std::unique_ptr<RouterTwin> twin) {
    core_.set_twin(tile, std::move(twin));
  }
  /// Before the run; the watch must outlive the fabric.
  void set_watch(RouterWatch& watch) { core_.set_watch(watch); }
  /// Reports what happened in the window that ends at `end`; called by the ticker, and once at the
  /// end of a run.
  void report_window(std::uint64_t window, base::Picoseconds end);

 private:
  /// What a frame brought, until its cycle.
  struct Inbox {
    std::vector<std::pair<std::uint32_t, Wavelet>> wavelets;  ///< tile of the mesh
    std::vector<std::uint32_t> credits;                       ///< leaves
  };
  /// Who stands behind ramps: a region, or after all regions a lane.
  struct Place {
    std::uint32_t neighbour;
    std::uint32_t index;  ///< of the tile in the region, or of the edge port in the lane
  };
  void place(std::uint32_t neighbour, const std::vector<std::uint32_t>& tiles);
  void receive(std::uint32_t neighbour, base::Cycles cycle,
               const std::vector<RampWavelet>& wavelets, const std::vector<RampCredit>& credits);
  void run();
  base::Cycles horizon() const;
  void take_inbox();
  void send_frames(base::Cycles cycle);
  void arm(base::Cycles cycle);
  void end_window();
  void deliver(base::Cycles cycle, const Delivery* begin, const Delivery* end) override;
  void free_slots(base::Cycles cycle, const std::uint32_t* begin,
                  const std::uint32_t* end) override;
  RampFrame& frame_for(std::uint32_t tile);
  /// Between the edge of a cycle and the next.
  base::Picoseconds middle_of(base::Cycles cycle) const {
    return (epochs_.time_of(cycle) + epochs_.time_of(cycle + 1)) / 2;
  }

  const EngineConfig config_;
  const FabricLayout layout_;
  const base::ClockEpochs& epochs_;
  const base::WindowTicker& ticker_;
  ChannelFabric core_;
  std::vector<Place> places_;                         ///< by tile
  std::vector<std::vector<std::uint32_t>> tiles_of_;  ///< by neighbour and index
  std::map<base::Cycles, Inbox> inbox_;               ///< by stamp
  std::vector<Inbox> spare_;                          ///< emptied ones, with their memory
  std::vector<RampFrame> frames_;                     ///< by neighbour, of the cycle that runs
  std::vector<std::uint32_t> touched_;                ///< neighbours with something in their frame
  LaneBlock block_;                                   ///< one at a time goes to a lane
  sc_core::sc_event wake_{"wake"};
};

}  // namespace wse::fabric
