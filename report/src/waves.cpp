// SPDX-License-Identifier: Apache-2.0
#include "wse/report/waves.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <vector>

namespace wse::report {
namespace {

using model::TrainingResult;

/// One signal: where it stands, and its value in window i.
struct Signal {
  std::string scope;
  std::string name;
  bool real;
  std::function<double(std::size_t)> value;
};

/// VCD identifiers: base 94 over the printable characters.
std::string identifier(std::size_t n) {
  std::string id;
  do {
    id += static_cast<char>('!' + n % 94);
    n /= 94;
  } while (n > 0);
  return id;
}

std::string die_scope(const TrainingResult& r, std::size_t die) {
  const std::size_t columns = r.settings.machine.geometry.die_columns;
  return fmt::format("die_{}_{}", die % columns, die / columns);
}

std::vector<Signal> signals_of(const TrainingResult& r) {
  const auto& power = r.power_trace;
  const auto& samples = r.samples;
  std::vector<Signal> all{
      {"wafer", "phase", false,
       [&](std::size_t i) { return static_cast<double>(samples[i].phase); }},
      {"wafer", "clock_state", false,
       [&](std::size_t i) { return static_cast<double>(power[i].state); }},
      {"wafer", "power_w", true, [&](std::size_t i) { return power[i].wafer_w; }},
      {"wafer", "hottest_c", true, [&](std::size_t i) { return power[i].hottest_c; }}};
  for (std::size_t lane = 0; lane < r.lanes.size(); ++lane) {
    all.push_back({"lanes", fmt::format("lane_{}_in_gb_s", lane), true, [&, lane](std::size_t i) {
                     return static_cast<double>(samples[i].lane_in_bytes_per_s[lane]) / 1e9;
                   }});
    all.push_back({"lanes", fmt::format("lane_{}_out_gb_s", lane), true, [&, lane](std::size_t i) {
                     return static_cast<double>(samples[i].lane_out_bytes_per_s[lane]) / 1e9;
                   }});
  }
  for (std::size_t die = 0; die < r.energy_by_die.size(); ++die) {
    const std::string scope = die_scope(r, die);
    all.push_back({scope, "power_w", true,
                   [&, die](std::size_t i) { return static_cast<double>(power[i].die_w[die]); }});
    all.push_back({scope, "temperature_c", true,
                   [&, die](std::size_t i) { return static_cast<double>(power[i].die_c[die]); }});
    all.push_back({scope, "busy", true, [&, die](std::size_t i) {
                     return static_cast<double>(samples[i].die_busy[die]);
                   }});
    all.push_back({scope, "sram_mb", true, [&, die](std::size_t i) {
                     return static_cast<double>(samples[i].die_sram_bytes[die]) / 1e6;
                   }});
  }
  return all;
}

std::string binary(unsigned value) {
  std::string text;
  for (int bit = 3; bit >= 0; --bit) text += (value >> bit & 1) != 0 ? '1' : '0';
  return text;
}

std::string change(const Signal& signal, double value, const std::string& id) {
  return signal.real ? fmt::format("r{:.6g} {}\n", value, id)
                     : fmt::format("b{} {}\n", binary(static_cast<unsigned>(value)), id);
}

/// GTKWave's zoom z shows 2^z / 200 units of time a pixel.
double zoom_for(double range) {
  constexpr double kPixels = 680;  // width of the wave area when the window opens
  return std::ceil(std::log2(range / kPixels * 200) * 10) / 10;
}

/// A real signal drawn as steps over two rows.
std::string analog(const std::string& signal) {
  return fmt::format("@8420\n{}\n@20000\n-\n-\n", signal);
}

/// A titled group, open or folded.
std::string group(const std::string& title, const std::string& signals, bool open) {
  return open ? fmt::format("@800200\n-{0}\n{1}@1000200\n-{0}\n", title, signals)
              : fmt::format("@c00200\n-{0}\n{1}@1401200\n-{0}\n", title, signals);
}

}  // namespace

std::string wafer_vcd(const TrainingResult& r) {
  const std::vector<Signal> signals = signals_of(r);
  std::string vcd = "$comment phase: 0 idle, 1 forward, 2 recompute, 3 backward, 4 update $end\n";
  vcd += "$timescale 1 ps $end\n$scope module cs2 $end\n";
  std::string scope;
  for (std::size_t n = 0; n < signals.size(); ++n) {
    const Signal& s = signals[n];
    if (s.scope != scope) {
      if (!scope.empty()) vcd += "$upscope $end\n";
      scope = s.scope;
      vcd += "$scope module " + scope + " $end\n";
    }
    vcd += fmt::format("$var {} {} {} {} $end\n", s.real ? "real" : "wire", s.real ? 64 : 4,
                       identifier(n), s.name);
  }
  vcd += "$upscope $end\n$upscope $end\n$enddefinitions $end\n";
  const std::size_t windows = std::min(r.samples.size(), r.power_trace.size());
  std::vector<std::string> last(signals.size());
  for (std::size_t i = 0; i < windows; ++i) {
    vcd += fmt::format("#{}\n", r.samples[i].begin);
    for (std::size_t n = 0; n < signals.size(); ++n) {
      std::string now = change(signals[n], signals[n].value(i), identifier(n));
      if (now == last[n]) continue;
      vcd += now;
      last[n] = std::move(now);
    }
  }
  if (windows > 0) vcd += fmt::format("#{}\n", r.samples[windows - 1].end);
  return vcd;
}

std::string phase_names() {
  std::string text;
  for (std::size_t p = 0; p < base::kNumPhases; ++p) {
    text += fmt::format("{} {}\n", p, name_of(static_cast<base::Phase>(p)));
  }
  return text;
}

std::string wafer_gtkw(const TrainingResult& r, const std::string& vcd_name,
                       const std::string& phase_names_file) {
  const base::Picoseconds begin = r.samples.empty() ? 0 : r.samples.front().begin;
  const base::Picoseconds end = r.samples.empty() ? 1 : r.samples.back().end;
  const double zoom = zoom_for(static_cast<double>(end - begin));
  std::string text = fmt::format(
      "[*] wse-tlm\n[dumpfile] \"{}\"\n[timestart] {}\n[size] 1500 950\n[pos] -1 -1\n"
      "*-{:.6f} -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1\n"
      "[sst_width] 200\n[signals_width] 260\n[sst_expanded] 1\n",
      vcd_name, begin, zoom);
  text += "@200\n-Wafer\n@2024\n^1 " + phase_names_file + "\ncs2.wafer.phase[3:0]\n";
  text += "@24\ncs2.wafer.clock_state[3:0]\n";
  text += analog("cs2.wafer.power_w") + analog("cs2.wafer.hottest_c");
  std::string lanes = analog("cs2.lanes.lane_0_in_gb_s") + analog("cs2.lanes.lane_0_out_gb_s");
  for (std::size_t lane = 1; lane < r.lanes.size(); ++lane) {
    lanes += fmt::format("@420\ncs2.lanes.lane_{0}_in_gb_s\ncs2.lanes.lane_{0}_out_gb_s\n", lane);
  }
  text += group("Lanes, GB/s into the wafer and out of it", lanes, true);
  for (const char* name : {"power_w", "temperature_c", "busy", "sram_mb"}) {
    std::string dies;
    for (std::size_t die = 0; die < r.energy_by_die.size(); ++die) {
      dies += fmt::format("@420\ncs2.{}.{}\n", die_scope(r, die), name);
    }
    text += group(fmt::format("Dies: {}", name), dies, false);
  }
  return text;
}

}  // namespace wse::report
