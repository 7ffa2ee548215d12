// SPDX-License-Identifier: Apache-2.0
// The 25-point stencil: right values on any grid, and what was published of its times.
#include "wse/tiles/kernels/stencil25.h"

#include <gtest/gtest.h>

#include "support/fabric_case.h"
#include "wse/base/random.h"

namespace wse::tiles {
namespace {

KernelResult run(fabric::Mesh mesh, std::uint32_t nz, std::uint32_t block = 0,
                 std::uint32_t steps = 1, std::uint64_t seed = 1) {
  StencilShape s;
  s.mesh = mesh;
  s.nz = nz;
  s.block = block;
  s.steps = steps;
  return run_kernel(Stencil25(s, seed), MeshConfig());
}

TEST(Stencil25Test, AnyGridGivesTheWave) {
  const std::uint64_t cases = testing::case_count(30, 5);
  for (std::uint64_t seed = 0; seed < cases; ++seed) {
    base::Random random(seed);
    const fabric::Mesh mesh{random.between(5, 13), random.between(5, 13)};
    const std::uint32_t nz = random.between(1, 40);
    const std::uint32_t block = random.between(0, 1) == 0 ? 0 : random.between(1, 45);
    const std::uint32_t steps = random.between(1, 4);
    const KernelResult result = run(mesh, nz, block, steps, seed);
    ASSERT_LT(result.max_rel_error, 1e-5)
        << "seed " << seed << ": " << mesh.columns << " x " << mesh.rows << " x " << nz
        << " in blocks of " << block << ", " << steps << " steps";
  }
}

// [jacquelin2022]: 8.637 us a step of 100 cells and 23.716 us of 300 at 850 MHz; a profiler found
// 69.6 % of the cycles busy.
TEST(Stencil25Test, ACellTakesThePublishedCycles) {
  const KernelResult hundred = run({16, 16}, 100);
  const KernelResult three_hundred = run({16, 16}, 300);
  const double a_cell = static_cast<double>(three_hundred.cycles - hundred.cycles) / 200;
  const double published = (23.716 - 8.637) * 850 / 200;
  EXPECT_NEAR(a_cell, published, 0.1 * published);
  EXPECT_NEAR(run({32, 32}, 100).busy_fraction, 0.696, 0.05);
}

TEST(Stencil25Test, WordsGoFourHopsInEachDirection) {
  // Of a row of n tiles, tile i is heard by min(4, n - 1 - i) others eastwards: 4 n - 10 hops a word.
  const KernelResult result = run({9, 7}, 10);
  const std::uint64_t data = 10 * 2 * (7 * (4 * 9 - 10) + 9 * (4 * 7 - 10));
  // Two control wavelets go as far, less what the switches have changed between them.
  EXPECT_GT(result.wavelet_hops, data);
  EXPECT_LT(result.wavelet_hops, data + data / 10 * 2);
  const std::uint64_t cells = 9 * 7 * 10;
  // 20 multiplications, or fewer at an edge, 20 additions, 8 multiply-adds and a subtraction.
  EXPECT_LE(result.flops, cells * (20 + 20 + 16 + 1));
  EXPECT_GT(result.flops, cells * (20 + 16 + 1));
}

}  // namespace
}  // namespace wse::tiles
