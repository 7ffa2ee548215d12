// SPDX-License-Identifier: Apache-2.0
#include "wse/power/load_power.h"

#include <cmath>
#include <stdexcept>

namespace wse::power {
namespace {

/// Mean rise of the silicon above the inlet for a watt spread evenly.
double rise_per_w(const ThermalConfig& c) {
  const ThermalStack stack = c.stack();
  return stack.resistance() / stack.area_m2() + 0.5 / (c.flow_kg_s * c.coolant_j_kgk);
}

}  // namespace

double leakage_w(const EnergyTable& table, const PowerConfig& config, double celsius) {
  return table.leakage_w() *
         std::exp(config.leakage_beta_per_k * (celsius - config.leakage_reference_c));
}

LoadPower load_power(const CoreLoad& load, std::uint64_t busy, std::uint64_t cores,
                     std::uint64_t core_hz, const EnergyTable& table, const PowerConfig& config,
                     const ThermalConfig& thermal) {
  LoadPower power;
  const double busy_cores = static_cast<double>(busy);
  const double all_cores = static_cast<double>(cores);
  if (busy > 0) power.dynamic_w = table.joules(load.counts) / load.core_seconds * busy_cores;
  power.dynamic_w += (all_cores - busy_cores) * static_cast<double>(core_hz) *
                     table.joules(base::EventKind::kClockGated);
  power.constant_w = table.constant_w();
  power.mean_c = thermal.inlet_c;
  constexpr int kMostRounds = 1000;
  for (int round = 0; round < kMostRounds; ++round) {
    power.leakage_w = all_cores * leakage_w(table, config, power.mean_c);
    const double next = thermal.inlet_c + power.wafer_w() * rise_per_w(thermal);
    const double change = std::abs(next - power.mean_c);
    power.mean_c = next;
    if (change < 1e-9) {
      power.system_w = config.system_power_w(power.wafer_w());
      return power;
    }
    // A kelvin more makes more heat than it takes away.
    if (!(next < 1000) || config.leakage_beta_per_k * power.leakage_w * rise_per_w(thermal) > 1)
      break;
  }
  throw std::runtime_error("temperatures run away: leakage grows faster than heat leaves");
}

}  // namespace wse::power
