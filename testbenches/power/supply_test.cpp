// SPDX-License-Identifier: Apache-2.0
#include "wse/power/supply.h"

#include <gtest/gtest.h>

#include <cmath>

namespace wse::power {
namespace {

TEST(SupplyTest, StepsOfTheReference) {
  const SupplyConfig supply;
  EXPECT_NEAR(supply.resonance_hz(), 50e6, 1e6);
  EXPECT_NEAR(supply.impedance_ohm(), 0.19e-3, 0.005e-3);
  EXPECT_NEAR(supply.damping(), 0.26, 0.005);
  EXPECT_NEAR(supply.droop_v(100), 0.022, 0.001);
  EXPECT_NEAR(supply.droop_v(238), 0.052, 0.003);
}

/// The circuit itself, in small steps: a current source on a capacitance behind R and L.
TEST(SupplyTest, TheFirstMinimumIsThatOfTheCircuit) {
  const SupplyConfig s;
  const double dt = 1e-12;
  double v = 0;  // below the supply
  double i = 0;  // through the inductance
  double lowest = 0;
  for (int n = 0; n < 40'000; ++n) {
    i += dt * (v - s.resistance_ohm * i) / s.inductance_h;
    v += dt * (100 - i) / s.capacitance_f;
    lowest = std::max(lowest, v);
  }
  EXPECT_NEAR(s.droop_v(100) / lowest, 1, 0.25);  // the rule of thumb of the reference
}

TEST(SupplyTest, ASlowStepLeavesTheResistance) {
  const SupplyConfig supply;
  EXPECT_NEAR(supply.droop_v(100, 1e-3), 0.010, 1e-4);
  EXPECT_DOUBLE_EQ(supply.droop_v(100, 0), supply.droop_v(100));
  // 15 kW at a kilowatt a microsecond.
  EXPECT_LT(supply.droop_v(238, 15e-6), 0.0245);
}

}  // namespace
}  // namespace wse::power
