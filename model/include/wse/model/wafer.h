// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <memory>
#include <systemc>
#include <vector>

#include "wse/base/clock_epochs.h"
#include "wse/base/geometry.h"
#include "wse/base/mapping.h"
#include "wse/base/region_layout.h"
#include "wse/base/window_ticker.h"
#include "wse/fabric/fabric.h"
#include "wse/memory/sram_array.h"
#include "wse/model/settings.h"
#include "wse/power/power_monitor.h"
#include "wse/tiles/tile_region.h"

namespace wse::model {

/// Order in which the modules of a wafer are constructed; results do not depend on it (a test).
enum class ConstructionOrder { kForward, kReverse };

/// A wafer: fabric, one SRAM array a die, the regions of compute engines, the power monitor, bound
/// to each other. The lane sockets of `fabric` and the register socket of `monitor` are for the
/// user to bind.
class Wafer final : public sc_core::sc_module {
 public:
  Wafer(const sc_core::sc_module_name& name, const MachineConfig& config,
        const power::EnergyTable& energy, const base::Mapping& mapping, tiles::Precision precision,
        ConstructionOrder order = ConstructionOrder::kForward);

  const base::WaferGeometry& geometry() const { return geometry_; }
  const base::RegionLayout& layout() const { return layout_; }
  const base::ClockEpochs& epochs() const { return epochs_; }
  base::WindowTicker& ticker() { return *ticker_; }
  fabric::Fabric& fabric() { return *fabric_; }
  power::PowerMonitor& monitor() { return *monitor_; }
  memory::SramArray& sram(std::uint32_t die) { return *srams_[die]; }
  tiles::TileRegion& region(std::uint32_t i) { return *regions_[i]; }

  /// All regions: a step begins or ends at the present time.
  void begin_step();
  void end_step();
  /// Reports the last, unfinished window.
  void flush(base::Picoseconds end);
  void reset_stats();

 private:
  void build_regions(const MachineConfig& config, const base::Mapping& mapping,
                     tiles::Precision precision, ConstructionOrder order);
  void bind();
  base::Cycles now_cycle() const { return epochs_.cycle_at_or_after(base::now()); }

  base::WaferGeometry geometry_;
  base::RegionLayout layout_;
  base::ClockEpochs epochs_;
  memory::SramArena arena_;
  std::unique_ptr<base::WindowTicker> ticker_;
  std::unique_ptr<fabric::Fabric> fabric_;
  std::unique_ptr<power::PowerMonitor> monitor_;
  std::vector<std::unique_ptr<memory::SramArray>> srams_;
  std::vector<std::unique_ptr<tiles::TileRegion>> regions_;
  /// Of the arrays of dies without tiles for programs: nobody reads or writes them.
  sc_core::sc_vector<tlm_utils::simple_initiator_socket<Wafer>> spare_memory_socket_;
};

}  // namespace wse::model
