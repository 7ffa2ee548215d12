// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "wse/power/energy_table.h"
#include "wse/power/power_config.h"
#include "wse/power/thermal_stack.h"

namespace wse::power {

/// What some cores did, and for how long.
struct CoreLoad {
  base::EventCounts counts{};
  double core_seconds = 0;
};

/// Power of a wafer in the steady state of a load, in watts.
struct LoadPower {
  double dynamic_w = 0;  ///< with the clocks of idle cores
  double leakage_w = 0;
  double constant_w = 0;
  double mean_c = 0;
  double system_w = 0;  ///< at the wall

  double wafer_w() const { return dynamic_w + leakage_w + constant_w; }
};

/// Of a wafer on which `busy` of `cores` cores all do what was counted, at the nominal voltage and
/// without a cap; the clocks of the others are gated. Heat is spread evenly. std::runtime_error where
/// leakage grows faster than heat leaves.
LoadPower load_power(const CoreLoad& load, std::uint64_t busy, std::uint64_t cores,
                     std::uint64_t core_hz, const EnergyTable& table, const PowerConfig& config,
                     const ThermalConfig& thermal);

/// Leakage in watts of a core at the nominal voltage and a temperature.
double leakage_w(const EnergyTable& table, const PowerConfig& config, double celsius);

}  // namespace wse::power
