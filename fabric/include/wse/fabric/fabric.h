// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <memory>
#include <systemc>
#include <vector>

#include "wse/base/one_way_socket.h"
#include "wse/base/window_ticker.h"
#include "wse/fabric/stream_fabric.h"

namespace wse::fabric {

/// The fabric of a wafer: a shell of sockets around StreamFabric.
///
/// Interfaces  a lane socket pair per I/O lane, a ramp socket pair per region, an activity initiator.
/// Timing      messages are handled at their stamps; the module sleeps until the earliest one or
///             the end of the activity window, whichever comes first, and re-arms by the clock then
///             in force.
/// Errors      an activity report that is refused: SC_REPORT_ERROR /wse/fabric/activity_refused.
class Fabric final : public sc_core::sc_module {
 public:
  using LaneTarget = base::OneWayTarget<LaneProtocol>;
  using LaneInitiator = base::OneWayInitiator<LaneProtocol>;
  using RampTarget = base::OneWayTarget<RampProtocol>;
  using RampInitiator = base::OneWayInitiator<RampProtocol>;

  sc_core::sc_vector<LaneTarget> lane_in_socket;
  sc_core::sc_vector<LaneInitiator> lane_out_socket;
  sc_core::sc_vector<RampTarget> ramp_in_socket;      ///< from the regions
  sc_core::sc_vector<RampInitiator> ramp_out_socket;  ///< to the regions
  tlm_utils::simple_initiator_socket<Fabric> activity_socket{"activity_socket"};

  Fabric(const sc_core::sc_module_name& name, const FabricConfig& config, const IoConfig& io,
         const base::WaferGeometry& geometry, const base::RegionLayout& layout,
         const base::Mapping& mapping, std::uint32_t sum_bits, const base::ClockEpochs& epochs,
         const base::WindowTicker& ticker);

  const StreamFabric& core() const { return core_; }
  void set_timeline(base::Timeline* timeline) { core_.set_timeline(timeline); }
  /// Reports what happened in the window before `end`; called by the ticker, and once at the end of
  /// a run.
  void report_window(std::uint64_t window, base::Picoseconds end);

 private:
  void step();
  void end_window();
  void arm();
  void send_outputs();
  base::Cycles now_cycle() const { return epochs_.cycle_at_or_after(base::now()); }

  const base::RegionLayout& layout_;
  const base::ClockEpochs& epochs_;
  const base::WindowTicker& ticker_;
  const std::uint32_t dies_;
  StreamFabric core_;
  RampFrame frame_;
  sc_core::sc_event wake_{"wake"};
};

}  // namespace wse::fabric
