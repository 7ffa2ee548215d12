// SPDX-License-Identifier: Apache-2.0
#include "wse/power/power_config.h"

#include <algorithm>

#include "wse/power/thermal_grid.h"

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

void ThermalConfig::validate(base::ConfigErrors& errors) const {
  errors.require(inlet_c >= -50 && inlet_c <= 150, "thermal.inlet_c", inlet_c,
                 "must be -50 .. 150");
  errors.require(flow_kg_s > 0 && flow_kg_s <= 1000, "thermal.flow_kg_s", flow_kg_s,
                 "must be positive, at most 1000");
}

}  // namespace wse::power
