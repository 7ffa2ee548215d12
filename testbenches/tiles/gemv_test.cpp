// SPDX-License-Identifier: Apache-2.0
// Products of a matrix and a vector: right values for any shape, and the cycles of their terms.
#include "wse/tiles/kernels/gemv.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/fabric_case.h"
#include "wse/base/random.h"

namespace wse::tiles {
namespace {

GemvShape shape(fabric::Mesh mesh, std::uint32_t rows, std::uint32_t columns, DataType type) {
  GemvShape s;
  s.mesh = mesh;
  s.rows = rows;
  s.columns = columns;
  s.type = type;
  return s;
}

TEST(GemvTest, AnyShapeGivesTheProductInEveryTileOfARow) {
  constexpr DataType kTypes[]{DataType::kFp16, DataType::kMixed, DataType::kFp32};
  const std::uint64_t cases = testing::case_count(60, 10);
  for (std::uint64_t seed = 0; seed < cases; ++seed) {
    base::Random random(seed);
    const GemvShape s = shape({random.between(1, 20), random.between(1, 4)}, random.between(1, 200),
                              random.between(1, 300), kTypes[seed % 3]);
    const Gemv gemv(s, MeshConfig(), seed);
    const KernelResult result = run_kernel(gemv, MeshConfig());
    ASSERT_LE(result.max_rel_error, gemv.error_bound())
        << "seed " << seed << ": " << s.mesh.columns << " x " << s.mesh.rows << ", " << s.rows
        << " x " << s.columns << ", " << name_of(s.type);
  }
}

TEST(GemvTest, TakesTheCyclesOfItsTerms) {
  for (const GemvShape& s :
       {shape({64, 2}, 50, 1600, DataType::kFp16), shape({200, 1}, 26, 5000, DataType::kFp16),
        shape({64, 2}, 50, 1600, DataType::kMixed), shape({64, 2}, 50, 1600, DataType::kFp32)}) {
    const Gemv gemv(s, MeshConfig(), 1);
    const KernelResult result = run_kernel(gemv, MeshConfig());
    const double error =
        static_cast<double>(result.cycles) / static_cast<double>(gemv.predicted()) - 1;
    EXPECT_LT(std::abs(error), 0.08)
        << name_of(s.type) << ": " << result.cycles << " for " << gemv.predicted();
    EXPECT_EQ(result.banks.conflict_cycles, 0U);
  }
}

}  // namespace
}  // namespace wse::tiles
