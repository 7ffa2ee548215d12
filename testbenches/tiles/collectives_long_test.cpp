// SPDX-License-Identifier: Apache-2.0
// Collective operations on meshes of the size of a wafer.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "support/collective_run.h"

namespace wse::tiles {
namespace {

using base::Cycles;
using fabric::Mesh;

TEST(CollectivesLongTest, AnAllreduceOfAScalarOnAWaferTakesLittleMoreThanTheDiameter) {
  const KernelResult result = run(allreduce(shape(602, 595, 1), AllreduceAlgorithm::kCentre));
  RecordProperty("cycles", std::to_string(result.cycles));
  // From corner to corner it is 601 + 594 hops, plus two ramps; measured on the wafer 1.1
  // diameters.
  EXPECT_GT(result.cycles, 1197U);
  EXPECT_LT(result.cycles, 1320U);
  EXPECT_LT(result.max_rel_error, 1e-5);
}

TEST(CollectivesLongTest, ABroadcastTo512By512TakesTheWordsTheHopsAndTwoRamps) {
  for (const std::uint32_t words : {1U, 256U}) {
    const KernelResult result = run(broadcast(shape(512, 512, words)));
    EXPECT_EQ(result.cycles, words + 512 + 512 - 2 + 5);
    EXPECT_EQ(result.max_abs_error, 0);
  }
}

TEST(CollectivesLongTest, ReductionsOf512By512KeepThePublishedCycles) {
  struct Case {
    ReduceAlgorithm algorithm;
    std::uint32_t words;
    Cycles published;  // 0: none
  };
  double sum = 0;
  int points = 0;
  for (const Case& c :
       {Case{ReduceAlgorithm::kChain, 1, 0}, Case{ReduceAlgorithm::kTree, 1, 0},
        Case{ReduceAlgorithm::kTwoPhase, 1, 0}, Case{ReduceAlgorithm::kStar, 1, 0},
        Case{ReduceAlgorithm::kChain, 256, 6644}, Case{ReduceAlgorithm::kTree, 256, 4698},
        Case{ReduceAlgorithm::kTwoPhase, 256, 2458}}) {
    const Collective one = reduce(shape(512, 512, c.words), c.algorithm);
    const KernelResult result = run(one);
    if (c.published != 0) {
      EXPECT_NEAR(static_cast<double>(one.predicted), static_cast<double>(c.published), 1);
    }
    const double error = deviation(result, one);
    RecordProperty(one.kernel.name + " of " + std::to_string(c.words), std::to_string(error));
    EXPECT_LT(std::abs(error), 0.10) << one.kernel.name << " of " << c.words
                                     << " words: " << result.cycles << " for " << one.predicted;
    EXPECT_LT(result.max_rel_error, 1e-5) << one.kernel.name;
    sum += std::abs(error);
    ++points;
  }
  EXPECT_LT(sum / points, 0.04);
}

TEST(CollectivesLongTest, ASnakeOver512By512TakesSixCyclesATile) {
  const Collective one = reduce(shape(512, 512, 256), ReduceAlgorithm::kSnake);
  const KernelResult result = run(one, 1);
  EXPECT_EQ(one.predicted, 1'573'114U);
  EXPECT_EQ(result.cycles, one.predicted);
  EXPECT_EQ(result.wavelet_hops, std::uint64_t{256} * (512 * 512 - 1));
  // Partial sums stay below 2,048 (a random walk of 262,144 steps of 0.58), so an addition rounds
  // by 2^-14 at most; so many in random directions add up to less than 2^9 x 2^-14, with 5 to be
  // sure.
  EXPECT_LT(result.max_abs_error, 5 * std::ldexp(1.0, 9 - 14));
}

TEST(CollectivesLongTest, ResultsOnAWaferDoNotDependOnThreads) {
  const Collective one = reduce(shape(512, 512, 16), ReduceAlgorithm::kTwoPhase);
  EXPECT_EQ(run(one, 1).result_hash, run(one, 2).result_hash);
}

}  // namespace
}  // namespace wse::tiles
