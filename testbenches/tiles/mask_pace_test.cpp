// SPDX-License-Identifier: Apache-2.0
// Sparse weights at the transaction level take the cycles of the streamed GEMM with its real mask.
#include "wse/tiles/mask_pace.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/sparse_case.h"
#include "wse/base/random.h"

namespace wse::testing {
namespace {

using tiles::DataType;

constexpr DataType kFp16 = DataType::kFp16;
constexpr DataType kMixed = DataType::kMixed;
constexpr DataType kFp32 = DataType::kFp32;

/// Programs start, and the first weights pass queues: cycles of a kernel that no item has.
constexpr double kStart = 40;

double deviation(base::Cycles model, base::Cycles kernel) {
  const double difference = static_cast<double>(model) - static_cast<double>(kernel);
  const double beyond = std::max(0.0, std::abs(difference) - kStart);
  return std::copysign(beyond / static_cast<double>(kernel), difference);
}

TEST(MaskPaceTest, TakesTheCyclesOfTheKernelOnItsMask) {
  for (const SparseCase& c : {
           SparseCase{{4, 4}, kMixed, 0.5, 42, 9, 16},
           SparseCase{{4, 4}, kFp16, 0.1, 32, 9, 16},
           SparseCase{{8, 8}, kMixed, 0.25, 32, 9, 32},
           SparseCase{{8, 8}, kFp32, 0.1, 16, 9, 8},
           SparseCase{{16, 4}, kFp16, 0.25, 42, 9, 8},
           SparseCase{{16, 16}, kMixed, 0.5, 42, 9, 8},
           SparseCase{{16, 16}, kMixed, 0.1, 42, 9, 8},
           SparseCase{{16, 4}, kMixed, 0.05, 32, 40, 8},
           SparseCase{{16, 4}, kMixed, 0.9, 32, 9, 8},
       }) {
    const tiles::StreamedGemm gemm(c.shape(), tiles::MeshConfig(), 1);
    const base::Cycles kernel = run_kernel(gemm, tiles::MeshConfig()).cycles;
    EXPECT_LT(std::abs(deviation(cycles_by_row(c, gemm), kernel)), 0.02) << c.text();
    // Another mask of the same density.
    EXPECT_LT(std::abs(deviation(cycles_by_terms(c, 1), kernel)), 0.03) << c.text();
    // Without imbalance the terms would be far too fast.
    if (c.density <= 0.25) {
      EXPECT_LT(deviation(cycles_by_terms(c, 1, false), kernel), -0.04) << c.text();
    }
  }
}

base::WorkItem gemm(std::uint64_t inputs, std::uint64_t outputs, std::uint64_t tokens,
                    double density) {
  base::WorkItem item;
  item.operation = base::Operation::kGemmForward;
  item.inputs = inputs;
  item.outputs = outputs;
  item.tokens = tokens;
  item.density_ppm = static_cast<std::uint32_t>(density * 1e6 + 0.5);
  item.begins_operation = true;
  return item;
}

tiles::MaskPace pace(const base::Mapping& mapping, std::uint64_t seed = 1) {
  return {mapping, {}, {}, fabric::FabricConfig(), tiles::Precision::kMixed, seed};
}

base::Cycles priced(base::WorkItem item, const base::Mapping& mapping) {
  std::vector<base::WorkItem> schedule{std::move(item)};
  pace(mapping).price(schedule);
  return tiles::total(tiles::cycles_of(schedule.front(), mapping, {}, tiles::Precision::kMixed));
}

TEST(MaskPaceTest, MoreZerosAreNeverSlowerAndNoneIsTheDenseMatrix) {
  base::Random random(7);
  for (int i = 0; i < 12; ++i) {
    const base::Mapping mapping(random.between(1, 40), random.between(1, 20), 1);
    const std::uint64_t inputs = 1 + random.below(500);
    const std::uint64_t outputs = 1 + random.below(400);
    const std::uint64_t tokens = 1 + random.below(900);
    const base::WorkItem whole = gemm(inputs, outputs, tokens, 1);
    base::Cycles before = priced(whole, mapping);
    EXPECT_EQ(before, tiles::total(tiles::cycles_of(whole, mapping, {}, tiles::Precision::kMixed)));
    for (const double density : {0.99, 0.9, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.01}) {
      const base::Cycles cycles = priced(gemm(inputs, outputs, tokens, density), mapping);
      EXPECT_LE(cycles, before) << "case " << i << ", density " << density;
      before = cycles;
    }
  }
}

TEST(MaskPaceTest, TheLossIsACauseOfItsOwn) {
  const base::Mapping mapping(64, 16, 1);
  std::vector<base::WorkItem> schedule{gemm(576, 512, 672, 0.1)};
  const auto even = tiles::cycles_of(schedule.front(), mapping, {}, tiles::Precision::kMixed);
  pace(mapping).price(schedule);
  auto masked = tiles::cycles_of(schedule.front(), mapping, {}, tiles::Precision::kMixed);
  const base::Cycles loss = masked[static_cast<std::size_t>(tiles::Cause::kImbalance)];
  EXPECT_EQ(tiles::total(masked), tiles::total(even) + loss);
  EXPECT_GT(loss, tiles::total(even) / 4);
  masked[static_cast<std::size_t>(tiles::Cause::kImbalance)] = 0;
  EXPECT_EQ(masked, even);
}

// Wider tiles have more weights of an output, which differ less.
TEST(MaskPaceTest, CopiesOfTheFeaturesMakeColumnsMoreAlike) {
  const auto loss = [](std::uint32_t copies) {
    const base::Mapping mapping(96, 16, copies);
    base::WorkItem item = gemm(768, 768, 2688, 0.1);
    item.copies = copies;
    const base::Cycles even =
        tiles::total(tiles::cycles_of(item, mapping, {}, tiles::Precision::kMixed));
    return static_cast<double>(priced(item, mapping)) / static_cast<double>(even);
  };
  EXPECT_GT(loss(1), 1.1 * loss(6));
}

// Blocks share the pace of their operation, wherever it is cut.
TEST(MaskPaceTest, BlocksOfAnOperationTakeTogetherWhatItTakes) {
  const base::Mapping mapping(30, 10, 1);
  const base::Cycles whole = priced(gemm(300, 600, 300, 0.2), mapping);
  std::vector<base::WorkItem> blocks;
  for (const std::uint64_t outputs : {100, 100, 250, 150}) {
    blocks.push_back(gemm(300, outputs, 300, 0.2));
    blocks.back().begins_operation = blocks.size() == 1;
  }
  pace(mapping).price(blocks);
  base::Cycles sum = 0;
  for (const base::WorkItem& block : blocks) {
    sum += tiles::total(tiles::cycles_of(block, mapping, {}, tiles::Precision::kMixed));
  }
  EXPECT_NEAR(static_cast<double>(sum), static_cast<double>(whole), 4);
  EXPECT_EQ(blocks[0].masked_cycles, blocks[1].masked_cycles);
}

//
TEST(MaskPaceTest, TheFirstOutputsOfALongOperationTellItsPace) {
  const base::Mapping mapping(40, 10, 1);
  const tiles::SparseMatrix matrix{360, 12'000, 420, 100'000};
  const auto with = [&](std::uint64_t most) {
    tiles::MaskPace pace(mapping, {}, {}, fabric::FabricConfig(), tiles::Precision::kMixed, 1,
                         most);
    return static_cast<double>(pace.cycles(matrix, 1));
  };
  EXPECT_NEAR(with(6'000) / with(12'000), 1, 0.01);
  EXPECT_NEAR(with(2'000) / with(12'000), 1, 0.03);
}

TEST(MaskPaceTest, GradientsOfWeightsAndDenseProductsHaveNoMask) {
  std::vector<base::WorkItem> schedule{gemm(60, 60, 60, 1), gemm(60, 60, 60, 0.5),
                                       gemm(60, 0, 60, 0.5), gemm(60, 60, 0, 0.5)};
  schedule[1].operation = base::Operation::kGemmWeightGradient;
  pace(base::Mapping(10, 10, 1)).price(schedule);
  for (const base::WorkItem& item : schedule) EXPECT_EQ(item.masked_cycles, 0u);
}

}  // namespace
}  // namespace wse::testing
