// SPDX-License-Identifier: Apache-2.0
// The cost terms of the transaction level are the cycles of the kernels.
#include <gtest/gtest.h>

#include "support/cycle_terms.h"

namespace wse::testing {
namespace {

using tiles::DataType;

constexpr DataType kFp16 = DataType::kFp16;
constexpr DataType kMixed = DataType::kMixed;
constexpr DataType kFp32 = DataType::kFp32;

TEST(CycleTermsTest, AreTheCyclesOfTheKernels) {
  CycleErrors errors;
  for (const CycleCase& c : {
           CycleCase{Work::kGemm, {4, 4}, kFp16, 32, 8, 8},
           CycleCase{Work::kGemm, {8, 8}, kMixed, 32, 8, 8},
           CycleCase{Work::kGemm, {16, 4}, kFp32, 42, 9, 4},
           CycleCase{Work::kWeightGradient, {8, 4}, kFp16, 32, 8, 8},
           CycleCase{Work::kWeightGradient, {8, 8}, kMixed, 42, 9, 8},
           CycleCase{Work::kAttention, {4, 4}, kMixed, 32, 8, 1},
           CycleCase{Work::kAttention, {8, 8}, kFp32, 16, 8, 2},
           CycleCase{Work::kAttentionBackward, {4, 4}, kMixed, 32, 8, 1},
           CycleCase{Work::kNorm, {8, 8}, kMixed, 32, 16},
           CycleCase{Work::kNormBackward, {8, 8}, kFp32, 32, 16},
           CycleCase{Work::kGelu, {4, 4}, kMixed, 32, 16},
           CycleCase{Work::kLoss, {16, 4}, kMixed, 32, 32},
       }) {
    const double error = errors.add(c);
    EXPECT_LT(std::abs(error), 0.05) << c.text() << ": " << 100 * error << " %";
    RecordProperty(c.text(), std::to_string(error));
  }
  EXPECT_LT(errors.mean(), 0.02);
}

}  // namespace
}  // namespace wse::testing
