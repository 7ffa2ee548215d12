// SPDX-License-Identifier: Apache-2.0
#include "wse/base/mapping.h"

#include <gtest/gtest.h>

#include "wse/base/random.h"

namespace wse::base {
namespace {

TEST(MappingTest, FeaturesAndTokensAddUpOverAnyCut) {
  Random random(11);
  for (int i = 0; i < 500; ++i) {
    const auto columns = static_cast<std::uint32_t>(8 + random.below(800));
    const auto rows = static_cast<std::uint32_t>(1 + random.below(1000));
    const auto copies = static_cast<std::uint32_t>(1 + random.below(8));
    const std::uint64_t features = 1 + random.below(30'000);
    const std::uint64_t tokens = 1 + random.below(100'000);
    const Mapping mapping(columns, rows, copies);
    const auto cut = static_cast<std::uint32_t>(random.below(columns + 1));
    EXPECT_EQ(
        mapping.features_in({0, cut}, features) + mapping.features_in({cut, columns}, features),
        features * copies);
    std::uint64_t sum = 0;
    std::uint64_t most_features = 0;
    std::uint64_t most_tokens = 0;
    for (std::uint32_t copy = 0; copy < copies; ++copy) {
      sum += mapping.tokens_in(copy, {0, rows}, tokens).size();
      most_tokens = std::max(most_tokens, mapping.tokens_in(copy, {0, 1}, tokens).size());
    }
    for (std::uint32_t x = 0; x < columns; ++x) {
      most_features = std::max(most_features, mapping.features_in({x, x + 1}, features));
    }
    EXPECT_EQ(sum, tokens);
    EXPECT_LE(most_features, mapping.features_per_tile(features));
    EXPECT_LE(most_tokens, mapping.tokens_per_tile(tokens));
  }
}

}  // namespace
}  // namespace wse::base
