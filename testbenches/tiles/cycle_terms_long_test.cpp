// SPDX-License-Identifier: Apache-2.0
// The cost terms of the transaction level are the cycles of the kernels, on meshes up to 64 x 64 and on strips
// as wide and as high as the wafer.
#include <gtest/gtest.h>

#include <iostream>
#include <vector>

#include "support/cycle_terms.h"

namespace wse::testing {
namespace {

using tiles::DataType;

std::vector<CycleCase> cases() {
  std::vector<CycleCase> all;
  const DataType types[]{DataType::kFp16, DataType::kMixed, DataType::kFp32};
  for (const DataType type : types) {
    for (const Work work : {Work::kGemm, Work::kWeightGradient}) {
      all.push_back({work, {4, 4}, type, 42, 9, 16});
      all.push_back({work, {16, 16}, type, 32, 16, 8});
      all.push_back({work, {64, 64}, type, 42, 9, 2});
      if (type != DataType::kFp32) all.push_back({work, {750, 8}, type, 24, 4, 1});
      all.push_back({work, {8, 994}, type, 24, 8, 16});
    }
    if (type == DataType::kFp16) continue;
    for (const Work work : {Work::kAttention, Work::kAttentionBackward}) {
      all.push_back({work, {4, 4}, type, 24, 16, 2});
      all.push_back({work, {16, 16}, type, 16, 8, 2});
      all.push_back({work, {32, 8}, type, 32, 8, 4});
      all.push_back({work, {750, 4}, type, 16, 8, 75});
    }
    for (const Work work :
         {Work::kNorm, Work::kNormBackward, Work::kGelu, Work::kGeluBackward, Work::kLoss}) {
      all.push_back({work, {32, 32}, type, 42, 33});
    }
    all.push_back({Work::kNorm, {750, 4}, type, 42, 33});
    all.push_back({Work::kNormBackward, {64, 64}, type, 42, 16});
    all.push_back({Work::kLoss, {750, 4}, type, 42, 33});
  }
  return all;
}

TEST(CycleTermsLongTest, AreTheCyclesOfTheKernelsOnLargeMeshes) {
  CycleErrors errors;
  const std::vector<CycleCase> all = cases();
  ASSERT_EQ(all.size(), 60U);
  for (const CycleCase& c : all) {
    const double error = errors.add(c);
    EXPECT_LT(std::abs(error), 0.05) << c.text();
    std::cout << fmt::format("{:+6.2f} %  {}\n", 100 * error, c.text()) << std::flush;
  }
  std::cout << fmt::format("{:6.2f} %  mean of {}\n", 100 * errors.mean(), all.size());
  EXPECT_LT(errors.mean(), 0.02);
}

}  // namespace
}  // namespace wse::testing
