// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "wse/base/config_errors.h"
#include "wse/base/units.h"
#include "wse/power/supply.h"

namespace wse::power {

/// A state of the core clock and its supply, relative to clock.core_hz.
struct ClockState {
  double fraction = 1;
  double volts = 0.75;
};

/// Budget and control. All values are assumptions A-020 unless noted; the cap is the package's
/// [press2022].
struct PowerConfig {
  double cap_w = 15'000;
  double cap_window_s = 0.010;      ///< the cap holds for the mean over this
  double cap_band = 0.03;           ///< the clock rises again only below cap * (1 - band)
  double window_s = 0.001;          ///< activity window
  double longest_window_s = 0.010;  ///< A-029: as far as it grows with the length of a step
  double dwell_s = 0.010;           ///< least time between two changes of the clock
  double throttle_c = 85;
  double release_c = 78;
  double shutdown_c = 105;      ///< a die this hot ends the run
  double sensor_lag_s = 0.002;  ///< of the sensor of a die, which tells half kelvins
  double leakage_beta_per_k = 0.020;
  double leakage_reference_c = 60;
  double supply_efficiency = 0.9375;  ///< [toms2019] 15 of 16 kW
  double cooling_w = 4'000;           ///< [toms2019] at full load
  std::array<ClockState, 5> clock_states{
      {{1.0, 0.75}, {0.9, 0.72}, {0.8, 0.69}, {0.7, 0.66}, {0.5, 0.60}}};
  SupplyConfig supply;

  void validate(base::ConfigErrors& errors) const;
  base::Picoseconds window_ps() const;
  /// Power at the wall for a wafer power: supply loss and cooling, which does not fall below a
  /// quarter.
  double system_power_w(double wafer_w) const;
};

}  // namespace wse::power
