// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <systemc>
#include <vector>

#include "wse/model/training_machine.h"

namespace wse::model {

/// What was seen in one activity window, besides the monitor's sample of it.
struct RunSample {
  base::Cycles first_cycle = 0;  ///< since the measurement began
  base::Cycles end_cycle = 0;    ///< the first one after the window
  base::Picoseconds begin = 0;
  base::Picoseconds end = 0;
  base::Phase phase = base::Phase::kIdle;  ///< in which the tiles spent most of the window
  std::vector<float> die_busy;             ///< share of the window in which the die's tiles worked
  std::vector<float> die_sram_bytes;       ///< activations resident on the die
  std::vector<float> lane_in_bytes_per_s;
  std::vector<float> lane_out_bytes_per_s;
};

/// Watches a run: a sample a window, the ledger of time, and what ends a run early.
class Recorder final : public sc_core::sc_module {
 public:
  /// A window as soon as both samples of it are known.
  using Observer = std::function<void(const RunSample&, const power::WindowSample&)>;

  Recorder(const sc_core::sc_module_name& name, TrainingMachine& machine,
           std::function<bool()> interrupted, Observer observer);

  /// From window `first` on; the one before may not have been looked at yet.
  void begin_measurement(std::uint64_t first);
  /// Takes the window that ended last, if that has not been done; before the regions report the
  /// next one.
  void sample_due();
  /// Takes the last, unfinished window.
  void finish(base::Picoseconds end);
  /// Shows the observer what it has not seen yet.
  void show_observer();

  const std::vector<RunSample>& samples() const { return samples_; }
  /// Seconds of the measured steps by cause, mean over the tiles.
  const std::array<double, tiles::kNumCauses>& ledger_seconds() const { return ledger_seconds_; }
  /// The same by layer: outside the layers, then layer by layer.
  using CauseSeconds = std::array<double, tiles::kNumCauses>;
  const std::vector<CauseSeconds>& layer_seconds() const { return layer_seconds_; }
  /// The same by phase.
  using PhaseSeconds = std::array<CauseSeconds, base::kNumPhases>;
  const PhaseSeconds& phase_seconds() const { return phase_seconds_; }
  /// Tile-cycles of the measured steps by die, phase and cause.
  const std::vector<tiles::Ledger>& die_cycles() const { return die_cycles_; }
  /// Why the run was paused before its end; empty if it was not.
  const std::string& stopped_because() const { return stopped_because_; }
  bool was_interrupted() const { return was_interrupted_; }

 private:
  void on_tick();
  void sample(base::Picoseconds begin, base::Picoseconds end);
  void sample_regions(RunSample& sample);
  void watch();

  TrainingMachine& machine_;
  std::function<bool()> interrupted_;
  Observer observer_;
  std::size_t observed_ = 0;
  base::Cycles begin_cycle_ = 0;
  bool measuring_ = false;
  std::uint64_t first_ = 0;
  bool due_ = false;
  int stuck_ticks_ = 0;
  bool was_interrupted_ = false;
  std::string stopped_because_;
  std::vector<RunSample> samples_;
  std::array<double, tiles::kNumCauses> ledger_seconds_{};
  std::vector<CauseSeconds> layer_seconds_;
  PhaseSeconds phase_seconds_{};
  std::vector<tiles::Ledger> die_cycles_;
  sc_core::sc_event sample_event_{"sample_event"};
};

}  // namespace wse::model
