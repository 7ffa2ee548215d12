// SPDX-License-Identifier: Apache-2.0
// GEMM in blocks on the mesh: right values for any shape, and the cycles of its terms.
#include "wse/tiles/kernels/mesh_gemm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/fabric_case.h"
#include "wse/base/config_errors.h"
#include "wse/base/random.h"

namespace wse::tiles {
namespace {

constexpr MeshGemmAlgorithm kAlgorithms[]{MeshGemmAlgorithm::kSumma, MeshGemmAlgorithm::kCannon,
                                          MeshGemmAlgorithm::kInterleaved};
constexpr DataType kTypes[]{DataType::kFp16, DataType::kMixed, DataType::kFp32};

TEST(MeshGemmTest, AnyShapeGivesTheProduct) {
  const std::uint64_t cases = testing::case_count(90, 9);
  for (std::uint64_t seed = 0; seed < cases; ++seed) {
    base::Random random(seed);
    const std::uint32_t side = random.between(1, 9);
    const MeshGemmShape s{{side, side},          random.between(1, 60), random.between(1, 60),
                          random.between(1, 60), kTypes[seed / 3 % 3],  kAlgorithms[seed % 3]};
    const MeshGemm gemm(s, MeshConfig(), seed);
    const KernelResult result = run_kernel(gemm, MeshConfig());
    ASSERT_LE(result.max_rel_error, gemm.error_bound())
        << "seed " << seed << ": " << name_of(s.algorithm) << " on " << side << " x " << side
        << ", m " << s.m << ", k " << s.k << ", n " << s.n << ", " << name_of(s.type);
  }
}

TEST(MeshGemmTest, TakesTheCyclesOfItsTerms) {
  for (const MeshGemmAlgorithm algorithm : kAlgorithms) {
    for (const DataType type : kTypes) {
      const MeshGemm gemm({{6, 6}, 96, 96, 96, type, algorithm}, MeshConfig(), 1);
      const KernelResult result = run_kernel(gemm, MeshConfig());
      const double error =
          static_cast<double>(result.cycles) / static_cast<double>(gemm.predicted()) - 1;
      EXPECT_GT(error, 0) << name_of(algorithm) << ", " << name_of(type);
      EXPECT_LT(error, 0.05) << name_of(algorithm) << ", " << name_of(type);
      EXPECT_EQ(result.banks.conflict_cycles, 0U) << name_of(algorithm) << ", " << name_of(type);
      EXPECT_EQ(result.flops, 2U * 96 * 96 * 96);
    }
  }
}

TEST(MeshGemmTest, AMeshThatIsNotSquareIsRefused) {
  EXPECT_THAT(
      [] {
        const MeshGemm gemm({{3, 2}, 8, 8, 8, DataType::kFp32, MeshGemmAlgorithm::kCannon},
                            MeshConfig(), 1);
      },
      ::testing::ThrowsMessage<base::ConfigError>(
          ::testing::HasSubstr("must be square for a GEMM by cannon")));
}

}  // namespace
}  // namespace wse::tiles
