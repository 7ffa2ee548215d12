// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "wse/base/wave_sink.h"
#include "wse/model/recorder.h"
#include "wse/model/settings.h"

namespace wse::report {

/// Which part of a run is recorded.
struct WaveSelection {
  base::Cycles from = 0;               ///< of the core clock, since the measured steps began
  base::Cycles to = ~base::Cycles{0};  ///< all windows that hold one of the cycles from .. to
  std::vector<std::string>
      signals{};  ///< patterns with * and ?, of names without `cs2.`; none: all
};

/// Names of the phases and of the clock states, by value.
std::vector<std::string> phase_names();
std::vector<std::string> clock_state_names(const model::MachineConfig& machine);

/// The lines `value name` of a GTKWave translation file.
std::string translation_file(const std::vector<std::string>& names);

/// Waves of the measured steps, written while they run; one change a signal and activity window:
/// wafer.{phase, clock_state, power_w, hottest_c}; lanes.lane_N_{in,out}_gb_s; die_X_Y.{power_w,
/// temperature_c, busy, sram_mb, hops_per_us}.
class WaferWaves {
 public:
  /// Throws ConfigError (path --wave-signals) with the pattern that names no signal.
  WaferWaves(std::unique_ptr<base::WaveSink> sink, const model::MachineConfig& machine,
             WaveSelection selection);

  /// Windows in their order.
  void observe(const model::RunSample& sample, const power::WindowSample& power);
  void close();

  /// Windows recorded.
  std::size_t windows() const { return windows_; }
  /// A GTKWave save file for what was recorded: wafer, lanes, then the dies row by row; phase and
  /// clock state are shown by name, with the files phases.txt and clock_states.txt of `folder`.
  std::string save_file(const std::string& waves, const std::string& folder) const;
  /// The translation file of the clock states.
  std::string clock_state_file() const { return translation_file(clock_states_); }

 private:
  using Value = std::function<double(const model::RunSample&, const power::WindowSample&)>;
  struct Signal {
    base::WaveSignal wave;
    Value value;
    base::WaveSink::Id id = 0;
    std::string full_name() const;
  };

  void describe(const model::MachineConfig& machine);
  void select();
  bool has(const std::string& full_name) const;

  std::unique_ptr<base::WaveSink> sink_;
  const WaveSelection selection_;
  std::vector<Signal> signals_;
  std::size_t windows_ = 0;
  std::size_t lanes_ = 0;
  std::uint32_t dies_ = 0;
  std::uint32_t die_columns_ = 0;
  std::vector<std::string> clock_states_;
  base::Picoseconds begin_ = 0;
  base::Picoseconds end_ = 0;
};

}  // namespace wse::report
