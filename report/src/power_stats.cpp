// SPDX-License-Identifier: Apache-2.0
#include "power_stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace wse::report {
namespace {

using json = nlohmann::ordered_json;
using power::WindowSample;

double seconds_of(const WindowSample& s) { return static_cast<double>(s.end - s.begin) * 1e-12; }

double current_a(const WindowSample& s, const power::PowerConfig& config) {
  return s.wafer_w / config.clock_states[s.state].volts;
}

json hottest_die(const model::TrainingResult& r) {
  const std::uint32_t columns = r.settings.machine.geometry.die_columns;
  std::size_t hottest = 0;
  float celsius = -1e9F;
  for (const WindowSample& s : r.power_trace) {
    const auto at = std::max_element(s.die_c.begin(), s.die_c.end());
    if (at == s.die_c.end() || *at <= celsius) continue;
    celsius = *at;
    hottest = static_cast<std::size_t>(at - s.die_c.begin());
  }
  return {{"row", hottest / columns},
          {"col", hottest % columns},
          {"temperature_c", celsius},
          {"margin_k", r.settings.machine.power.throttle_c - static_cast<double>(celsius)}};
}

}  // namespace

json power_stats(const model::TrainingResult& r) {
  const power::PowerConfig& config = r.settings.machine.power;
  std::vector<double> in_state(config.clock_states.size(), 0.0);
  double seconds = 0;
  double charge = 0;
  double peak_a = 0;
  double coolant = 0;
  double coolant_peak = -1e9;
  double droop = 0;
  for (const WindowSample& s : r.power_trace) {
    const double dt = seconds_of(s);
    seconds += dt;
    in_state[s.state] += dt;
    charge += current_a(s, config) * dt;
    peak_a = std::max(peak_a, current_a(s, config));
    coolant += s.coolant_out_c * dt;
    coolant_peak = std::max(coolant_peak, s.coolant_out_c);
    droop = std::max(droop, s.droop_v);
  }
  if (seconds == 0) return json::object();
  return {{"energy_delay_js", r.energy_of_all_j() * r.step_seconds},
          {"tokens_per_second_per_w",
           r.tokens_per_second() / static_cast<double>(r.shares.systems) / r.wafer_power_mean_w},
          {"current_a", {{"mean", charge / seconds}, {"peak", peak_a}}},
          {"worst_droop_v", droop},
          {"clock_state_seconds", in_state},
          {"coolant_out_c", {{"mean", coolant / seconds}, {"peak", coolant_peak}}},
          {"hottest_die", hottest_die(r)}};
}

std::string power_csv(const model::TrainingResult& r) {
  std::string text =
      "begin_s,end_s,clock_state,wafer_w,leakage_w,current_a,droop_v,mean_c,hottest_c,coolant_out_"
      "c\n";
  const auto origin = r.power_trace.empty() ? 0 : r.power_trace.front().begin;
  for (const WindowSample& s : r.power_trace) {
    double leakage = 0;
    for (const float w : s.die_leakage_w) leakage += static_cast<double>(w);
    fmt::format_to(std::back_inserter(text),
                   "{:.9g},{:.9g},{},{:.3f},{:.3f},{:.2f},{:.6f},{:.3f},{:.3f},{:.3f}\n",
                   static_cast<double>(s.begin - origin) * 1e-12,
                   static_cast<double>(s.end - origin) * 1e-12, s.state, s.wafer_w, leakage,
                   current_a(s, r.settings.machine.power), s.droop_v, s.mean_c, s.hottest_c,
                   s.coolant_out_c);
  }
  return text;
}

}  // namespace wse::report
