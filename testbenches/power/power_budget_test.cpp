// SPDX-License-Identifier: Apache-2.0
#include "wse/power/power_budget.h"

#include <gtest/gtest.h>

namespace wse::power {
namespace {

constexpr std::int64_t kCool = 2 * 50;  // half kelvins

TEST(PowerBudgetTest, TheCapHoldsForTheMeanOfItsWindowOnBothSides) {
  PowerBudget under({});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(under.decide(15'000'000, kCool), 0u);
  PowerBudget over({});
  for (int i = 0; i < 9; ++i) EXPECT_EQ(over.decide(15'000'001, kCool), 0u) << i;
  EXPECT_EQ(over.decide(15'000'001, kCool), 1u);
}

TEST(PowerBudgetTest, APowerVirusIsHeldWithoutOscillation) {
  PowerBudget budget({});
  const double share[] = {1.0, 0.9 * 0.72 * 0.72 / 0.5625, 0.8 * 0.69 * 0.69 / 0.5625,
                          0.7 * 0.66 * 0.66 / 0.5625, 0.5 * 0.60 * 0.60 / 0.5625};
  int changes = 0;
  int last_change = -1000;
  for (int window = 0; window < 2'000; ++window) {
    const std::uint32_t before = budget.state();
    const auto mw = static_cast<std::uint64_t>(1.8e6 + 20.0e6 * share[before]);
    if (budget.decide(mw, kCool) != before) {
      EXPECT_GE(window - last_change, 10);
      last_change = window;
      ++changes;
    }
  }
  EXPECT_GT(budget.state(), 0u);
  EXPECT_LE(changes, 4);  // down to where it fits, then still
}

TEST(PowerBudgetTest, TheClockRisesOnlyWhenTheHigherStateFits) {
  PowerBudget budget({});
  for (int i = 0; i < 30; ++i) budget.decide(16'000'000, kCool);
  const std::uint32_t slow = budget.state();
  ASSERT_GE(slow, 1u);
  for (int i = 0; i < 60; ++i) budget.decide(5'000'000, kCool);
  EXPECT_LT(budget.state(), slow);
}

TEST(PowerBudgetTest, AHotDieThrottlesAndReleasesBelowTheHysteresis) {
  PowerBudget budget({});
  for (int i = 0; i < 10; ++i) budget.decide(1'000'000, 2 * 85);
  EXPECT_EQ(budget.state(), 1u);
  for (int i = 0; i < 50; ++i) budget.decide(1'000'000, 2 * 78);
  EXPECT_EQ(budget.state(), 1u);  // at the release temperature, not below
  for (int i = 0; i < 50; ++i) budget.decide(1'000'000, 2 * 78 - 1);
  EXPECT_EQ(budget.state(), 0u);
}

}  // namespace
}  // namespace wse::power
