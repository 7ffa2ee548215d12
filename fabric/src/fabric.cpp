// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/fabric.h"

#include "wse/base/activity_port.h"

namespace wse::fabric {

Fabric::Fabric(const sc_core::sc_module_name& name, const FabricConfig& config, const IoConfig& io,
               const base::WaferGeometry& geometry, const base::RegionLayout& layout,
               const base::Mapping& mapping, std::uint32_t sum_bits,
               const base::ClockEpochs& epochs, const base::WindowTicker& ticker)
    : sc_core::sc_module(name),
      lane_in_socket("lane_in_socket", io.lanes),
      lane_out_socket("lane_out_socket", io.lanes),
      ramp_in_socket("ramp_in_socket", layout.regions()),
      ramp_out_socket("ramp_out_socket", layout.regions()),
      layout_(layout),
      epochs_(epochs),
      ticker_(ticker),
      dies_(geometry.dies()),
      core_(config, io, geometry, layout, mapping, sum_bits, epochs) {
  SC_HAS_PROCESS(Fabric);
  SC_METHOD(step);
  sensitive << wake_;
  dont_initialize();
  SC_METHOD(end_window);
  sensitive << ticker.tick();
  dont_initialize();
  for (std::uint32_t lane = 0; lane < io.lanes; ++lane) {
    lane_in_socket[lane].on_receive([this, lane](LaneBlock& block) {
      core_.receive_share(lane, block, now_cycle());
      arm();
    });
  }
  for (std::uint32_t region = 0; region < layout.regions(); ++region) {
    ramp_in_socket[region].on_receive([this](RampFrame& frame) {
      for (const RampStream& stream : frame.streams) core_.receive_stream(stream, now_cycle());
      arm();
    });
  }
}

void Fabric::step() {
  core_.advance(now_cycle());
  send_outputs();
  arm();
}

void Fabric::send_outputs() {
  for (const StreamFabric::ToLane& out : core_.to_lanes()) {
    LaneBlock block = out.block;
    lane_out_socket[out.lane].send(block);
  }
  for (const StreamFabric::ToPart& out : core_.to_parts()) {
    frame_.clear();
    frame_.cycle = now_cycle();
    frame_.streams.push_back(out.stream);
    ramp_out_socket[layout_.parts()[out.part].region].send(frame_);
  }
}

void Fabric::arm() {
  const base::Cycles next = core_.next_event();
  if (next == StreamFabric::kNever) return;
  const base::Picoseconds at = std::max(epochs_.time_of(next), base::now());
  // A change of the clock takes effect at a window boundary: sleep no further than that.
  const base::Picoseconds boundary = ticker_.end_of(ticker_.window_at(base::now()));
  wake_.notify(base::to_sc_time(std::min(at, boundary) - base::now()));
}

void Fabric::end_window() { report_window(ticker_.ended(), ticker_.end_of(ticker_.ended())); }

void Fabric::report_window(std::uint64_t window, base::Picoseconds end) {
  const base::Cycles until = epochs_.cycle_at_or_after(end);
  for (std::uint32_t die = 0; die < dies_; ++die) {
    if (core_.activity(die).empty()) continue;
    base::post_phases(activity_socket, die, window, core_.activity(die).take_until(until),
                      "/wse/fabric/activity_refused");
  }
}

}  // namespace wse::fabric
