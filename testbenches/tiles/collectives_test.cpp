// SPDX-License-Identifier: Apache-2.0
// Collective operations: right values on every shape, and the published cycles.
#include "wse/tiles/kernels/collective.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "support/collective_run.h"
#include "support/fabric_case.h"
#include "wse/base/config_errors.h"

namespace wse::tiles {
namespace {

using base::Cycles;
using fabric::Mesh;

constexpr ReduceAlgorithm kReductions[]{ReduceAlgorithm::kStar, ReduceAlgorithm::kChain,
                                        ReduceAlgorithm::kTree, ReduceAlgorithm::kTwoPhase,
                                        ReduceAlgorithm::kSnake};

// Times -------------------------------------------------------------------------------------------

TEST(CollectivesTest, AChainTakesSixCyclesATileAndOneAWord) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> points;
  for (std::uint32_t p = 2; p <= 64; ++p) {
    for (const std::uint32_t b : {1U, 2U, 7U, 64U}) points.emplace_back(p, b);
  }
  for (const std::uint32_t p : {4U, 16U, 64U, 512U}) {
    for (const std::uint32_t b : {16U, 256U, 1024U}) points.emplace_back(p, b);
  }
  for (const auto& [p, b] : points) {
    const Collective chain = reduce(shape(p, 1, b), ReduceAlgorithm::kChain);
    const KernelResult result = run(chain);
    ASSERT_EQ(result.cycles, b + 6 * (p - 1)) << p << " tiles, " << b << " words";
    EXPECT_EQ(chain.predicted, result.cycles);
    EXPECT_EQ(result.wavelet_hops, std::uint64_t{b} * (p - 1));
    EXPECT_EQ(result.delivered, std::uint64_t{b} * (p - 1));
    EXPECT_EQ(result.flops, std::uint64_t{b} * (p - 1));
    EXPECT_LT(result.max_rel_error, 1e-5);
  }
}

// Closed forms of reference/validation.md, 3.2, for 512 tiles.
TEST(CollectivesTest, PredictionsAreThePublishedOnes) {
  struct Row {
    std::uint32_t words;
    Cycles star, chain, tree, two_phase;
  };
  for (const Row& row :
       {Row{1, 516, 3067, 561, 733}, Row{16, 8181, 3082, 628, 762}, Row{64, 32709, 3130, 845, 855},
        Row{256, 130821, 3322, 2349, 1229}, Row{1024, 523269, 4090, 9261, 2723},
        Row{4096, 2093061, 7162, 36909, 8699}}) {
    const auto predicted = [&](ReduceAlgorithm algorithm) {
      return static_cast<double>(reduce(shape(512, 1, row.words), algorithm).predicted);
    };
    EXPECT_NEAR(predicted(ReduceAlgorithm::kStar), static_cast<double>(row.star), 1);
    EXPECT_NEAR(predicted(ReduceAlgorithm::kChain), static_cast<double>(row.chain), 1);
    EXPECT_NEAR(predicted(ReduceAlgorithm::kTree), static_cast<double>(row.tree), 1);
    EXPECT_NEAR(predicted(ReduceAlgorithm::kTwoPhase), static_cast<double>(row.two_phase), 1);
  }
  const auto ring = [](std::uint32_t words) {
    return static_cast<double>(
        allreduce(shape(512, 1, words), AllreduceAlgorithm::kRing).predicted);
  };
  EXPECT_NEAR(ring(1), 7154, 1);
  EXPECT_NEAR(ring(256), 7663, 1);
  EXPECT_NEAR(ring(4096), 15328, 1);
  EXPECT_EQ(broadcast(shape(512, 1, 256)).predicted, 772U);
  EXPECT_EQ(allreduce(shape(512, 1, 256), AllreduceAlgorithm::kReduceBroadcast).predicted, 4094U);
}

TEST(CollectivesTest, ASendTakesTheWordsTheHopsAndTwoRamps) {
  for (const std::uint32_t columns : {2U, 3U, 17U, 100U}) {
    for (const std::uint32_t words : {1U, 2U, 10U, 300U}) {
      const Collective one = send(shape(columns, 1, words));
      const KernelResult result = run(one);
      EXPECT_EQ(result.cycles, words + columns - 1 + 5) << columns << " tiles, " << words;
      EXPECT_EQ(one.predicted, result.cycles);
      EXPECT_EQ(result.wavelet_hops, std::uint64_t{words} * (columns - 1));
      EXPECT_EQ(result.max_abs_error, 0);
    }
  }
}

TEST(CollectivesTest, ABroadcastTakesTheWordsTheHopsAndTwoRamps) {
  for (const Mesh mesh :
       {Mesh{2, 1}, Mesh{1, 2}, Mesh{9, 1}, Mesh{1, 9}, Mesh{6, 4}, Mesh{32, 32}, Mesh{512, 1}}) {
    for (const std::uint32_t words : {1U, 2U, 33U, 256U}) {
      const Collective one = broadcast(shape(mesh.columns, mesh.rows, words));
      const KernelResult result = run(one);
      EXPECT_EQ(result.cycles, words + mesh.columns + mesh.rows - 2 + 5)
          << mesh.columns << " x " << mesh.rows << ", " << words;
      EXPECT_EQ(one.predicted, result.cycles);
      EXPECT_EQ(result.delivered, std::uint64_t{words} * (mesh.tiles() - 1));
      EXPECT_EQ(result.max_abs_error, 0);
    }
  }
}

TEST(CollectivesTest, ReductionsOfARowKeepThePublishedCycles) {
  double sum = 0;
  int points = 0;
  for (const std::uint32_t words : {16U, 64U, 256U, 1024U}) {
    if (words > testing::case_count(1024, 64)) break;
    std::vector<Collective> all;
    for (const ReduceAlgorithm algorithm : kReductions) {
      all.push_back(reduce(shape(512, 1, words), algorithm));
    }
    all.push_back(allreduce(shape(512, 1, words), AllreduceAlgorithm::kRing));
    for (const Collective& one : all) {
      const KernelResult result = run(one);
      const double error = deviation(result, one);
      RecordProperty(one.kernel.name + " of " + std::to_string(words), std::to_string(error));
      EXPECT_LT(std::abs(error), 0.10) << one.kernel.name << " of " << words
                                       << " words: " << result.cycles << " for " << one.predicted;
      EXPECT_LT(result.max_rel_error, 1e-5) << one.kernel.name;
      sum += std::abs(error);
      ++points;
    }
  }
  EXPECT_LT(sum / points, 0.04);
}

TEST(CollectivesTest, CollectivesOfASquareKeepThePublishedCycles) {
  for (const std::uint32_t words : {16U, 64U, 256U}) {
    std::vector<Collective> all{broadcast(shape(32, 32, words))};
    for (const ReduceAlgorithm algorithm :
         {ReduceAlgorithm::kChain, ReduceAlgorithm::kTree, ReduceAlgorithm::kTwoPhase}) {
      all.push_back(reduce(shape(32, 32, words), algorithm));
    }
    for (const Collective& one : all) {
      const KernelResult result = run(one);
      EXPECT_LT(std::abs(deviation(result, one)), 0.15)
          << one.kernel.name << " of " << words << " words: " << result.cycles << " for "
          << one.predicted;
      EXPECT_LT(result.max_rel_error, 1e-5) << one.kernel.name;
    }
  }
}

Cycles cycles_of(ReduceAlgorithm algorithm, std::uint32_t words) {
  return run(reduce(shape(512, 1, words), algorithm)).cycles;
}

TEST(CollectivesTest, TheBestReductionIsThePublishedOne) {
  const auto star = [](std::uint32_t words) { return cycles_of(ReduceAlgorithm::kStar, words); };
  const auto chain = [](std::uint32_t words) { return cycles_of(ReduceAlgorithm::kChain, words); };
  const auto tree = [](std::uint32_t words) { return cycles_of(ReduceAlgorithm::kTree, words); };
  const auto two_phase = [](std::uint32_t words) {
    return cycles_of(ReduceAlgorithm::kTwoPhase, words);
  };
  // 516, 561, 733, 3,067.
  EXPECT_LT(star(1), tree(1));
  EXPECT_LT(tree(1), two_phase(1));
  EXPECT_LT(two_phase(1), chain(1));
  // 628, 762, 3,082, 8,181.
  EXPECT_LT(tree(16), two_phase(16));
  EXPECT_LT(two_phase(16), chain(16));
  EXPECT_LT(chain(16), star(16));
  // 845 and 855 are one; then 3,130 and 32,709.
  EXPECT_LT(std::max(tree(64), two_phase(64)), chain(64));
  EXPECT_LT(chain(64), star(64));
  // 1,229, 2,349, 3,322.
  EXPECT_LT(two_phase(256), tree(256));
  EXPECT_LT(tree(256), chain(256));
  // 2,723, 4,090, 9,261; above 6 P, 7,162 and 8,699.
  EXPECT_LT(two_phase(1024), chain(1024));
  EXPECT_LT(chain(1024), tree(1024));
  EXPECT_LT(chain(4096), two_phase(4096));
}

TEST(CollectivesTest, AnAllreduceThroughTheCentreTakesLittleMoreThanTheDiameter) {
  const KernelResult result = run(allreduce(shape(61, 59, 1), AllreduceAlgorithm::kCentre));
  // From corner to corner it is 60 + 58 hops. On the way lie five messages, of rows, columns, two
  // exchanges and the way back, each two ramps and a cycle of the core; and a few instructions.
  constexpr Cycles kDiameter = 60 + 58;
  EXPECT_GE(result.cycles, kDiameter + 5 * 5);
  EXPECT_LE(result.cycles, kDiameter + 5 * 5 + 5);
  EXPECT_LT(result.max_rel_error, 1e-5);
}

// Values ------------------------------------------------------------------------------------------

/// The most that a sum of so many halves in -1 .. 1 can be off: partial sums stay below the number
/// of tiles, so an addition rounds by half a unit in the last place of the power of two below it.
double half_bound(std::uint32_t tiles) {
  const int power = static_cast<int>(std::ceil(std::log2(std::max(tiles, 2U)))) - 1;
  return (tiles - 1) * std::ldexp(1.0, power - 11);
}

void expect_right(const Collective& one, const std::string& what) {
  SCOPED_TRACE(what);
  const KernelResult result = run(one);
  const bool sums = one.kind == CollectiveKind::kReduce || one.kind == CollectiveKind::kAllreduce;
  if (!sums) {
    EXPECT_EQ(result.max_abs_error, 0);
  } else if (one.shape.type == DataType::kFp16) {
    EXPECT_LE(result.max_abs_error, half_bound(one.shape.mesh.tiles()));
  } else {
    EXPECT_LT(result.max_rel_error, 1e-5);
  }
}

TEST(CollectivesTest, EveryCollectiveIsRightOnEveryShape) {
  constexpr Mesh kMeshes[]{Mesh{1, 1}, Mesh{1, 5}, Mesh{5, 1}, Mesh{2, 2},   Mesh{5, 7},
                           Mesh{7, 1}, Mesh{3, 2}, Mesh{8, 4}, Mesh{13, 11}, Mesh{2, 9}};
  for (const DataType type : {DataType::kFp32, DataType::kFp16, DataType::kMixed}) {
    for (const Mesh mesh : kMeshes) {
      for (const std::uint32_t words : {1U, 3U, 16U}) {
        const CollectiveShape s = shape(mesh.columns, mesh.rows, words, type);
        std::string what(name_of(type));
        what += " on " + std::to_string(mesh.columns) + " x " + std::to_string(mesh.rows) + ", " +
                std::to_string(words) + " words, ";
        expect_right(send(s), what + "send");
        expect_right(broadcast(s), what + "broadcast");
        expect_right(scatter(s), what + "scatter");
        expect_right(gather(s), what + "gather");
        for (const ReduceAlgorithm algorithm : kReductions) {
          expect_right(reduce(s, algorithm), what + "reduce " + name_of(algorithm));
          expect_right(allreduce(s, AllreduceAlgorithm::kReduceBroadcast, algorithm),
                       what + "allreduce " + name_of(algorithm));
        }
        expect_right(allreduce(s, AllreduceAlgorithm::kCentre), what + "allreduce centre");
        if (mesh.rows == 1) {
          expect_right(allreduce(s, AllreduceAlgorithm::kRing), what + "allreduce ring");
        }
      }
    }
  }
}

TEST(CollectivesTest, GroupsOfATwoPhaseReductionMayHaveAnySize) {
  for (const std::uint32_t columns : {2U, 5U, 12U, 13U}) {
    for (std::uint32_t group = 1; group <= columns + 1; ++group) {
      expect_right(reduce(shape(columns, 1, 5), ReduceAlgorithm::kTwoPhase, group),
                   std::to_string(columns) + " tiles, groups of " + std::to_string(group));
    }
  }
}

TEST(CollectivesTest, ATreeIsRightForEveryNumberOfTiles) {
  for (std::uint32_t columns = 2; columns <= 70; ++columns) {
    expect_right(reduce(shape(columns, 1, 4), ReduceAlgorithm::kTree),
                 std::to_string(columns) + " tiles");
  }
}

TEST(CollectivesTest, ARingIsRightForEveryNumberOfTilesAndWords) {
  for (std::uint32_t columns = 2; columns <= 20; ++columns) {
    for (const std::uint32_t words : {1U, 7U, columns - 1, columns, columns + 1, 5 * columns}) {
      expect_right(allreduce(shape(columns, 1, words), AllreduceAlgorithm::kRing),
                   std::to_string(columns) + " tiles, " + std::to_string(words) + " words");
    }
  }
}

TEST(CollectivesTest, ARingNeedsOneRow) {
  EXPECT_THROW(allreduce(shape(4, 2, 8), AllreduceAlgorithm::kRing), base::ConfigError);
}

TEST(CollectivesTest, ATreeOfMoreThan1024TilesIsRefused) {
  EXPECT_THROW(reduce(shape(1025, 1, 1), ReduceAlgorithm::kTree), ProgramError);
  EXPECT_NO_THROW(reduce(shape(1024, 1, 1), ReduceAlgorithm::kTree));
}

TEST(CollectivesTest, AVectorThatDoesNotFitTheMemoryIsRefused) {
  // 12,288 words are the whole memory, and the code needs some of it.
  const Collective large = reduce(shape(2, 1, 12288), ReduceAlgorithm::kChain);
  EXPECT_THROW(run(large), ProgramError);
}

// Results -----------------------------------------------------------------------------------------

TEST(CollectivesTest, ResultsDoNotDependOnThreadsAndRepetition) {
  std::vector<Collective> all{broadcast(shape(24, 20, 32)),
                              reduce(shape(64, 1, 100), ReduceAlgorithm::kTree),
                              reduce(shape(24, 20, 32), ReduceAlgorithm::kTwoPhase),
                              allreduce(shape(24, 20, 1), AllreduceAlgorithm::kCentre),
                              allreduce(shape(33, 1, 50), AllreduceAlgorithm::kRing)};
  std::vector<std::string> hashes;
  for (const Collective& one : all) {
    const std::string hash = run(one).result_hash;
    EXPECT_EQ(run(one).result_hash, hash) << one.kernel.name;
    EXPECT_EQ(run(one, 2).result_hash, hash) << one.kernel.name;
    EXPECT_THAT(hashes, ::testing::Not(::testing::Contains(hash)));
    hashes.push_back(hash);
  }
}

// A fabric that is given two threads and few copies uses both.
TEST(CollectivesTest, ResultsAreThoseOfOneThreadWhereTwoReallyRun) {
  const Collective one = broadcast(shape(40, 40, 64));
  MeshConfig config;
  config.fabric.copies_a_thread = 1;
  const KernelResult single = run_kernel(CollectiveJob(one, 1), config, 1);
  const KernelResult two = run_kernel(CollectiveJob(one, 1), config, 2);
  EXPECT_EQ(single.cycles, two.cycles);
  EXPECT_EQ(single.result_hash, two.result_hash);
}

TEST(CollectivesTest, AnotherSeedGivesOtherNumbersInTheSameTime) {
  const Collective one = reduce(shape(16, 4, 8), ReduceAlgorithm::kTwoPhase);
  const KernelResult a = run_kernel(CollectiveJob(one, 1), MeshConfig());
  const KernelResult b = run_kernel(CollectiveJob(one, 2), MeshConfig());
  EXPECT_EQ(a.cycles, b.cycles);
  EXPECT_NE(a.result_hash, b.result_hash);
}

}  // namespace
}  // namespace wse::tiles
