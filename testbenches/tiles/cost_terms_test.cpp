// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/cost_terms.h"

#include <gtest/gtest.h>

#include "wse/base/random.h"
#include "wse/tiles/kernels/rowwise.h"

namespace wse::tiles {
namespace {

using base::Operation;
using base::WorkItem;

base::Cycles of(const CauseCycles& c, Cause cause) { return c[static_cast<std::size_t>(cause)]; }

WorkItem gemm(std::uint64_t inputs, std::uint64_t outputs, std::uint64_t tokens) {
  WorkItem item;
  item.operation = Operation::kGemmForward;
  item.inputs = inputs;
  item.outputs = outputs;
  item.tokens = tokens;
  item.pattern.sequence = 2048;
  return item;
}

// MLP-up of GPT-NeoX-20B worked by hand: 9 features and 42 tokens a tile, 11 vector steps and a
// start a weight.
TEST(CostTermsTest, TheWorkedGemmHasTheCyclesOfTheHandCount) {
  const base::Mapping mapping(750, 994, 1);
  const CauseCycles c = cycles_of(gemm(6144, 24'576, 40'960), mapping, {}, Precision::kFp16);
  EXPECT_EQ(of(c, Cause::kMultiplyAdd) + of(c, Cause::kPadding) + of(c, Cause::kVectorStart),
            2'654'208u);
  EXPECT_EQ(of(c, Cause::kReduction), 24'576u * (21 + 2));  // two sums a wavelet, and a start
  EXPECT_EQ(of(c, Cause::kMultiplyAdd), 6144ull * 24'576 * 40'960 / (745'500ull * 4));
}

TEST(CostTermsTest, DensityScalesTheWeightsAndNotTheReduction) {
  const base::Mapping mapping(750, 994, 1);
  WorkItem item = gemm(6144, 1000, 40'960);
  const CauseCycles dense = cycles_of(item, mapping, {}, Precision::kFp16);
  item.density_ppm = 250'000;
  const CauseCycles sparse = cycles_of(item, mapping, {}, Precision::kFp16);
  EXPECT_EQ(of(sparse, Cause::kVectorStart) * 4, of(dense, Cause::kVectorStart));
  EXPECT_EQ(of(sparse, Cause::kReduction), of(dense, Cause::kReduction));
}

// One item of several experts costs what their items cost one by one.
TEST(CostTermsTest, ExpertsTogetherCostWhatTheyCostOneByOne) {
  const base::Mapping mapping(96, 70, 2);
  const base::Rectangle all{{0, 96}, {0, 70}};
  for (const Operation operation :
       {Operation::kGemmForward, Operation::kGemmInputGradient, Operation::kGemmWeightGradient}) {
    WorkItem one = gemm(500, 300, 700);
    one.operation = operation;
    WorkItem five = one;
    five.experts = 5;
    five.tokens = 5 * one.tokens;
    five.most_tokens = one.tokens;
    const CauseCycles a = cycles_of(one, mapping, {}, Precision::kMixed);
    const CauseCycles b = cycles_of(five, mapping, {}, Precision::kMixed);
    EXPECT_NEAR(static_cast<double>(total(b)), 5.0 * static_cast<double>(total(a)), 5);
    EXPECT_EQ(of(b, Cause::kVectorStart), 5 * of(a, Cause::kVectorStart));
    EXPECT_EQ(of(b, Cause::kReduction), 5 * of(a, Cause::kReduction));
    EXPECT_EQ(multiply_adds(five, mapping, all), 5 * multiply_adds(one, mapping, all));
    const base::EventCounts n = events_of(one, mapping, {}, Precision::kMixed, all);
    const base::EventCounts m = events_of(five, mapping, {}, Precision::kMixed, all);
    EXPECT_EQ(at(m, base::EventKind::kAddFp32), 5 * at(n, base::EventKind::kAddFp32));
    EXPECT_EQ(at(m, base::EventKind::kTaskSwitch), 5 * at(n, base::EventKind::kTaskSwitch));
  }
}

TEST(CostTermsTest, RecomputedWorkIsBookedAsSuchAndCostsTheSame) {
  const base::Mapping mapping(750, 994, 2);
  WorkItem item = gemm(4096, 512, 63'488);
  const base::Cycles once = total(cycles_of(item, mapping, {}, Precision::kMixed));
  item.phase = base::Phase::kRecompute;
  const CauseCycles again = cycles_of(item, mapping, {}, Precision::kMixed);
  EXPECT_EQ(of(again, Cause::kRecompute), once);
  EXPECT_EQ(total(again), once);
}

TEST(CostTermsTest, MultiplyAddsAreExactHoweverTheWaferIsCut) {
  base::Random random(5);
  for (int i = 0; i < 300; ++i) {
    const auto copies = static_cast<std::uint32_t>(1 + random.below(5));
    const base::Mapping mapping(96, 70, copies);
    WorkItem item = gemm(1 + random.below(900), 1 + random.below(300), 64 * (1 + random.below(40)));
    item.pattern.sequence = 64;
    const Operation operations[] = {Operation::kGemmForward, Operation::kGemmWeightGradient,
                                    Operation::kAttentionForward, Operation::kAttentionBackward};
    item.operation = operations[i % 4];
    std::uint64_t expected = item.inputs * item.outputs * item.tokens;
    if (i % 4 == 2) expected = item.tokens * (item.pattern.sequence + 1) * item.inputs;
    if (i % 4 == 3) expected = 2 * item.tokens * (item.pattern.sequence + 1) * item.inputs;
    const auto x = static_cast<std::uint32_t>(random.below(97));
    const auto y = static_cast<std::uint32_t>(random.below(71));
    std::uint64_t sum = 0;
    for (const base::Span columns : {base::Span{0, x}, base::Span{x, 96}}) {
      for (const base::Span rows : {base::Span{0, y}, base::Span{y, 70}}) {
        sum += multiply_adds(item, mapping, {columns, rows});
      }
    }
    EXPECT_EQ(sum, expected) << "case " << i;
  }
}

TEST(CostTermsTest, AccumulatorsThatFitTheNearBufferNeedNoSramAccess) {
  const base::Mapping mapping(10, 10, 1);
  const base::Rectangle one{{0, 1}, {0, 1}};
  const auto reads = [&](std::uint64_t tokens_per_tile) {
    const auto n = events_of(gemm(10, 1, tokens_per_tile * 10), mapping, {}, Precision::kFp16, one);
    return at(n, base::EventKind::kSramWrite64);
  };
  EXPECT_EQ(reads(64), 0u);   // twice 64 fp16 accumulators are 256 bytes
  EXPECT_EQ(reads(65), 17u);  // one more: each of 17 vector steps writes
}

/// Where rows need no messages the terms count the instructions of the kernel, one by one.
TEST(CostTermsTest, RowWiseOperationsAreCountedAsTheirKernels) {
  struct Kind {
    base::VectorKind kind;
    RowwiseOp op;
    std::vector<bool> passes;
  };
  using base::VectorKind;
  const std::vector<Kind> kinds{{VectorKind::kNormForward, RowwiseOp::kLayerNorm, {false}},
                                {VectorKind::kNormBackward, RowwiseOp::kLayerNorm, {true}},
                                {VectorKind::kGeluForward, RowwiseOp::kGelu, {false}},
                                {VectorKind::kGeluBackward, RowwiseOp::kGelu, {true}},
                                {VectorKind::kLoss, RowwiseOp::kCrossEntropy, {false, true}}};
  base::Random random(1);
  for (int i = 0; i < 400; ++i) {
    const Kind& kind = kinds[random.below(kinds.size())];
    const bool mixed = random.below(2) == 1;
    TileConfig tile;
    MeshConfig config;
    tile.lanes_fp32 = config.compute.lanes_fp32 = 1U << random.below(2);
    RowwiseShape shape;
    shape.tokens = random.between(1, 70);
    shape.features = random.between(1, 40);
    shape.op = kind.op;
    shape.type = mixed ? DataType::kMixed : DataType::kFp32;
    base::Cycles counted = 0;
    for (const bool backward : kind.passes) {
      shape.backward = backward;
      counted += Rowwise(shape, config, 1).predicted();
    }
    const CostTerms terms{tile, mixed ? Precision::kMixed : Precision::kFp32};
    const base::Cycles meetings = terms.vector_meetings(kind.kind, shape.tokens, shape.features);
    EXPECT_EQ(terms.vector(kind.kind, shape.tokens, shape.features, 1, 1), counted + meetings)
        << name_of(kind.op) << ": " << shape.tokens << " tokens, " << shape.features << " features";
  }
}

}  // namespace
}  // namespace wse::tiles
