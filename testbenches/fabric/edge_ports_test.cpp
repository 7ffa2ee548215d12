// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/edge_ports.h"

#include <gtest/gtest.h>

#include "wse/base/random.h"

namespace wse::fabric {
namespace {

TEST(EdgePortsTest, AStreamTakesAWaveletAPortAndCycle) {
  EdgePorts ports(3);
  const Passage alone = ports.pass(10, 100);
  EXPECT_EQ(alone.first, 100u);
  EXPECT_EQ(alone.last, 104u);  // nine in three cycles, one in the fourth
}

TEST(EdgePortsTest, OneThatComesTooEarlyWaitsAndFillsTheLastCycle) {
  EdgePorts ports(3);
  ports.pass(10, 100);
  const Passage next = ports.pass(2, 101);
  EXPECT_EQ(next.first, 103u);
  EXPECT_EQ(next.last, 104u);
  EXPECT_EQ(ports.pass(1, 200).first, 200u);
}

TEST(EdgePortsTest, NothingTakesNoTime) {
  EdgePorts ports(2);
  const Passage nothing = ports.pass(0, 7);
  EXPECT_EQ(nothing.first, 7u);
  EXPECT_EQ(nothing.last, 7u);
}

// Streams that never leave a port idle take what their sum does.
TEST(EdgePortsTest, NoMoreThanThePortsCanTakeEverPasses) {
  base::Random random(3);
  for (int run = 0; run < 100; ++run) {
    const std::uint32_t count = random.between(1, 8);
    EdgePorts ports(count);
    std::uint64_t wavelets = 0;
    base::Cycles last = 0;
    for (int i = 0; i < 50; ++i) {
      const std::uint64_t n = random.between(0, 40);
      wavelets += n;
      const Passage passage = ports.pass(n, random.between(0, 5));
      EXPECT_LE(passage.first, passage.last);
      EXPECT_GE(passage.last, last);
      last = passage.last;
    }
    EXPECT_GE(last * count, wavelets);
    EXPECT_LE(last, 5 + base::ceil_div(wavelets, count));
  }
}

}  // namespace
}  // namespace wse::fabric
