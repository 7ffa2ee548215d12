// SPDX-License-Identifier: Apache-2.0
// Random masks: what they count, that each weight is drawn for itself, and that they are the same everywhere.
#include "wse/tiles/weight_mask.h"

#include <gtest/gtest.h>

#include <cmath>

#include "wse/base/random.h"
#include "wse/base/result_hash.h"

namespace wse::tiles {
namespace {

TEST(WeightMaskTest, CountsAreThoseOfTheWeightsOneByOne) {
  base::Random random(3);
  for (int i = 0; i < 60; ++i) {
    const std::uint64_t inputs = 1 + random.below(400);
    WeightMask mask(random.next(), inputs, random.between(1, 999'999));
    std::vector<std::uint64_t> bounds{0};
    while (bounds.back() < inputs) {
      bounds.push_back(std::min(inputs, bounds.back() + random.below(130)));
    }
    const std::uint64_t output = random.below(1000);
    std::vector<std::uint32_t> counts;
    mask.count(output, bounds, counts);
    ASSERT_EQ(counts.size(), bounds.size() - 1);
    for (std::size_t r = 0; r < counts.size(); ++r) {
      std::uint32_t expected = 0;
      for (std::uint64_t k = bounds[r]; k < bounds[r + 1]; ++k) expected += mask.has(output, k);
      ASSERT_EQ(counts[r], expected) << "case " << i << ", run " << r;
    }
  }
}

TEST(WeightMaskTest, ALowerDensityIsASubsetAndOneIsEverything) {
  const WeightMask full(9, 200, 1'000'000);
  for (const std::uint32_t density : {1u, 50'000u, 250'000u, 500'000u, 999'999u}) {
    const WeightMask sparse(9, 200, density);
    const WeightMask sparser(9, 200, density / 2);
    for (std::uint64_t output = 0; output < 50; ++output) {
      for (std::uint64_t input = 0; input < 200; ++input) {
        ASSERT_TRUE(full.has(output, input));
        ASSERT_LE(sparser.has(output, input), sparse.has(output, input)) << density;
      }
    }
  }
}

// Binomial: the mean of 12 weights a run, and a variance that rows or columns that hang together
// would not have.
TEST(WeightMaskTest, CountsHaveTheMeanAndTheVarianceOfIndependentWeights) {
  constexpr std::uint64_t kRun = 12;
  constexpr std::uint64_t kRuns = 100;
  constexpr std::uint64_t kOutputs = 2000;
  std::vector<std::uint64_t> bounds;
  for (std::uint64_t r = 0; r <= kRuns; ++r) bounds.push_back(r * kRun);
  for (const double density : {0.5, 0.2, 0.1, 0.05}) {
    WeightMask mask(1, kRun * kRuns, static_cast<std::uint32_t>(std::lround(density * 1e6)));
    std::vector<std::uint32_t> counts;
    std::vector<double> columns(kRuns, 0);
    double sum = 0;
    double squares = 0;
    for (std::uint64_t output = 0; output < kOutputs; ++output) {
      mask.count(output, bounds, counts);
      for (std::size_t r = 0; r < counts.size(); ++r) {
        sum += counts[r];
        squares += static_cast<double>(counts[r]) * counts[r];
        columns[r] += counts[r];
      }
    }
    constexpr double n = kRuns * kOutputs;
    const double variance = kRun * density * (1 - density);
    EXPECT_NEAR(sum / n, kRun * density, 5 * std::sqrt(variance / n));
    EXPECT_NEAR((squares - sum * sum / n) / n / variance, 1, 0.03) << density;
    for (const double column : columns) {
      EXPECT_NEAR(column / kOutputs, kRun * density, 5 * std::sqrt(variance / kOutputs));
    }
  }
}

TEST(WeightMaskTest, SeedShapeAndOutputMakeAnotherMaskAndPlatformsDoNot) {
  const auto hash = [](std::uint64_t seed, std::uint64_t inputs, std::uint64_t output) {
    base::ResultHash h;
    const WeightMask mask(seed, inputs, 300'000);
    for (std::uint64_t k = 0; k < 100; ++k) h.add(mask.has(output, k) ? 1 : 0);
    return h.text();
  };
  EXPECT_EQ(hash(1, 100, 0), "3acad990e308f0e5");
  EXPECT_NE(hash(1, 100, 0), hash(2, 100, 0));
  EXPECT_NE(hash(1, 100, 0), hash(1, 101, 0));
  EXPECT_NE(hash(1, 100, 0), hash(1, 100, 1));
}

}  // namespace
}  // namespace wse::tiles
