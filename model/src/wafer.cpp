// SPDX-License-Identifier: Apache-2.0
#include "wse/model/wafer.h"

#include <fmt/format.h>

#include "assembly.h"

namespace wse::model {
Wafer::Wafer(const sc_core::sc_module_name& name, const MachineConfig& config,
             const power::EnergyTable& energy, const base::Mapping& mapping,
             tiles::Precision precision, ConstructionOrder order)
    : sc_core::sc_module(name),
      geometry_(config.geometry),
      layout_(geometry_, config.region_columns, config.region_rows),
      epochs_(config.core_hz),
      arena_(geometry_.dies(), geometry_.tiles_per_die() * config.sram.size_bytes,
             config.memory_budget_bytes),
      regions_(layout_.regions()),
      spare_memory_socket_("spare_memory_socket") {
  if (sc_core::sc_get_time_resolution() != sc_core::sc_time(1, sc_core::SC_PS)) {
    SC_REPORT_ERROR("/wse/model/resolution", "the kernel's time resolution must be 1 ps");
  }
  ticker_ = std::make_unique<base::WindowTicker>("ticker", config.power.window_ps());
  if (order == ConstructionOrder::kReverse) build_regions(config, mapping, precision, order);
  monitor_ = std::make_unique<power::PowerMonitor>("monitor", config.power, config.thermal, energy,
                                                   geometry_, epochs_, config.core_hz, *ticker_);
  fabric_ =
      std::make_unique<fabric::Fabric>("fabric", config.fabric, config.io, geometry_, layout_,
                                       mapping, tiles::link_bits(precision), epochs_, *ticker_);
  srams_ = make_srams(config, geometry_, arena_, order);
  if (order == ConstructionOrder::kForward) build_regions(config, mapping, precision, order);
  bind();
}

void Wafer::build_regions(const MachineConfig& config, const base::Mapping& mapping,
                          tiles::Precision precision, ConstructionOrder order) {
  for (std::uint32_t i = 0; i < layout_.regions(); ++i) {
    const std::uint32_t r = place(i, layout_.regions(), order);
    regions_[r] = std::make_unique<tiles::TileRegion>(
        fmt::format("region_{}", r).c_str(), layout_.parts_of(r), geometry_, mapping, config.tile,
        config.sram.size_bytes, precision, epochs_, *ticker_);
  }
}

void Wafer::bind() {
  fabric_->activity_socket.bind(monitor_->activity_socket);
  for (auto& sram : srams_) sram->activity_socket.bind(monitor_->activity_socket);
  std::vector<std::uint32_t> used;
  for (const base::RegionPart& part : layout_.parts()) used.push_back(part.die);
  bind_spare(spare_memory_socket_, dies_without(used, geometry_), srams_);
  for (std::uint32_t r = 0; r < layout_.regions(); ++r) {
    tiles::TileRegion& region = *regions_[r];
    fabric_->ramp_out_socket[r].bind(region.ramp_in_socket);
    region.ramp_out_socket.bind(fabric_->ramp_in_socket[r]);
    region.activity_socket.bind(monitor_->activity_socket);
    for (std::size_t part = 0; part < region.parts().size(); ++part) {
      region.memory_socket[part].bind(srams_[region.parts()[part].part().die]->target_socket);
    }
  }
}

void Wafer::begin_step() {
  for (auto& region : regions_) region->begin_step(now_cycle());
}

void Wafer::end_step() {
  for (auto& region : regions_) region->end_step(now_cycle());
}

void Wafer::flush(base::Picoseconds end) {
  const std::uint64_t window = ticker_->window_at(end - 1);
  for (auto& region : regions_) region->report_window(window, end);
  fabric_->report_window(window, end);
}

void Wafer::reset_stats() {
  for (auto& region : regions_) region->reset_stats();
}

}  // namespace wse::model
