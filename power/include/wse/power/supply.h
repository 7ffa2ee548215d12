// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wse/base/config_errors.h"

namespace wse::power {

/// The supply of a die, a capacitance behind an inductance and a resistance, and how fast the
/// issue of instructions may raise the power of the wafer.
struct SupplyConfig {
  double capacitance_f = 16.5e-6;
  double inductance_h = 0.6e-12;
  double resistance_ohm = 0.1e-3;
  double slew_w_s = 1e9;  ///< a kilowatt a microsecond

  void validate(base::ConfigErrors& errors) const;
  double resonance_hz() const;
  double impedance_ohm() const;  ///< of the resonance
  double damping() const;        ///< of it, 1: critical

  /// First and largest drop of the voltage after a step of the current of a die.
  double droop_v(double step_a) const;
  /// The same where the step takes so long: the resonance sees its share within a period.
  double droop_v(double step_a, double seconds) const;
};

}  // namespace wse::power
