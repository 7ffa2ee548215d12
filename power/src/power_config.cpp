// SPDX-License-Identifier: Apache-2.0
#include "wse/power/power_config.h"

#include <algorithm>

namespace wse::power {

void PowerConfig::validate(base::ConfigErrors& errors) const {
  errors.require(cap_w > 0 && cap_w <= 1e9, "power.cap_w", cap_w, "must be positive, at most 1e9");
  errors.require(window_s >= 1e-6 && window_s <= 1, "power.window_s", window_s,
                 "must be 1e-6 .. 1");
  errors.require(longest_window_s > 0 && longest_window_s <= 1, "power.longest_window_s",
                 longest_window_s, "must be positive, at most 1");
  errors.require(cap_window_s >= window_s && cap_window_s <= 10, "power.cap_window_s", cap_window_s,
                 "must be at least power.window_s, at most 10");
}

double PowerConfig::system_power_w(double wafer_w) const {
  return wafer_w / supply_efficiency + cooling_w * std::clamp(wafer_w / 15'000.0, 0.25, 1.0);
}

}  // namespace wse::power
