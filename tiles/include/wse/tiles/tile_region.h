// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <array>
#include <map>
#include <optional>
#include <systemc>
#include <vector>

#include "wse/base/one_way_socket.h"
#include "wse/base/window_ticker.h"
#include "wse/fabric/fabric.h"
#include "wse/memory/bank_report.h"
#include "wse/tiles/region_core.h"

namespace wse::tiles {

using CauseTimes = std::array<base::Picoseconds, kNumCauses>;

/// Sums of a region over the measured steps.
struct RegionStats {
  Ledger tile_cycles{};  ///< tile-cycles by phase and cause
  std::uint64_t multiply_adds = 0;
};

/// A rectangle of compute engines: a die of them, or one tile.
///
/// Interfaces  a ramp socket pair; one memory initiator for each die that the rectangle touches, in
///             the order of parts(); an activity initiator.
/// Timing      driven by frames; runs ahead of the kernel; reports at the end of each activity
///             window.
/// Memory      writes a record of each layer's checkpoint into the SRAM of the first tile of each
///             die and reads it back when the layer is visited on the way back; bulk accesses are
///             counted by rule and posted.
/// Errors      an access or a report that is refused: SC_REPORT_ERROR /wse/tiles/memory_refused,
///             /wse/tiles/activity_refused. A checkpoint that is not found: std::logic_error.
class TileRegion final : public sc_core::sc_module {
 public:
  using MemorySocket = tlm_utils::simple_initiator_socket<TileRegion>;

  fabric::Fabric::RampTarget ramp_in_socket{"ramp_in_socket"};
  fabric::Fabric::RampInitiator ramp_out_socket{"ramp_out_socket"};
  sc_core::sc_vector<MemorySocket> memory_socket;
  tlm_utils::simple_initiator_socket<TileRegion> activity_socket{"activity_socket"};

  TileRegion(const sc_core::sc_module_name& name, const std::vector<base::RegionPart>& parts,
             const base::WaferGeometry& geometry, const base::Mapping& mapping,
             const TileConfig& config, std::uint64_t sram_bytes_per_tile, Precision precision,
             const base::ClockEpochs& epochs, const base::WindowTicker& ticker);

  const std::vector<PartCore>& parts() const { return parts_; }
  const RegionStats& stats() const { return stats_; }
  /// Of one tile of the part, in the window reported last: cycles by phase and cause, time by
  /// cause.
  const Ledger& window_cycles(std::size_t part) const { return window_cycles_[part]; }
  const CauseTimes& window_times(std::size_t part) const { return window_times_[part]; }
  /// The same by layer: WorkItem::place and the time by cause.
  using PlaceTimes = std::map<std::uint32_t, CauseTimes>;
  const PlaceTimes& window_places(std::size_t part) const { return window_places_[part]; }

  void begin_step(base::Cycles cycle);
  void end_step(base::Cycles cycle);
  /// Reports what happened in the window before `end`; called by the ticker, and once at the end of
  /// a run.
  void report_window(std::uint64_t window, base::Picoseconds end);
  void reset_stats();
  /// If the watch's tile is here.
  void set_watch(BlockWatch& watch);

 private:
  void receive(fabric::RampFrame& frame);
  void end_window();
  PartCore& part(std::uint32_t index);
  void touch_checkpoint(std::size_t part, const base::WorkItem& item);
  void access(std::size_t part, tlm::tlm_command command, std::uint64_t offset, void* data,
              unsigned length);
  void report_part(std::size_t part, std::uint64_t window, const PartWindow& done);

  const base::ClockEpochs& epochs_;
  const base::WindowTicker& ticker_;
  const std::uint64_t sram_bytes_per_tile_;
  std::vector<PartCore> parts_;
  std::vector<std::optional<std::uint64_t>>
      first_core_;  ///< built core of the die's first tile, if it is here
  std::vector<Ledger> window_cycles_;
  std::vector<CauseTimes> window_times_;
  std::vector<PlaceTimes> window_places_;
  RegionStats stats_;
  fabric::RampFrame frame_;
};

}  // namespace wse::tiles
