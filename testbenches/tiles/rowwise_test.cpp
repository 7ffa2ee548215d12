// SPDX-License-Identifier: Apache-2.0
// Layer norm, softmax, GELU, cross-entropy, rotary embedding: right values for any shape, gradients that are gradients, and the cycles
// that were counted.
#include "wse/tiles/kernels/rowwise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/fabric_case.h"
#include "wse/base/random.h"

namespace wse::tiles {
namespace {

constexpr RowwiseOp kOps[]{RowwiseOp::kLayerNorm, RowwiseOp::kSoftmax, RowwiseOp::kGelu,
                           RowwiseOp::kCrossEntropy, RowwiseOp::kRotary};

RowwiseShape shape(RowwiseOp op, bool backward, fabric::Mesh mesh, std::uint32_t tokens,
                   std::uint32_t features, DataType type) {
  RowwiseShape s;
  s.op = op;
  s.backward = backward;
  s.mesh = mesh;
  s.tokens = tokens;
  s.features = features;
  s.type = type;
  return s;
}

TEST(RowwiseTest, AnyShapeGivesTheFunctionAndItsGradient) {
  const std::uint64_t cases = testing::case_count(200, 20);
  for (std::uint64_t seed = 0; seed < cases; ++seed) {
    base::Random random(seed);
    const RowwiseShape s =
        shape(kOps[seed % 3], seed / 3 % 2 == 1, {random.between(1, 9), random.between(1, 4)},
              random.between(1, 70), random.between(1, 40),
              seed / 6 % 2 == 1 ? DataType::kMixed : DataType::kFp32);
    const Rowwise kernel(s, MeshConfig(), seed);
    const KernelResult result = run_kernel(kernel, MeshConfig());
    ASSERT_LE(result.max_rel_error, kernel.error_bound())
        << "seed " << seed << ": " << name_of(s.op) << (s.backward ? " gradient" : "") << ", "
        << s.mesh.columns << " x " << s.mesh.rows << ", " << s.tokens << " tokens of " << s.features
        << " features, " << name_of(s.type);
  }
}

/// Of a sum of results with weights, against finite differences.
TEST(RowwiseTest, TheReferenceOfAGradientIsOne) {
  const std::vector<double> x{0.3, -1.2, 2.5, 0.7, -0.1};
  const std::vector<double> g{1.1, 0.4, -0.7, 0.9, 1.3};
  const std::vector<double> b{0.1, 0.2, -0.3, 0.4, 0};
  const std::vector<double> dy{0.5, -0.8, 0.2, 1.4, -0.6};
  for (const RowwiseOp op : {RowwiseOp::kLayerNorm, RowwiseOp::kSoftmax, RowwiseOp::kGelu}) {
    const auto sum = [&](const std::vector<double>& at) {
      const std::vector<double> y = Rowwise::forward(op, at, g, b);
      double total = 0;
      for (std::size_t i = 0; i < y.size(); ++i) total += dy[i] * y[i];
      return total;
    };
    const bool by_results = op == RowwiseOp::kSoftmax;
    const std::vector<double> dx =
        Rowwise::backward(op, by_results ? Rowwise::forward(op, x, g, b) : x, g, dy);
    for (std::size_t i = 0; i < x.size(); ++i) {
      constexpr double kStep = 1e-5;
      std::vector<double> low = x;
      std::vector<double> high = x;
      low[i] -= kStep;
      high[i] += kStep;
      EXPECT_NEAR(dx[i], (sum(high) - sum(low)) / (2 * kStep), 1e-8) << name_of(op) << " " << i;
    }
  }
}

TEST(RowwiseTest, TakesTheCyclesThatWereCounted) {
  for (const RowwiseOp op : kOps) {
    for (const bool backward : {false, true}) {
      for (const DataType type : {DataType::kFp32, DataType::kMixed}) {
        const Rowwise kernel(shape(op, backward, {8, 2}, 64, 128, type), MeshConfig(), 1);
        const KernelResult result = run_kernel(kernel, MeshConfig());
        const double error =
            static_cast<double>(result.cycles) / static_cast<double>(kernel.predicted()) - 1;
        // Elements of two bytes walk at half the rate of their sums and meet them in the banks.
        EXPECT_LT(std::abs(error), type == DataType::kFp32 ? 0.07 : 0.14)
            << name_of(op) << (backward ? " gradient, " : ", ") << name_of(type) << ": "
            << result.cycles << " for " << kernel.predicted();
      }
    }
  }
}

TEST(RowwiseTest, SumsOfHalvesAreRefused) {
  EXPECT_THAT(
      [] {
        const Rowwise kernel(shape(RowwiseOp::kSoftmax, false, {2, 2}, 8, 8, DataType::kFp16),
                             MeshConfig(), 1);
      },
      ::testing::ThrowsMessage<ProgramError>(::testing::HasSubstr("too coarse")));
}

}  // namespace
}  // namespace wse::tiles
