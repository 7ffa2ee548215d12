// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <systemc>

#include "wse/host/host.h"
#include "wse/model/plan.h"
#include "wse/model/training_machine.h"
#include "wse/model/wafer.h"

namespace wse::model {

/// A wafer and its host, bound lane by lane. With several systems the wafer is one of them: all do
/// the same.
class Cs2 final : public sc_core::sc_module, public TrainingMachine {
 public:
  Cs2(const sc_core::sc_module_name& name, const Settings& settings,
      const power::EnergyTable& energy, const TrainingPlan& plan,
      const std::vector<base::WorkItem>& schedule,
      ConstructionOrder order = ConstructionOrder::kForward);

  Wafer& wafer() { return *wafer_; }

  host::Host& host() override { return *host_; }
  const base::WaferGeometry& geometry() const override { return wafer_->geometry(); }
  const base::ClockEpochs& epochs() const override { return wafer_->epochs(); }
  base::WindowTicker& ticker() override { return wafer_->ticker(); }
  power::PowerMonitor& monitor() override { return wafer_->monitor(); }
  void begin_step() override { wafer_->begin_step(); }
  void end_step() override { wafer_->end_step(); }
  void flush(base::Picoseconds end) override { wafer_->flush(end); }
  void reset_stats() override { wafer_->reset_stats(); }
  bool has_events() const override;
  void set_timeline(base::Timeline* timeline) override;
  void set_watch(tiles::BlockWatch& watch) override;
  std::vector<PartView> parts() const override;
  tiles::Ledger tile_cycles() const override;
  std::vector<DieEvents> tile_events() const override;
  std::uint64_t multiply_adds() const override;
  fabric::FabricStats traffic() const override { return wafer_->fabric().core().stats(); }
  base::Cycles contention_cycles() const override {
    return wafer_->fabric().core().contention_cycles();
  }

 private:
  std::unique_ptr<Wafer> wafer_;
  std::unique_ptr<host::Host> host_;
};

}  // namespace wse::model
