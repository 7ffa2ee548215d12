// SPDX-License-Identifier: Apache-2.0
#include "wse/model/recorder.h"

#include <algorithm>
#include <utility>

#include "wse/base/check.h"

namespace wse::model {
namespace {

bool is_wait(tiles::Cause cause) {
  return cause == tiles::Cause::kWeightWait || cause == tiles::Cause::kGradientWait ||
         cause == tiles::Cause::kResultWait || cause == tiles::Cause::kUpdateWait ||
         cause == tiles::Cause::kPipelineWait || cause == tiles::Cause::kUnplaced;
}

/// Cycles in which a tile did not wait.
base::Cycles working(const tiles::Ledger& cycles) {
  base::Cycles sum = 0;
  for (const tiles::CauseCycles& phase : cycles) {
    for (std::size_t c = 0; c < tiles::kNumCauses; ++c) {
      if (!is_wait(static_cast<tiles::Cause>(c))) sum += phase[c];
    }
  }
  return sum;
}

}  // namespace

Recorder::Recorder(const sc_core::sc_module_name& name, TrainingMachine& machine,
                   std::function<bool()> interrupted, Observer observer)
    : sc_core::sc_module(name),
      machine_(machine),
      interrupted_(std::move(interrupted)),
      observer_(std::move(observer)) {
  SC_HAS_PROCESS(Recorder);
  SC_METHOD(on_tick);
  sensitive << machine.ticker().tick();
  dont_initialize();
  SC_METHOD(sample_due);
  sensitive << sample_event_;
  dont_initialize();
}

/// The regions report at the tick, in any order: look a quarter of a window later.
void Recorder::on_tick() {
  watch();
  due_ = true;
  sample_event_.notify(base::to_sc_time(machine_.ticker().window() / 4));
}

void Recorder::sample_due() {
  if (!due_) return;
  due_ = false;
  const base::WindowTicker& ticker = machine_.ticker();
  const base::Picoseconds end = ticker.end_of(ticker.ended());
  if (measuring_ && ticker.ended() >= first_) sample(end - ticker.window(), end);
}

/// A message that takes effect at the very tick may not have been handled yet: what cannot go on
/// cannot go on at the next ticks either.
void Recorder::watch() {
  constexpr int kStuckTicks = 3;
  const bool stuck = !machine_.has_events() && machine_.host().waits_for_wafer();
  stuck_ticks_ = stuck ? stuck_ticks_ + 1 : 0;
  if (interrupted_()) {
    was_interrupted_ = true;
    stopped_because_ = "interrupted";
  } else if (stuck_ticks_ >= kStuckTicks) {
    stopped_because_ = "the step cannot go on: " + machine_.host().pending();
  }
  if (!stopped_because_.empty()) sc_core::sc_pause();
}

void Recorder::begin_measurement(std::uint64_t first) {
  measuring_ = true;
  first_ = first;
  samples_.clear();
  ledger_seconds_ = {};
  layer_seconds_.clear();
  phase_seconds_ = {};
  die_cycles_.assign(machine_.geometry().dies(), {});
  observed_ = 0;
  const base::Picoseconds begin = first * machine_.ticker().window();
  begin_cycle_ = machine_.epochs().cycle_at_or_after(begin);
  for (std::uint32_t lane = 0; lane < machine_.host().lanes().size(); ++lane) {
    machine_.host().take_lane_bytes(lane, begin);
  }
}

/// The monitor closes a window a quarter of it later than it is sampled here.
void Recorder::show_observer() {
  const auto& power = machine_.monitor().samples();
  for (; observed_ < std::min(samples_.size(), power.size()); ++observed_) {
    observer_(samples_[observed_], power[observed_]);
  }
}

void Recorder::finish(base::Picoseconds end) {
  WSE_CHECK(!due_, "the window before was sampled");
  const base::Picoseconds window = machine_.ticker().window();
  const base::Picoseconds begin = (end - 1) / window * window;
  sample(begin, end);
  measuring_ = false;
}

void Recorder::sample(base::Picoseconds begin, base::Picoseconds end) {
  const double seconds = static_cast<double>(end - begin) * 1e-12;
  RunSample s;
  s.first_cycle = machine_.epochs().cycle_at_or_after(begin) - begin_cycle_;
  s.end_cycle = machine_.epochs().cycle_at_or_after(end) - begin_cycle_;
  s.begin = begin;
  s.end = end;
  sample_regions(s);
  for (std::uint32_t lane = 0; lane < machine_.host().lanes().size(); ++lane) {
    const host::Host::LaneBytes bytes = machine_.host().take_lane_bytes(lane, end);
    s.lane_in_bytes_per_s.push_back(static_cast<float>(static_cast<double>(bytes.in) / seconds));
    s.lane_out_bytes_per_s.push_back(static_cast<float>(static_cast<double>(bytes.out) / seconds));
  }
  samples_.push_back(std::move(s));
  show_observer();
}

void Recorder::sample_regions(RunSample& s) {
  const base::WaferGeometry& geometry = machine_.geometry();
  const double window = static_cast<double>(machine_.epochs().cycle_at_or_after(s.end) -
                                            machine_.epochs().cycle_at_or_after(s.begin));
  const double seconds = static_cast<double>(s.end - s.begin) * 1e-12;
  std::vector<double> busy(geometry.dies(), 0.0);
  std::vector<double> sram(geometry.dies(), 0.0);
  std::vector<double> user(geometry.dies(), 0.0);
  std::array<double, base::kNumPhases> phases{};
  for (const PartView& part : machine_.parts()) {
    const auto own_tiles = static_cast<double>(part.tiles);
    const double share = own_tiles / static_cast<double>(geometry.cores_user());
    user[part.die] += own_tiles;
    sram[part.die] += part.resident_bytes;
    busy[part.die] += static_cast<double>(working(part.cycles)) / window * own_tiles;
    for (std::size_t p = 0; p < base::kNumPhases; ++p) {
      const tiles::CauseCycles& causes = part.cycles[p];
      phases[p] += static_cast<double>(tiles::total(causes)) * share;
      for (std::size_t c = 0; c < tiles::kNumCauses; ++c) {  // of one clock in a window
        phase_seconds_[p][c] += static_cast<double>(causes[c]) / window * seconds * share;
        die_cycles_[part.die][p][c] += causes[c] * part.tiles;
      }
    }
    for (std::size_t c = 0; c < tiles::kNumCauses; ++c) {
      ledger_seconds_[c] += static_cast<double>(part.times[c]) * 1e-12 * share;
    }
    for (const auto& [place, times] : part.places) {
      if (layer_seconds_.size() <= place) layer_seconds_.resize(place + 1);
      for (std::size_t c = 0; c < tiles::kNumCauses; ++c) {
        layer_seconds_[place][c] += static_cast<double>(times[c]) * 1e-12 * share;
      }
    }
  }
  for (std::uint32_t die = 0; die < geometry.dies(); ++die) {
    s.die_busy.push_back(static_cast<float>(user[die] > 0 ? busy[die] / user[die] : 0));
    s.die_sram_bytes.push_back(static_cast<float>(sram[die]));
  }
  s.phase =
      static_cast<base::Phase>(std::max_element(phases.begin(), phases.end()) - phases.begin());
}

}  // namespace wse::model
