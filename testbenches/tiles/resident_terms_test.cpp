// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/resident_terms.h"

#include <gtest/gtest.h>

#include <random>

namespace wse::tiles {
namespace {

using base::Operation;
using base::Rectangle;
using base::WorkItem;

base::Cycles of(const CauseCycles& c, Cause cause) { return c[static_cast<std::size_t>(cause)]; }

WorkItem product(Operation operation, std::uint64_t inputs, std::uint64_t outputs,
                 std::uint64_t tokens) {
  WorkItem w;
  w.operation = operation;
  w.inputs = inputs;
  w.outputs = outputs;
  w.tokens = tokens;
  return w;
}

class ResidentTermsTest : public ::testing::Test {
 protected:
  ResidentTerms terms(std::uint32_t columns, std::uint32_t rows) const {
    return {{{0, columns}, {0, rows}}, config_, Precision::kMixed, {}};
  }
  TileConfig config_;
};

// Worked by hand: 100 inputs over 10 columns are 10 a tile, 60 outputs over 20 rows 3 a tile, 2 lanes.
TEST_F(ResidentTermsTest, AForwardProductIsAVectorOperationAnInputAndAReductionAToken) {
  const CauseCycles c = terms(10, 20).cycles(product(Operation::kGemmForward, 100, 60, 7));
  EXPECT_EQ(of(c, Cause::kMultiplyAdd), 7u * 100 * 60 / (10 * 20 * 2));
  EXPECT_EQ(of(c, Cause::kMultiplyAdd) + of(c, Cause::kPadding), 7u * 10 * 2);
  EXPECT_EQ(of(c, Cause::kVectorStart), 7u * 10);
  EXPECT_EQ(of(c, Cause::kReduction),
            7u * (2 + 2));  // three sums of 16 bits in two wavelets; a start
  EXPECT_EQ(of(c, Cause::kResultWait), 2u * 6 * 10);  // around the ring of a row
}

TEST_F(ResidentTermsTest, GradientsOfInputsAreTheTransposedProduct) {
  const CauseCycles there = terms(10, 20).cycles(product(Operation::kGemmForward, 100, 60, 7));
  const CauseCycles back = terms(20, 10).cycles(product(Operation::kGemmInputGradient, 100, 60, 7));
  EXPECT_EQ(there, back);
}

TEST_F(ResidentTermsTest, GradientsOfWeightsAreNotReduced) {
  const CauseCycles c = terms(10, 20).cycles(product(Operation::kGemmWeightGradient, 100, 60, 7));
  EXPECT_EQ(of(c, Cause::kMultiplyAdd) + of(c, Cause::kPadding), 7u * 10 * 2);
  EXPECT_EQ(of(c, Cause::kVectorStart), 7u * 10);
  EXPECT_EQ(total(c), 7u * 10 * 3);
}

TEST_F(ResidentTermsTest, NothingIsChangedBetweenLayersAndWhatNobodyReadsIsLeftOut) {
  EXPECT_EQ(total(terms(4, 4).cycles(product(Operation::kLayerChange, 1, 1, 9))), 0u);
  EXPECT_EQ(total(terms(4, 4).cycles(product(Operation::kGemmForward, 64, 0, 9))), 0u);
}

// However the rectangle is cut into parts: a part has what its tiles do.
TEST_F(ResidentTermsTest, MultiplyAddsAreExactByLocation) {
  std::mt19937 random(3);
  const auto pick = [&random](std::uint32_t least, std::uint32_t most) {
    return least + static_cast<std::uint32_t>(random() % (most - least + 1));
  };
  for (int i = 0; i < 300; ++i) {
    const Rectangle whole{{pick(0, 9), pick(20, 60)}, {pick(0, 9), pick(20, 60)}};
    const std::uint32_t x = pick(whole.columns.begin, whole.columns.end);
    const std::uint32_t y = pick(whole.rows.begin, whole.rows.end);
    const ResidentTerms t(whole, config_, Precision::kMixed, {});
    for (const Operation operation :
         {Operation::kGemmForward, Operation::kGemmInputGradient, Operation::kGemmWeightGradient}) {
      const WorkItem w = product(operation, pick(1, 500), pick(1, 500), pick(1, 90));
      std::uint64_t sum = 0;
      for (const base::Span columns :
           {base::Span{whole.columns.begin, x}, {x, whole.columns.end}}) {
        for (const base::Span rows : {base::Span{whole.rows.begin, y}, {y, whole.rows.end}}) {
          sum += t.multiply_adds(w, {columns, rows});
        }
      }
      ASSERT_EQ(sum, w.inputs * w.outputs * w.tokens) << i;
      ASSERT_EQ(t.multiply_adds(w, whole), sum) << i;
      const CauseCycles c = t.cycles(w);
      ASSERT_GE((of(c, Cause::kMultiplyAdd) + of(c, Cause::kPadding)) * whole.tiles() * 2, sum)
          << i;
    }
  }
}

TEST_F(ResidentTermsTest, EventsAreThoseOfTheCycles) {
  const ResidentTerms t = terms(12, 8);
  const Rectangle whole{{0, 12}, {0, 8}};
  for (const Operation operation :
       {Operation::kGemmForward, Operation::kGemmInputGradient, Operation::kGemmWeightGradient}) {
    const WorkItem w = product(operation, 120, 96, 11);
    const CauseEvents by = t.events(w, whole, false, false);
    const CauseCycles c = t.cycles(w);
    EXPECT_EQ(at(sum_of(by), base::EventKind::kFmacMixed), 120u * 96 * 11);
    EXPECT_EQ(at(sum_of(by), base::EventKind::kClockRunning),
              (total(c) - of(c, Cause::kResultWait)) * 96);  // waiting tiles are gated
  }
}

TEST_F(ResidentTermsTest, RecomputedWorkHasOneCauseAndTheSameCycles) {
  WorkItem w = product(Operation::kGemmForward, 300, 200, 16);
  const base::Cycles once = total(terms(7, 9).cycles(w));
  w.phase = base::Phase::kRecompute;
  EXPECT_EQ(of(terms(7, 9).cycles(w), Cause::kRecompute), once);
}

}  // namespace
}  // namespace wse::tiles
