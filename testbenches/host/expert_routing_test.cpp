// SPDX-License-Identifier: Apache-2.0
#include "wse/host/expert_routing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace wse::host {
namespace {

TEST(ExpertRoutingTest, EveryTokenIsComputedOrDroppedAndNoExpertTakesMoreThanItsCapacity) {
  for (const std::uint32_t factor : {500'000u, 1'000'000u, 1'250'000u, 4'000'000u}) {
    const ExpertLoad load = route_tokens({factor, 500'000, 7}, 64, 6'400, 3, 1);
    EXPECT_EQ(load.computed() + load.dropped, 6'400u);
    EXPECT_LE(*std::max_element(load.tokens.begin(), load.tokens.end()),
              100ull * factor / 1'000'000);
    EXPECT_EQ(load.dropped > 0, factor <= 1'250'000) << factor;
  }
}

// Multinomial: variance about the mean; an uneven popularity adds to it.
TEST(ExpertRoutingTest, LoadsScatterAsDrawsDoAndMoreWhereExpertsAreUnevenlyPopular) {
  const auto variance = [](std::uint32_t imbalance) {
    const ExpertLoad load = route_tokens({10'000'000, imbalance, 1}, 2'048, 204'800, 0, 0);
    double sum = 0;
    for (const std::uint64_t n : load.tokens) {
      sum += (static_cast<double>(n) - 100) * (static_cast<double>(n) - 100);
    }
    return sum / 2'048;
  };
  EXPECT_NEAR(variance(0), 100, 12);
  EXPECT_NEAR(variance(300'000), 100 + 100 * 100 * 0.3 * 0.3 / 3, 40);
}

TEST(ExpertRoutingTest, TheDrawDependsOnSeedLayerAndMicroBatchOnly) {
  const auto tokens = [](std::uint64_t seed, std::uint64_t layer, std::uint64_t micro_batch) {
    return route_tokens({1'250'000, 200'000, seed}, 16, 1'000, layer, micro_batch).tokens;
  };
  const auto first = tokens(1, 2, 3);
  EXPECT_EQ(tokens(1, 2, 3), first);
  EXPECT_NE(tokens(2, 2, 3), first);
  EXPECT_NE(tokens(1, 3, 3), first);
  EXPECT_NE(tokens(1, 2, 4), first);
}

// Fedus et al. report that few tokens are dropped at the published capacity.
TEST(ExpertRoutingTest, FewTokensOfSwitchCAreDroppedAtThePublishedCapacity) {
  const ExpertLoad load = route_tokens({}, 2'048, 117'248, 0, 0);
  EXPECT_LT(static_cast<double>(load.dropped), 0.015 * 117'248);
}

}  // namespace
}  // namespace wse::host
