// SPDX-License-Identifier: Apache-2.0
// The gradient of weights: right values for any shape, and the cycles of its terms.
#include "wse/tiles/kernels/gradient_gemm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/fabric_case.h"
#include "wse/base/random.h"

namespace wse::tiles {
namespace {

constexpr DataType kTypes[]{DataType::kFp16, DataType::kMixed, DataType::kFp32};

TEST(GradientGemmTest, AnyShapeGivesTheProduct) {
  const std::uint64_t cases = testing::case_count(60, 10);
  for (std::uint64_t seed = 0; seed < cases; ++seed) {
    base::Random random(seed);
    const GradientGemmShape s{{random.between(1, 7), random.between(1, 5)},
                              random.between(1, 90),
                              random.between(1, 30),
                              random.between(1, 40),
                              kTypes[seed % 3]};
    const GradientGemm gemm(s, MeshConfig(), seed);
    const KernelResult result = run_kernel(gemm, MeshConfig());
    ASSERT_LE(result.max_rel_error, gemm.error_bound())
        << "seed " << seed << ": " << s.mesh.columns << " x " << s.mesh.rows << ", " << s.tokens
        << " tokens, " << s.inputs << " x " << s.outputs << ", " << name_of(s.type);
  }
}

TEST(GradientGemmTest, TakesTheCyclesOfItsTerms) {
  for (const DataType type : kTypes) {
    const GradientGemm gemm({{6, 4}, 256, 48, 120, type}, MeshConfig(), 1);
    const KernelResult result = run_kernel(gemm, MeshConfig());
    const double error =
        static_cast<double>(result.cycles) / static_cast<double>(gemm.predicted()) - 1;
    EXPECT_LT(std::abs(error), 0.01)
        << name_of(type) << ": " << result.cycles << " for " << gemm.predicted();
    EXPECT_EQ(result.banks.conflict_cycles, 0U) << name_of(type);
  }
}

}  // namespace
}  // namespace wse::tiles
