// SPDX-License-Identifier: Apache-2.0
#include "wse/power/supply.h"

#include <algorithm>
#include <cmath>

namespace wse::power {
namespace {
constexpr double kPi = 3.14159265358979323846;
}

void SupplyConfig::validate(base::ConfigErrors& errors) const {
  const auto positive = [&](const char* name, double value) {
    errors.require(value > 0 && value <= 1e15, std::string("power.supply.") + name, value,
                   "must be positive");
  };
  positive("capacitance_f", capacitance_f);
  positive("inductance_h", inductance_h);
  positive("resistance_ohm", resistance_ohm);
  positive("slew_w_s", slew_w_s);
  if (errors.empty())
    errors.require(damping() < 1, "power.supply.resistance_ohm", resistance_ohm,
                   "must leave the supply underdamped: R / 2 sqrt(C / L) < 1");
}

double SupplyConfig::resonance_hz() const {
  return 1 / (2 * kPi * std::sqrt(inductance_h * capacitance_f));
}
double SupplyConfig::impedance_ohm() const { return std::sqrt(inductance_h / capacitance_f); }
double SupplyConfig::damping() const { return resistance_ohm / 2 / impedance_ohm(); }

double SupplyConfig::droop_v(double step_a) const {
  const double zeta = damping();
  const double ring = std::exp(-zeta * kPi / 2 / std::sqrt(1 - zeta * zeta));
  return step_a * (resistance_ohm + impedance_ohm() * ring);
}

double SupplyConfig::droop_v(double step_a, double seconds) const {
  const double all = droop_v(step_a);
  const double resistive = step_a * resistance_ohm;
  const double share = std::min(1.0, 1 / (kPi * resonance_hz() * std::max(seconds, 1e-15)));
  return resistive + (all - resistive) * share;
}

}  // namespace wse::power
