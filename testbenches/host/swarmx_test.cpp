// SPDX-License-Identifier: Apache-2.0
#include "wse/host/swarmx.h"

#include <gtest/gtest.h>

namespace wse::host {
namespace {

constexpr base::Picoseconds kLevel = 3'000'000;

TEST(SwarmXTest, TheTreeGrowsByALevelWithEachPowerOfItsFanOut) {
  const std::tuple<std::uint64_t, std::uint32_t, std::uint64_t> cases[] = {
      {1, 0, 0},      {2, 1, 1},          {4, 1, 1},           {5, 2, 2 + 1},
      {16, 2, 4 + 1}, {17, 3, 5 + 2 + 1}, {64, 3, 16 + 4 + 1}, {192, 4, 48 + 12 + 3 + 1}};
  for (const auto& [systems, levels, nodes] : cases) {
    const SwarmX tree({}, systems, {});
    EXPECT_EQ(tree.levels(), levels) << systems;
    EXPECT_EQ(tree.nodes(), nodes) << systems;
    EXPECT_EQ(tree.latency(), levels * kLevel) << systems;
  }
}

TEST(SwarmXTest, SumsAtTheRateOfTheLanesAddTheLatencyOnly) {
  const fabric::IoConfig io;
  SwarmX tree({}, 16, io);
  base::Picoseconds first = 1000;
  for (const base::Bytes bytes : {1'000'000u, 7u, 0u, 123'457u}) {
    const base::Picoseconds last = first + io.transfer_time(bytes);
    EXPECT_EQ(tree.sum(3, bytes, first, last), last + 2 * kLevel) << bytes;
    first = last;
  }
}

// 10 Gb/s of payload 9 Gb/s: 9,000 bytes take 8 us, while lanes send them in 0.8 us.
TEST(SwarmXTest, SlowNodesQueueAndLanesDoNotShareTheirQueues) {
  SwarmXConfig config;
  config.reduce_bits_per_second = 10'000'000'000ULL;
  SwarmX tree(config, 4, {});
  EXPECT_EQ(tree.sum(0, 9'000, 0, 800'000), 8'000'000 + kLevel);
  EXPECT_EQ(tree.sum(0, 9'000, 800'000, 1'600'000), 16'000'000 + kLevel);
  EXPECT_EQ(tree.sum(1, 9'000, 800'000, 1'600'000), 8'800'000 + kLevel);
  EXPECT_EQ(tree.sum(0, 9'000, 50'000'000, 50'800'000), 58'000'000 + kLevel);
}

TEST(SwarmXTest, ASlowLinkFeedsTheLanesAndAFastOneDoesNot) {
  SwarmXConfig config;
  config.bits_per_second = 40'000'000'000ULL;
  EXPECT_EQ(SwarmX(config, 2, {}).slowed({}).bits_per_second, 40'000'000'000ULL);
  EXPECT_EQ(SwarmX(config, 1, {}).slowed({}).bits_per_second, 100'000'000'000ULL);
  config.bits_per_second = 400'000'000'000ULL;
  EXPECT_EQ(SwarmX(config, 2, {}).slowed({}).bits_per_second, 100'000'000'000ULL);
}

TEST(SwarmXTest, WithoutATreeNothingIsDelayed) {
  EXPECT_EQ(SwarmX().sum(0, 1'000'000, 5, 6), 6u);
  EXPECT_EQ(SwarmX({}, 1, {}).sum(0, 1'000'000, 5, 6), 6u);
}

TEST(SwarmXTest, AFalseTreeIsRefusedWithEveryRule) {
  base::ConfigErrors errors;
  SwarmXConfig config;
  config.fan_out = 1;
  config.level_latency_ps = 2'000'000'000'000ULL;
  config.bits_per_second = 0;
  config.reduce_bits_per_second = 0;
  config.validate(errors);
  ASSERT_EQ(errors.violations().size(), 4u);
  EXPECT_EQ(errors.violations()[0].rule, "must be 2 .. 1024");
}

}  // namespace
}  // namespace wse::host
