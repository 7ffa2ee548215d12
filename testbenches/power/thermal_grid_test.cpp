// SPDX-License-Identifier: Apache-2.0
#include "wse/power/thermal_grid.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace wse::power {
namespace {

/// Coolant that does not warm: temperatures are above the local coolant.
ThermalConfig endless_coolant() {
  ThermalConfig config;
  config.flow_kg_s = 1e12;
  config.inlet_c = 0;
  return config;
}

TEST(ThermalGridTest, UniformPowerRisesByTheSumOfTheResistances) {
  const ThermalConfig c = endless_coolant();
  ThermalGrid grid(c.stack(), 12, 7);
  grid.steady(std::vector<double>(84, 15'000.0 / 84));
  const double resistance = c.silicon_m / c.silicon_w_mk + c.tim_m / c.tim_w_mk +
                            c.plate_m / c.plate_w_mk + 1 / c.convection_w_m2k;
  const double rise = 15'000 / (c.width_m * c.height_m) * resistance;
  EXPECT_NEAR(rise, 24.06, 0.005);
  for (const double t : grid.silicon_c()) EXPECT_NEAR(t / rise, 1, 1e-7);
}

TEST(ThermalGridTest, TheCoolantCarriesAllHeatAway) {
  ThermalGrid grid(ThermalConfig().stack(), 12, 7);
  grid.steady(std::vector<double>(84, 15'000.0 / 84));
  EXPECT_NEAR(grid.removed_w(), 15'000, 15'000e-8);
  EXPECT_NEAR(grid.coolant_out_c() - 25, 15'000 / (0.5 * 4181), 1e-6);
  EXPECT_GT(grid.silicon_c()[11], grid.silicon_c()[0]);  // warmer towards the outlet
}

TEST(ThermalGridTest, TwoDiesSeeEachOtherAlike) {
  const auto from_to = [](std::size_t from, std::size_t to) {
    ThermalGrid grid(endless_coolant().stack(), 12, 7);
    std::vector<double> power(84, 0.0);
    power[from] = 500;
    grid.steady(power);
    return grid.silicon_c()[to];
  };
  EXPECT_NEAR(from_to(40, 41) / from_to(41, 40), 1, 1e-10);
  EXPECT_NEAR(from_to(3, 70) / from_to(70, 3), 1, 1e-9);
}

TEST(ThermalGridTest, AStepApproachesTheSteadyStateAndHeatIsConserved) {
  const ThermalConfig c = endless_coolant();
  ThermalGrid grid(c.stack(), 12, 7);
  ThermalGrid settled(c.stack(), 12, 7);
  const std::vector<double> power(84, 100.0);
  settled.steady(power);
  double stored = 0;
  constexpr double kDt = 0.001;
  for (int i = 0; i < 8'000; ++i) {
    grid.step(power, kDt);
    // Coolant lags a step, but at an endless flow it has no temperature to lag.
    const double balance = grid.removed_w() + (grid.stored_j() - stored) / kDt;
    EXPECT_NEAR(balance / 8'400, 1, 1e-8) << i;
    stored = grid.stored_j();
  }
  EXPECT_NEAR(grid.silicon_c()[40] / settled.silicon_c()[40], 1, 1e-4);
}

TEST(ThermalGridTest, PowerOffCoolsMonotonically) {
  ThermalGrid grid(ThermalConfig().stack(), 12, 7);
  grid.steady(std::vector<double>(84, 150.0));
  double before = grid.silicon_c()[50];
  for (int i = 0; i < 200; ++i) {
    grid.step(std::vector<double>(84, 0.0), 0.01);
    EXPECT_LT(grid.silicon_c()[50], before);
    before = grid.silicon_c()[50];
  }
}

}  // namespace
}  // namespace wse::power
