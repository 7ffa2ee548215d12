// SPDX-License-Identifier: Apache-2.0
#include "wse/host/lane_meter.h"

#include <gtest/gtest.h>

namespace wse::host {
namespace {

TEST(LaneMeterTest, BytesAreCountedWhenTheyCross) {
  LaneMeter meter;
  meter.add(100, 200, 10);
  meter.add(200, 203, 7);
  EXPECT_EQ(meter.take_until(100), 0u);
  EXPECT_EQ(meter.take_until(109), 0u);
  EXPECT_EQ(meter.take_until(110), 1u);
  EXPECT_EQ(meter.take_until(201), 9u + 2u);
  EXPECT_EQ(meter.take_until(10'000), 5u);
  EXPECT_EQ(meter.take_until(20'000), 0u);
}

}  // namespace
}  // namespace wse::host
