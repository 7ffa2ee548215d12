// SPDX-License-Identifier: Apache-2.0
#include "wse/base/clock_epochs.h"

#include <gtest/gtest.h>

#include "wse/base/random.h"

namespace wse::base {
namespace {

TEST(ClockEpochsTest, EdgesAreRoundedFromTheStartOfTheEpochAndNeverDrift) {
  const ClockEpochs clock(1'100'000'000);
  EXPECT_EQ(clock.time_of(0), 0u);
  EXPECT_EQ(clock.time_of(1), 909u);                            // 909.09 ps
  EXPECT_EQ(clock.time_of(11), 10'000u);                        // exact
  EXPECT_EQ(clock.time_of(1'100'000'000), 1'000'000'000'000u);  // a second
}

TEST(ClockEpochsTest, CycleAtOrAfterIsTheFirstEdgeNotBefore) {
  ClockEpochs clock(1'100'000'000);
  clock.change(1'000'000, 990'000'000);
  Random random(7);
  for (int i = 0; i < 10'000; ++i) {
    const Picoseconds time = random.below(3'000'000);
    const Cycles cycle = clock.cycle_at_or_after(time);
    EXPECT_GE(clock.time_of(cycle), time);
    if (cycle > 0) {
      EXPECT_LT(clock.time_of(cycle - 1), time);
    }
  }
}

TEST(ClockEpochsTest, AChangeBeginsAtTheFirstEdgeOfItsTime) {
  ClockEpochs clock(1'000'000'000);
  clock.change(5'500, 500'000'000);
  EXPECT_EQ(clock.time_of(5), 5'000u);
  EXPECT_EQ(clock.time_of(6), 6'000u);  // first edge at or after 5.5 ns
  EXPECT_EQ(clock.time_of(7), 8'000u);  // two nanoseconds from there on
  EXPECT_EQ(clock.hz_at(5), 1'000'000'000u);
  EXPECT_EQ(clock.hz_at(6), 500'000'000u);
}

}  // namespace
}  // namespace wse::base
