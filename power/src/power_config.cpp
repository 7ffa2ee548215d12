// SPDX-License-Identifier: Apache-2.0
#include "wse/power/power_config.h"

#include <algorithm>
#include <cmath>

namespace wse::power {

void PowerConfig::validate(base::ConfigErrors& errors) const {
  errors.require(cap_w > 0 && cap_w <= 1e9, "power.cap_w", cap_w, "must be positive, at most 1e9");
  errors.require(window_s >= 1e-6 && window_s <= 1, "power.window_s", window_s,
                 "must be 1e-6 .. 1");
  errors.require(longest_window_s > 0 && longest_window_s <= 1, "power.longest_window_s",
                 longest_window_s, "must be positive, at most 1");
  errors.require(cap_window_s >= window_s && cap_window_s <= 10, "power.cap_window_s", cap_window_s,
                 "must be at least power.window_s, at most 10");
  errors.require(cap_band >= 0 && cap_band < 1, "power.cap_band", cap_band, "must be 0 .. 1");
  errors.require(dwell_s >= 0 && dwell_s <= 100, "power.dwell_s", dwell_s, "must be 0 .. 100");
  errors.require(throttle_c > release_c, "power.throttle_c", throttle_c,
                 fmt::format("must be above power.release_c, {}", release_c));
  errors.require(shutdown_c > throttle_c && shutdown_c <= 1000, "power.shutdown_c", shutdown_c,
                 fmt::format("must be above power.throttle_c, {}, at most 1000", throttle_c));
  errors.require(release_c >= -273 && release_c <= 1000, "power.release_c", release_c,
                 "must be -273 .. 1000");
  errors.require(sensor_lag_s >= 0 && sensor_lag_s <= 100, "power.sensor_lag_s", sensor_lag_s,
                 "must be 0 .. 100");
  errors.require(leakage_beta_per_k >= 0 && leakage_beta_per_k <= 1, "power.leakage_beta_per_k",
                 leakage_beta_per_k, "must be 0 .. 1");
  errors.require(leakage_reference_c >= -273 && leakage_reference_c <= 1000,
                 "power.leakage_reference_c", leakage_reference_c, "must be -273 .. 1000");
  errors.require(supply_efficiency > 0 && supply_efficiency <= 1, "power.supply_efficiency",
                 supply_efficiency, "must be positive, at most 1");
  errors.require(cooling_w >= 0 && cooling_w <= 1e9, "power.cooling_w", cooling_w,
                 "must be 0 .. 1e9");
  for (std::size_t s = 0; s < clock_states.size(); ++s) {
    const ClockState& state = clock_states[s];
    const double above = s == 0 ? 1.0 : clock_states[s - 1].fraction;
    const double highest = s == 0 ? 10.0 : clock_states[s - 1].volts;
    const bool slower = s == 0 ? state.fraction == 1 : state.fraction < above;
    errors.require(state.fraction > 0 && slower, fmt::format("power.state{}.fraction", s),
                   state.fraction,
                   s == 0 ? "must be 1" : "must be positive and below the state before");
    errors.require(state.volts > 0 && state.volts <= highest, fmt::format("power.state{}.volts", s),
                   state.volts, "must be positive and not above the state before");
  }
  supply.validate(errors);
}

base::Picoseconds PowerConfig::window_ps() const {
  return static_cast<base::Picoseconds>(std::llround(window_s * 1e12));
}

double PowerConfig::system_power_w(double wafer_w) const {
  return wafer_w / supply_efficiency + cooling_w * std::clamp(wafer_w / 15'000.0, 0.25, 1.0);
}

}  // namespace wse::power
