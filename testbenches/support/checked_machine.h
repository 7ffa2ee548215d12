// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/stream_checkers.h"
#include "support/tlm_protocol_checker.h"
#include "wse/host/host.h"
#include "wse/host/schedule.h"
#include "wse/memory/sram_array.h"
#include "wse/model/plan.h"
#include "wse/power/power_monitor.h"
#include "wse/tiles/tile_region.h"

namespace wse::testing_support {

/// Every module of a machine, bound by hand with a checker on every socket.
class CheckedMachine {
 public:
  CheckedMachine(const model::Settings& settings, const model::TrainingPlan& plan,
                 std::vector<base::WorkItem> schedule, const power::EnergyTable& energy)
      : schedule_(std::move(schedule)),
        config_(settings.machine),
        geometry_(config_.geometry),
        layout_(geometry_, config_.region_columns, config_.region_rows),
        epochs_(config_.core_hz),
        arena_(geometry_.dies(), geometry_.tiles_per_die() * config_.sram.size_bytes,
               config_.memory_budget_bytes),
        ticker("ticker", static_cast<base::Picoseconds>(config_.power.window_s * 1e12)),
        monitor("monitor", config_.power, config_.thermal, energy, geometry_, epochs_,
                config_.core_hz, ticker),
        fabric("fabric", config_.fabric, config_.io, geometry_, layout_, plan.mapping,
               tiles::link_bits(settings.run.precision_kind()), epochs_, ticker),
        host("host", config_.io, config_.lane_latency_ps, config_.memoryx, schedule_) {
    check(host.register_socket, monitor.register_socket);
    check(fabric.activity_socket, monitor.activity_socket);
    for (std::uint32_t die = 0; die < geometry_.dies(); ++die) {
      srams.push_back(std::make_unique<memory::SramArray>(
          ("sram_" + std::to_string(die)).c_str(), config_.sram, die, geometry_.tiles_per_die(),
          arena_.view(die), sc_core::sc_time(1, sc_core::SC_NS)));
      check(srams.back()->activity_socket, monitor.activity_socket);
    }
    for (std::uint32_t r = 0; r < layout_.regions(); ++r) add_region(settings, plan, r);
    for (std::uint32_t lane = 0; lane < config_.io.lanes; ++lane) add_lane(lane);
  }

  void begin_step() {
    const base::Cycles now = epochs_.cycle_at_or_after(base::now());
    for (auto& region : regions) region->begin_step(now);
  }
  std::vector<std::string> violations() const {
    std::vector<std::string> all;
    const auto add = [&all](const std::vector<std::string>& some) {
      all.insert(all.end(), some.begin(), some.end());
    };
    for (const auto& checker : protocol) add(checker->violations());
    for (const auto& checker : lanes) add(checker->violations());
    for (const auto& checker : ramps) add(checker->violations());
    return all;
  }

 private:
  template <class Initiator, class Target>
  void check(Initiator& initiator, Target& target) {
    protocol.push_back(std::make_unique<TlmProtocolChecker>(
        ("protocol_" + std::to_string(protocol.size())).c_str()));
    initiator.bind(protocol.back()->target_socket);
    protocol.back()->initiator_socket.bind(target);
  }
  void add_region(const model::Settings& settings, const model::TrainingPlan& plan,
                  std::uint32_t r) {
    regions.push_back(std::make_unique<tiles::TileRegion>(
        ("region_" + std::to_string(r)).c_str(), layout_.parts_of(r), geometry_, plan.mapping,
        config_.tile, config_.sram.size_bytes, settings.run.precision_kind(), epochs_, ticker));
    tiles::TileRegion& region = *regions.back();
    check(region.activity_socket, monitor.activity_socket);
    for (std::size_t part = 0; part < region.parts().size(); ++part) {
      check(region.memory_socket[part], srams[region.parts()[part].part().die]->target_socket);
    }
    ramps.push_back(std::make_unique<RampChecker>(("ramp_" + std::to_string(r)).c_str(), epochs_));
    fabric.ramp_out_socket[r].bind(ramps.back()->from_fabric);
    ramps.back()->to_region.bind(region.ramp_in_socket);
    region.ramp_out_socket.bind(ramps.back()->from_region);
    ramps.back()->to_fabric.bind(fabric.ramp_in_socket[r]);
  }
  void add_lane(std::uint32_t lane) {
    lanes.push_back(
        std::make_unique<LaneChecker>(("lane_" + std::to_string(lane)).c_str(), config_.io));
    host.lane_out_socket[lane].bind(lanes.back()->from_host);
    lanes.back()->to_wafer.bind(fabric.lane_in_socket[lane]);
    fabric.lane_out_socket[lane].bind(lanes.back()->from_wafer);
    lanes.back()->to_host.bind(host.lane_in_socket[lane]);
  }

  const std::vector<base::WorkItem> schedule_;
  const model::MachineConfig config_;
  base::WaferGeometry geometry_;
  base::RegionLayout layout_;
  base::ClockEpochs epochs_;
  memory::SramArena arena_;

 public:
  base::WindowTicker ticker;
  power::PowerMonitor monitor;
  fabric::Fabric fabric;
  host::Host host;
  std::vector<std::unique_ptr<memory::SramArray>> srams;
  std::vector<std::unique_ptr<tiles::TileRegion>> regions;
  std::vector<std::unique_ptr<TlmProtocolChecker>> protocol;
  std::vector<std::unique_ptr<LaneChecker>> lanes;
  std::vector<std::unique_ptr<RampChecker>> ramps;
};

}  // namespace wse::testing_support
