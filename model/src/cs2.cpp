// SPDX-License-Identifier: Apache-2.0
#include "wse/model/cs2.h"

#include <utility>

#include "assembly.h"
#include "wse/model/systems.h"

namespace wse::model {

Cs2::Cs2(const sc_core::sc_module_name& name, const Settings& settings,
         const power::EnergyTable& energy, const TrainingPlan& plan,
         const std::vector<base::WorkItem>& schedule, ConstructionOrder order)
    : sc_core::sc_module(name) {
  const MachineConfig& machine = settings.machine;
  const auto build_wafer = [&] {
    wafer_ = std::make_unique<Wafer>("wafer", machine, energy, plan.mapping,
                                     settings.run.precision_kind(), order);
  };
  if (order == ConstructionOrder::kForward) build_wafer();
  host_ = std::make_unique<host::Host>("host", machine.io, machine.lane_latency_ps, machine.memoryx,
                                       schedule, tree_of(settings));
  if (order == ConstructionOrder::kReverse) build_wafer();
  bind_host(*host_, wafer_->monitor(), wafer_->fabric(), machine.io.lanes);
}

bool Cs2::has_events() const {
  return wafer_->fabric().core().next_event() != fabric::StreamFabric::kNever;
}

void Cs2::set_timeline(base::Timeline* timeline) {
  host_->set_timeline(timeline);
  wafer_->fabric().set_timeline(timeline);
}

void Cs2::set_watch(tiles::BlockWatch& watch) {
  for (std::uint32_t r = 0; r < wafer_->layout().regions(); ++r) {
    wafer_->region(r).set_watch(watch);
  }
}

std::vector<PartView> Cs2::parts() const {
  std::vector<PartView> views;
  const auto all = static_cast<double>(geometry().cores_user());
  for (std::uint32_t r = 0; r < wafer_->layout().regions(); ++r) {
    const tiles::TileRegion& region = wafer_->region(r);
    for (std::size_t i = 0; i < region.parts().size(); ++i) {
      const tiles::PartCore& core = region.parts()[i];
      PartView view;
      view.die = core.part().die;
      view.tiles = core.part().tiles.tiles();
      view.resident_bytes =
          static_cast<double>(core.resident_bytes()) * (static_cast<double>(view.tiles) / all);
      view.cycles = region.window_cycles(i);
      view.times = region.window_times(i);
      view.places = region.window_places(i);
      views.push_back(std::move(view));
    }
  }
  return views;
}

tiles::Ledger Cs2::tile_cycles() const {
  tiles::Ledger sum{};
  for (std::uint32_t r = 0; r < wafer_->layout().regions(); ++r) {
    for (std::size_t p = 0; p < base::kNumPhases; ++p) {
      for (std::size_t c = 0; c < tiles::kNumCauses; ++c) {
        sum[p][c] += wafer_->region(r).stats().tile_cycles[p][c];
      }
    }
  }
  return sum;
}

std::vector<TrainingMachine::DieEvents> Cs2::tile_events() const {
  std::vector<DieEvents> all;
  for (std::uint32_t r = 0; r < wafer_->layout().regions(); ++r) {
    for (const tiles::PartCore& core : wafer_->region(r).parts()) {
      DieEvents& part = all.emplace_back();
      part.die = core.part().die;
      part.tiles = core.part().tiles.tiles();
      core.tally().add_to(part.events);
    }
  }
  return all;
}

std::uint64_t Cs2::multiply_adds() const {
  std::uint64_t sum = 0;
  for (std::uint32_t r = 0; r < wafer_->layout().regions(); ++r) {
    for (const tiles::PartCore& part : wafer_->region(r).parts()) sum += part.multiply_adds();
  }
  return sum;
}

}  // namespace wse::model
