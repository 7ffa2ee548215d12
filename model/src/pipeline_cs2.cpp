// SPDX-License-Identifier: Apache-2.0
#include "wse/model/pipeline_cs2.h"

#include <fmt/format.h>

#include "assembly.h"
#include "wse/base/activity_port.h"

namespace wse::model {
namespace {

/// A word with its position and label; a loss.
constexpr base::Bytes kWordBytes = 4;
constexpr base::Bytes kLossBytes = 4;

constexpr auto kUnplaced = static_cast<std::size_t>(tiles::Cause::kUnplaced);
constexpr auto kIdle = static_cast<std::size_t>(base::Phase::kIdle);

}  // namespace

std::vector<base::WorkItem> pipeline_schedule(const PipelinePlan& plan) {
  std::vector<base::WorkItem> items;
  for (std::uint64_t i = 0; i <= plan.samples; ++i) {
    base::WorkItem w;
    w.id = static_cast<std::uint32_t>(i);
    w.tokens = plan.sequence;
    w.last_micro_batch = i + 1 >= plan.samples;
    w.vector = base::VectorKind::kEmbedding;
    if (i < plan.samples) {
      w.sample_bytes_in = plan.sequence * kWordBytes;
      w.sample_bytes_out = kLossBytes;
    } else {
      w.phase = base::Phase::kUpdate;
    }
    items.push_back(w);
  }
  return items;
}

PipelineWafer::PipelineWafer(const sc_core::sc_module_name& name, const Settings& settings,
                             const power::EnergyTable& energy, const PipelinePlan& plan,
                             ConstructionOrder order)
    : sc_core::sc_module(name),
      geometry_(settings.machine.geometry),
      epochs_(settings.machine.core_hz),
      arena_(geometry_.dies(), geometry_.tiles_per_die() * settings.machine.sram.size_bytes,
             settings.machine.memory_budget_bytes),
      stages_(plan.stages.size()),
      spare_memory_socket_("spare_memory_socket") {
  const MachineConfig& machine = settings.machine;
  ticker_ = std::make_unique<base::WindowTicker>("ticker", machine.power.window_ps());
  monitor_ =
      std::make_unique<power::PowerMonitor>("monitor", machine.power, machine.thermal, energy,
                                            geometry_, epochs_, machine.core_hz, *ticker_);
  srams_ = make_srams(machine, geometry_, arena_, order);
  for (std::uint32_t die = 0; die < geometry_.dies(); ++die) {
    const base::Rectangle user{geometry_.user_columns_of(die % machine.geometry.die_columns),
                               geometry_.user_rows_of(die / machine.geometry.die_columns)};
    unplaced_.push_back(user.tiles());
  }
  build_stages(settings, plan, order);
  const auto die_of = [](const tiles::StageRegion& s) {
    return s.core().config().parts[0].part.die;
  };
  edge_ = std::make_unique<PipelineEdge>("edge", machine.io, die_of(*stages_.front()),
                                         die_of(*stages_.back()), epochs_, *ticker_);
  bind();
  SC_HAS_PROCESS(PipelineWafer);
  SC_METHOD(end_window);
  sensitive << ticker_->tick();
  dont_initialize();
}

void PipelineWafer::build_stages(const Settings& settings, const PipelinePlan& plan,
                                 ConstructionOrder order) {
  const std::size_t n = plan.stages.size();
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t s = place(i, n, order);
    const PipelineStage& stage = plan.stages[s];
    tiles::StageConfig config = stage.config;
    config.parts =
        stage_parts(plan.loads[s], stage.rectangle, settings, geometry_, stage.transfer_hops);
    tiles::StageLinks links;
    links.first = s == 0;
    links.last = s + 1 == n;
    if (s > 0) {
      links.gradients = plan.stages[s - 1].config.to_next;
      links.word = plan.stages[s - 1].word_to_next;
    }
    for (const tiles::StagePart& p : config.parts) unplaced_[p.part.die] -= p.part.tiles.tiles();
    stages_[s] = std::make_unique<tiles::StageRegion>(fmt::format("stage_{}", s).c_str(), config,
                                                      links, epochs_, *ticker_);
  }
}

void PipelineWafer::bind() {
  std::vector<std::uint32_t> used;
  for (const auto& stage : stages_) {
    for (const tiles::StagePart& p : stage->core().config().parts) used.push_back(p.part.die);
  }
  bind_spare(spare_memory_socket_, dies_without(used, geometry_), srams_);
  activity_socket_.bind(monitor_->activity_socket);
  edge_->activity_socket.bind(monitor_->activity_socket);
  for (auto& sram : srams_) sram->activity_socket.bind(monitor_->activity_socket);
  for (std::size_t s = 0; s < stages_.size(); ++s) {
    tiles::StageRegion& stage = *stages_[s];
    stage.activity_socket.bind(monitor_->activity_socket);
    const auto& parts = stage.core().config().parts;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      stage.memory_socket[p].bind(srams_[parts[p].part.die]->target_socket);
    }
    if (s == 0) continue;
    stages_[s - 1]->to_next_socket.bind(stage.from_before_socket);
    stage.to_before_socket.bind(stages_[s - 1]->from_next_socket);
  }
  edge_->to_first_socket.bind(stages_.front()->from_before_socket);
  stages_.front()->to_before_socket.bind(edge_->from_first_socket);
  stages_.back()->to_next_socket.bind(edge_->from_last_socket);
  edge_->to_last_socket.bind(stages_.back()->from_next_socket);
}

void PipelineWafer::begin_step() {
  for (auto& stage : stages_) stage->begin_step(now_cycle());
  edge_->begin_step();
}

void PipelineWafer::end_step() {
  for (auto& stage : stages_) stage->end_step(now_cycle());
}

void PipelineWafer::flush(base::Picoseconds end) {
  const std::uint64_t window = ticker_->window_at(end - 1);
  for (auto& stage : stages_) stage->report_window(window, end);
  edge_->report_window(window, end);
  report_window(window, end);
}

void PipelineWafer::reset_stats() {
  for (auto& stage : stages_) stage->reset_stats();
  idle_cycles_ = 0;
}

void PipelineWafer::end_window() {
  report_window(ticker_->ended(), ticker_->end_of(ticker_->ended()));
}

/// Tiles without a stage have a program that waits.
void PipelineWafer::report_window(std::uint64_t window, base::Picoseconds end) {
  const base::Cycles until = epochs_.cycle_at_or_after(end);
  window_cycles_ = until - idle_from_;
  window_time_ = epochs_.time_of(until) - epochs_.time_of(idle_from_);
  idle_from_ = until;
  idle_cycles_ += window_cycles_;
  for (std::uint32_t die = 0; die < geometry_.dies(); ++die) {
    if (unplaced_[die] == 0 || window_cycles_ == 0) continue;
    base::ActivityRecord record;
    record.die = die;
    record.phase = base::Phase::kIdle;
    record.window = window;
    record.phase_cycles = window_cycles_ * unplaced_[die];
    base::post_activity(activity_socket_, record, "/wse/model/activity_refused");
  }
}

PipelineCs2::PipelineCs2(const sc_core::sc_module_name& name, const Settings& settings,
                         const power::EnergyTable& energy, const PipelinePlan& plan,
                         const std::vector<base::WorkItem>& schedule, ConstructionOrder order)
    : sc_core::sc_module(name) {
  const MachineConfig& machine = settings.machine;
  wafer_ = std::make_unique<PipelineWafer>("wafer", settings, energy, plan, order);
  host_ = std::make_unique<host::Host>("host", machine.io, machine.lane_latency_ps, machine.memoryx,
                                       schedule);
  bind_host(*host_, wafer_->monitor(), wafer_->edge(), machine.io.lanes);
}

std::vector<PartView> PipelineCs2::parts() const {
  std::vector<PartView> views;
  for (const auto& stage : wafer_->stages()) {
    const tiles::StageConfig& config = stage->core().config();
    std::uint64_t all = 0;
    for (const tiles::StagePart& p : config.parts) all += p.part.tiles.tiles();
    for (const tiles::StagePart& p : config.parts) {
      PartView view;
      view.die = p.part.die;
      view.tiles = p.part.tiles.tiles();
      view.resident_bytes = static_cast<double>(stage->core().resident_bytes()) *
                            static_cast<double>(view.tiles) / static_cast<double>(all);
      view.cycles = stage->window_cycles();
      view.times = stage->window_times();
      view.places[config.place] = view.times;
      views.push_back(std::move(view));
    }
  }
  for (std::uint32_t die = 0; die < geometry().dies(); ++die) {
    if (wafer_->unplaced(die) == 0) continue;
    PartView view;
    view.die = die;
    view.tiles = wafer_->unplaced(die);
    view.cycles[kIdle][kUnplaced] = wafer_->window_cycles();
    view.times[kUnplaced] = wafer_->window_time();
    view.places[0] = view.times;
    views.push_back(std::move(view));
  }
  return views;
}

tiles::Ledger PipelineCs2::tile_cycles() const {
  tiles::Ledger sum{};
  for (const auto& stage : wafer_->stages()) {
    for (std::size_t p = 0; p < base::kNumPhases; ++p) {
      for (std::size_t c = 0; c < tiles::kNumCauses; ++c) {
        sum[p][c] += stage->stats().tile_cycles[p][c];
      }
    }
  }
  for (std::uint32_t die = 0; die < geometry().dies(); ++die) {
    sum[kIdle][kUnplaced] += wafer_->unplaced(die) * wafer_->idle_cycles();
  }
  return sum;
}

std::vector<TrainingMachine::DieEvents> PipelineCs2::tile_events() const {
  std::vector<DieEvents> all;
  for (const auto& stage : wafer_->stages()) {
    const auto& parts = stage->core().config().parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      all.push_back({parts[i].part.die, parts[i].part.tiles.tiles(), stage->core().tally(i)});
    }
  }
  for (std::uint32_t die = 0; die < geometry().dies(); ++die) {
    all.push_back({die, wafer_->unplaced(die), {}});
  }
  return all;
}

std::uint64_t PipelineCs2::multiply_adds() const {
  std::uint64_t sum = 0;
  for (const auto& stage : wafer_->stages()) sum += stage->core().multiply_adds();
  return sum;
}

fabric::FabricStats PipelineCs2::traffic() const {
  fabric::FabricStats sum = wafer_->edge().stats();
  for (const DieEvents& part : tile_events()) {
    for (const tiles::CauseEvents& phase : part.events) {
      for (const base::EventCounts& counts : phase) {
        sum.wavelet_hops += at(counts, base::EventKind::kLinkHop);
        sum.die_crossings += at(counts, base::EventKind::kDieCrossing);
      }
    }
  }
  return sum;
}

}  // namespace wse::model
