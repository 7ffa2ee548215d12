// SPDX-License-Identifier: Apache-2.0
#include "wse/report/wafer_waves.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "wse/base/config_errors.h"
#include "wse/report/save_file.h"

namespace wse::report {
namespace {

using model::RunSample;
using power::WindowSample;

constexpr std::uint32_t kStateBits = 4;
/// A killed process leaves a VCD that ends at most so many windows early.
constexpr std::size_t kWindowsAFlush = 256;

constexpr const char* kDieSignals[] = {"power_w", "temperature_c", "busy", "sram_mb",
                                       "hops_per_us"};

double die_value(std::size_t which, std::size_t die, const RunSample& s, const WindowSample& p) {
  switch (which) {
    case 0:
      return static_cast<double>(p.die_w[die]);
    case 1:
      return static_cast<double>(p.die_c[die]);
    case 2:
      return static_cast<double>(s.die_busy[die]);
    case 3:
      return static_cast<double>(s.die_sram_bytes[die]) / 1e6;
    default:
      return static_cast<double>(p.die_hops[die]) / 1e6;
  }
}

std::string die_scope(std::uint32_t die, std::uint32_t columns) {
  return fmt::format("cs2.die_{}_{}", die % columns, die / columns);
}

}  // namespace

std::vector<std::string> phase_names() {
  std::vector<std::string> names;
  for (std::size_t p = 0; p < base::kNumPhases; ++p) {
    names.emplace_back(name_of(static_cast<base::Phase>(p)));
  }
  return names;
}

std::vector<std::string> clock_state_names(const model::MachineConfig& machine) {
  std::vector<std::string> names;
  for (const power::ClockState& state : machine.power.clock_states) {
    names.push_back(
        fmt::format("{:.0f}_MHz", state.fraction * static_cast<double>(machine.core_hz) / 1e6));
  }
  return names;
}

std::string translation_file(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t value = 0; value < names.size(); ++value) {
    text += fmt::format("{} {}\n", value, names[value]);
  }
  return text;
}

std::string WaferWaves::Signal::full_name() const { return wave.scope + "." + wave.name; }

WaferWaves::WaferWaves(std::unique_ptr<base::WaveSink> sink, const model::MachineConfig& machine,
                       WaveSelection selection)
    : sink_(std::move(sink)), selection_(std::move(selection)) {
  describe(machine);
  select();
  for (Signal& signal : signals_) signal.id = sink_->add(signal.wave);
}

void WaferWaves::describe(const model::MachineConfig& machine) {
  lanes_ = machine.io.lanes;
  die_columns_ = machine.geometry.die_columns;
  dies_ = die_columns_ * machine.geometry.die_rows;
  clock_states_ = clock_state_names(machine);
  const auto add = [this](base::WaveSignal wave, Value value) {
    signals_.push_back({std::move(wave), std::move(value)});
  };
  add({"cs2.wafer", "phase", kStateBits},
      [](const RunSample& s, const WindowSample&) { return static_cast<double>(s.phase); });
  add({"cs2.wafer", "clock_state", kStateBits},
      [](const RunSample&, const WindowSample& p) { return static_cast<double>(p.state); });
  add({"cs2.wafer", "power_w"}, [](const RunSample&, const WindowSample& p) { return p.wafer_w; });
  add({"cs2.wafer", "hottest_c"},
      [](const RunSample&, const WindowSample& p) { return p.hottest_c; });
  add({"cs2.wafer", "coolant_out_c"},
      [](const RunSample&, const WindowSample& p) { return p.coolant_out_c; });
  add({"cs2.wafer", "droop_mv"},
      [](const RunSample&, const WindowSample& p) { return p.droop_v * 1e3; });
  for (std::size_t lane = 0; lane < lanes_; ++lane) {
    add({"cs2.lanes", fmt::format("lane_{}_in_gb_s", lane)},
        [lane](const RunSample& s, const WindowSample&) {
          return static_cast<double>(s.lane_in_bytes_per_s[lane]) / 1e9;
        });
    add({"cs2.lanes", fmt::format("lane_{}_out_gb_s", lane)},
        [lane](const RunSample& s, const WindowSample&) {
          return static_cast<double>(s.lane_out_bytes_per_s[lane]) / 1e9;
        });
  }
  for (std::uint32_t die = 0; die < dies_; ++die) {
    for (std::size_t which = 0; which < std::size(kDieSignals); ++which) {
      add({die_scope(die, die_columns_), kDieSignals[which]},
          [which, die](const RunSample& s, const WindowSample& p) {
            return die_value(which, die, s, p);
          });
    }
  }
}

void WaferWaves::select() {
  if (selection_.signals.empty()) return;
  const auto matches = [](const Signal& signal, const std::string& pattern) {
    const std::string name = signal.full_name();
    return fnmatch(pattern.c_str(), name.c_str() + 4, 0) == 0 ||  // without cs2.
           fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  };
  for (const std::string& pattern : selection_.signals) {
    if (std::any_of(signals_.begin(), signals_.end(),
                    [&](const Signal& s) { return matches(s, pattern); })) {
      continue;
    }
    throw base::ConfigError("--wave-signals", pattern,
                            "names no signal; there are wafer.*, lanes.lane_N_{in,out}_gb_s and "
                            "die_X_Y.{power_w, temperature_c, busy, sram_mb, hops_per_us}");
  }
  signals_.erase(std::remove_if(signals_.begin(), signals_.end(),
                                [&](const Signal& s) {
                                  return std::none_of(
                                      selection_.signals.begin(), selection_.signals.end(),
                                      [&](const std::string& p) { return matches(s, p); });
                                }),
                 signals_.end());
}

void WaferWaves::observe(const RunSample& sample, const WindowSample& power) {
  if (sample.first_cycle > selection_.to || sample.end_cycle <= selection_.from) return;
  sink_->time(sample.begin);
  for (const Signal& signal : signals_) {
    const double value = signal.value(sample, power);
    if (signal.wave.width == 0) {
      sink_->set_real(signal.id, value);
    } else {
      sink_->set(signal.id, static_cast<std::uint64_t>(value));
    }
  }
  if (windows_ == 0) begin_ = sample.begin;
  end_ = sample.end;
  if (++windows_ % kWindowsAFlush == 0) sink_->flush();
}

void WaferWaves::close() {
  if (windows_ > 0) sink_->time(end_);
  sink_->close();
}

bool WaferWaves::has(const std::string& full_name) const {
  return std::any_of(signals_.begin(), signals_.end(),
                     [&](const Signal& s) { return s.full_name() == full_name; });
}

std::string WaferWaves::save_file(const std::string& waves, const std::string& folder) const {
  SaveFile save(waves, begin_, end_);
  save.title("Wafer");
  if (has("cs2.wafer.phase")) save.state("cs2.wafer.phase[3:0]", folder + "/phases.txt");
  if (has("cs2.wafer.clock_state")) {
    save.state("cs2.wafer.clock_state[3:0]", folder + "/clock_states.txt");
  }
  for (const char* name : {"cs2.wafer.power_w", "cs2.wafer.hottest_c"}) {
    if (has(name)) save.analog(name);
  }
  for (const char* name : {"cs2.wafer.coolant_out_c", "cs2.wafer.droop_mv"}) {
    if (has(name)) save.real(name);
  }
  save.begin_group("Lanes, GB/s into the wafer and out of it", true);
  std::size_t drawn = 0;
  for (const Signal& signal : signals_) {
    if (signal.wave.scope != "cs2.lanes") continue;
    drawn++ < 2 ? save.analog(signal.full_name()) : save.real(signal.full_name());
  }
  save.end_group();
  for (const char* name : kDieSignals) {
    save.begin_group(fmt::format("Dies: {}", name), false);
    for (std::uint32_t die = 0; die < dies_; ++die) {
      const std::string signal = die_scope(die, die_columns_) + "." + name;
      if (has(signal)) save.real(signal);
    }
    save.end_group();
  }
  return save.text();
}

}  // namespace wse::report
