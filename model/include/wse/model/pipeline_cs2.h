// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <systemc>
#include <vector>

#include "wse/memory/sram_array.h"
#include "wse/model/pipeline_edge.h"
#include "wse/model/pipeline_plan.h"
#include "wse/model/training_machine.h"
#include "wse/model/wafer.h"
#include "wse/power/power_monitor.h"
#include "wse/tiles/stage_region.h"

namespace wse::model {

/// What the host sends in a step of a pipeline: an item a sample, with its words in and its loss out, and
/// a last one that is done when all weights are updated.
std::vector<base::WorkItem> pipeline_schedule(const PipelinePlan& plan);

/// A wafer whose tiles are the stages of a pipeline: one SRAM array a die, one region a stage, the edge
/// between them and the lanes, the power monitor.
class PipelineWafer final : public sc_core::sc_module {
 public:
  PipelineWafer(const sc_core::sc_module_name& name, const Settings& settings,
                const power::EnergyTable& energy, const PipelinePlan& plan,
                ConstructionOrder order);

  const base::WaferGeometry& geometry() const { return geometry_; }
  const base::ClockEpochs& epochs() const { return epochs_; }
  base::WindowTicker& ticker() { return *ticker_; }
  power::PowerMonitor& monitor() { return *monitor_; }
  PipelineEdge& edge() { return *edge_; }
  const std::vector<std::unique_ptr<tiles::StageRegion>>& stages() const { return stages_; }

  void begin_step();
  void end_step();
  void flush(base::Picoseconds end);
  void reset_stats();
  /// User tiles of a die that belong to no stage.
  std::uint64_t unplaced(std::uint32_t die) const { return unplaced_[die]; }
  /// In the window reported last, and since the statistics were reset.
  base::Cycles window_cycles() const { return window_cycles_; }
  base::Picoseconds window_time() const { return window_time_; }
  base::Cycles idle_cycles() const { return idle_cycles_; }

 private:
  void build_stages(const Settings& settings, const PipelinePlan& plan, ConstructionOrder order);
  void bind();
  void end_window();
  void report_window(std::uint64_t window, base::Picoseconds end);
  base::Cycles now_cycle() const { return epochs_.cycle_at_or_after(base::now()); }

  base::WaferGeometry geometry_;
  base::ClockEpochs epochs_;
  memory::SramArena arena_;
  std::unique_ptr<base::WindowTicker> ticker_;
  std::unique_ptr<power::PowerMonitor> monitor_;
  std::unique_ptr<PipelineEdge> edge_;
  std::vector<std::unique_ptr<memory::SramArray>> srams_;
  std::vector<std::unique_ptr<tiles::StageRegion>> stages_;
  tlm_utils::simple_initiator_socket<PipelineWafer> activity_socket_{"activity_socket"};
  /// Of the arrays of dies without a stage: nobody reads or writes them.
  sc_core::sc_vector<tlm_utils::simple_initiator_socket<PipelineWafer>> spare_memory_socket_;
  std::vector<std::uint64_t> unplaced_;
  base::Cycles idle_from_ = 0;
  base::Cycles window_cycles_ = 0;
  base::Picoseconds window_time_ = 0;
  base::Cycles idle_cycles_ = 0;
};

/// Such a wafer and its host, bound lane by lane.
class PipelineCs2 final : public sc_core::sc_module, public TrainingMachine {
 public:
  PipelineCs2(const sc_core::sc_module_name& name, const Settings& settings,
              const power::EnergyTable& energy, const PipelinePlan& plan,
              const std::vector<base::WorkItem>& schedule, ConstructionOrder order);

  PipelineWafer& wafer() { return *wafer_; }

  host::Host& host() override { return *host_; }
  const base::WaferGeometry& geometry() const override { return wafer_->geometry(); }
  const base::ClockEpochs& epochs() const override { return wafer_->epochs(); }
  base::WindowTicker& ticker() override { return wafer_->ticker(); }
  power::PowerMonitor& monitor() override { return wafer_->monitor(); }
  void begin_step() override { wafer_->begin_step(); }
  void end_step() override { wafer_->end_step(); }
  void flush(base::Picoseconds end) override { wafer_->flush(end); }
  void reset_stats() override { wafer_->reset_stats(); }
  bool has_events() const override { return wafer_->edge().has_events(); }
  void set_timeline(base::Timeline* timeline) override { host_->set_timeline(timeline); }
  std::vector<PartView> parts() const override;
  tiles::Ledger tile_cycles() const override;
  std::vector<DieEvents> tile_events() const override;
  std::uint64_t multiply_adds() const override;
  fabric::FabricStats traffic() const override;
  base::Cycles contention_cycles() const override { return 0; }  ///< no link is shared

 private:
  std::unique_ptr<PipelineWafer> wafer_;
  std::unique_ptr<host::Host> host_;
};

}  // namespace wse::model
