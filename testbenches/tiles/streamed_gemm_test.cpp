// SPDX-License-Identifier: Apache-2.0
// GEMM by weight streaming: right values for any shape, and the cycles of its terms.
#include "wse/tiles/kernels/streamed_gemm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/fabric_case.h"
#include "wse/base/random.h"

namespace wse::tiles {
namespace {

StreamedGemmShape shape(fabric::Mesh mesh, std::uint32_t m, std::uint32_t k, std::uint32_t n,
                        DataType type, double density = 1) {
  StreamedGemmShape s;
  s.mesh = mesh;
  s.tokens = m;
  s.inputs = k;
  s.outputs = n;
  s.type = type;
  s.density = density;
  return s;
}

double deviation(const KernelResult& result, const KernelJob& job) {
  return static_cast<double>(result.cycles) / static_cast<double>(job.predicted()) - 1;
}

TEST(StreamedGemmTest, AnyShapeGivesTheProduct) {
  constexpr DataType kTypes[]{DataType::kFp16, DataType::kMixed, DataType::kFp32};
  const std::uint64_t cases = testing::case_count(60, 10);
  for (std::uint64_t seed = 0; seed < cases; ++seed) {
    base::Random random(seed);
    StreamedGemmShape s = shape({random.between(1, 6), random.between(1, 4)}, random.between(1, 90),
                                random.between(1, 40), random.between(1, 40), kTypes[seed % 3]);
    if (random.below(2) == 0)
      s.density = 0.05 + 0.9 * static_cast<double>(random.between(0, 100)) / 100;
    const StreamedGemm gemm(s, MeshConfig(), seed);
    const KernelResult result = run_kernel(gemm, MeshConfig());
    ASSERT_LE(result.max_rel_error, gemm.error_bound())
        << "seed " << seed << ": " << s.mesh.columns << " x " << s.mesh.rows << ", m " << s.tokens
        << ", k " << s.inputs << ", n " << s.outputs << ", density " << s.density << ", "
        << name_of(s.type);
  }
}

// Sums in the near buffer (the first of each type) and in the SRAM (the second).
TEST(StreamedGemmTest, FullTilesTakeTheCyclesOfTheTerms) {
  for (const StreamedGemmShape& s :
       {shape({4, 2}, 128, 32, 128, DataType::kFp16), shape({4, 2}, 160, 32, 128, DataType::kFp16),
        shape({4, 2}, 64, 32, 128, DataType::kMixed), shape({4, 2}, 80, 32, 128, DataType::kMixed),
        shape({4, 2}, 64, 32, 128, DataType::kFp32), shape({4, 2}, 80, 32, 128, DataType::kFp32)}) {
    const StreamedGemm gemm(s, MeshConfig(), 1);
    const KernelResult result = run_kernel(gemm, MeshConfig());
    EXPECT_GT(deviation(result, gemm), 0);
    EXPECT_LT(deviation(result, gemm), 0.02) << name_of(s.type) << ", " << s.tokens;
    // Nothing of what a step asks of the banks meets.
    EXPECT_EQ(result.banks.conflict_cycles, 0U) << name_of(s.type) << ", " << s.tokens;
    const std::uint64_t products = std::uint64_t{s.tokens} * s.inputs * s.outputs;
    EXPECT_EQ(result.flops, 2 * products - std::uint64_t{s.tokens} * s.outputs);
  }
}

TEST(StreamedGemmTest, WeightsThatAreZeroCostNothing) {
  for (const double density : {0.05, 0.2, 0.5, 0.9}) {
    for (const DataType type : {DataType::kFp16, DataType::kMixed, DataType::kFp32}) {
      // Sums beside the datapath, and in the SRAM.
      for (const std::uint32_t tokens : {32U, type == DataType::kFp32 ? 80U : 160U}) {
        if (tokens != 32 && density != 0.05) continue;
        const StreamedGemm gemm(shape({8, 1}, tokens, 128, 256, type, density), MeshConfig(), 1);
        const KernelResult result = run_kernel(gemm, MeshConfig());
        EXPECT_LT(std::abs(deviation(result, gemm)), 0.015)
            << density << ", " << tokens << ", " << name_of(type);
        std::uint64_t weights = 0;
        for (std::uint32_t x = 0; x < 8; ++x) weights += gemm.weights_of_column(x);
        EXPECT_NEAR(static_cast<double>(weights), density * 128 * 256, 700);
      }
    }
  }
}

// <dY, X W> = <dY W^T, X> for all X and dY if and only if both stream the same matrix.
TEST(StreamedGemmTest, TheGradientOfTheInputsStreamsTheSameWeights) {
  for (const double density : {0.3, 1.0}) {
    for (const DataType type : {DataType::kFp16, DataType::kMixed, DataType::kFp32}) {
      const StreamedGemm forward(shape({4, 3}, 18, 13, 22, type, density), MeshConfig(), 7);
      StreamedGemmShape s = shape({4, 3}, 18, 22, 13, type, density);
      s.transposed = true;
      const StreamedGemm gradient(s, MeshConfig(), 7);
      std::uint32_t zeros = 0;
      for (std::uint32_t k = 0; k < 13; ++k) {
        for (std::uint32_t n = 0; n < 22; ++n) {
          EXPECT_EQ(forward.weight(k, n), gradient.weight(n, k));
          zeros += forward.weight(k, n) == 0 ? 1 : 0;
        }
      }
      EXPECT_EQ(zeros > 100, density < 1);
      EXPECT_LT(run_kernel(gradient, MeshConfig()).max_rel_error, gradient.error_bound());
    }
  }
}

TEST(StreamedGemmTest, AShareThatATileDoesNotHoldIsRefused) {
  const auto refusal = [](const StreamedGemmShape& s) -> std::string {
    try {
      const StreamedGemm gemm(s, MeshConfig(), 1);
      check(gemm.kernel(), MeshConfig().sram.size_bytes, 256);
    } catch (const ProgramError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal(shape({2, 1}, 1000, 100, 8, DataType::kFp32)),
              ::testing::HasSubstr("bytes of data"));
  EXPECT_THAT(refusal(shape({2, 2}, 8, 1000, 100, DataType::kFp32)),
              ::testing::HasSubstr("bytes of data"));
}

}  // namespace
}  // namespace wse::tiles
