// SPDX-License-Identifier: Apache-2.0
// Attention, causal and full: right values for any shape, gradients that are gradients, and the cycles that
// were counted.
#include "wse/tiles/kernels/attention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/fabric_case.h"
#include "wse/base/random.h"

namespace wse::tiles {
namespace {

std::string text_of(const AttentionShape& s) {
  return std::string(s.causal ? "causal" : "full") + (s.backward ? " gradient, " : ", ") +
         std::to_string(s.mesh.columns) + " x " + std::to_string(s.mesh.rows) + ", " +
         std::to_string(s.tokens) + " tokens, " + std::to_string(s.heads) + " heads of " +
         std::to_string(s.head_features) + ", " + name_of(s.type).data();
}

TEST(AttentionTest, AnyShapeGivesTheFunctionAndItsGradient) {
  const std::uint64_t cases = testing::case_count(120, 20);
  for (std::uint64_t seed = 0; seed < cases; ++seed) {
    base::Random random(seed);
    AttentionShape s;
    s.causal = seed % 2 == 0;
    s.backward = seed / 2 % 2 == 1;
    s.type = seed / 4 % 2 == 1 ? DataType::kMixed : DataType::kFp32;
    s.heads = random.between(1, 2);
    s.mesh = {s.heads * random.between(1, 5), random.between(1, 6)};
    s.tokens = random.between(1, 24 * s.mesh.rows);
    s.head_features = random.between(1, 12);
    const Attention kernel(s, MeshConfig(), seed);
    const KernelResult result = run_kernel(kernel, MeshConfig());
    ASSERT_LE(result.max_rel_error, kernel.error_bound()) << "seed " << seed << ": " << text_of(s);
  }
}

/// Of a sum of results with weights, against finite differences.
TEST(AttentionTest, TheReferenceOfAGradientIsOne) {
  for (const bool causal : {true, false}) {
    AttentionShape s;
    s.tokens = 5;
    s.head_features = 3;
    s.causal = causal;
    base::Random random(1);
    AttentionData data;
    for (std::vector<double>* numbers : {&data.q, &data.k, &data.v, &data.dy}) {
      for (int i = 0; i < 15; ++i) numbers->push_back(random.between(0, 2000) / 1000.0 - 1);
    }
    const AttentionResult r = Attention::reference(s, data);
    const auto sum = [&](const AttentionData& at) {
      const std::vector<double> y = Attention::reference(s, at).y;
      double total = 0;
      for (std::size_t i = 0; i < y.size(); ++i) total += data.dy[i] * y[i];
      return total;
    };
    const auto check = [&](std::vector<double> AttentionData::*of,
                           const std::vector<double>& gradient, const char* name) {
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        constexpr double kStep = 1e-5;
        AttentionData low = data;
        AttentionData high = data;
        (low.*of)[i] -= kStep;
        (high.*of)[i] += kStep;
        EXPECT_NEAR(gradient[i], (sum(high) - sum(low)) / (2 * kStep), 1e-8) << name << " " << i;
      }
    };
    check(&AttentionData::q, r.dq, "q");
    check(&AttentionData::k, r.dk, "k");
    check(&AttentionData::v, r.dv, "v");
  }
}

TEST(AttentionTest, TakesTheCyclesThatWereCounted) {
  for (const bool causal : {true, false}) {
    for (const bool backward : {false, true}) {
      for (const DataType type : {DataType::kFp32, DataType::kMixed}) {
        AttentionShape s;
        s.mesh = {4, 4};
        s.tokens = 64;
        s.head_features = 32;
        s.causal = causal;
        s.backward = backward;
        s.type = type;
        const Attention kernel(s, MeshConfig(), 1);
        const KernelResult result = run_kernel(kernel, MeshConfig());
        const double error =
            static_cast<double>(result.cycles) / static_cast<double>(kernel.predicted()) - 1;
        // Not counted: meetings in the banks, and waits for blocks of rows that are behind.
        EXPECT_LT(std::abs(error), 0.08)
            << text_of(s) << ": " << result.cycles << " for " << kernel.predicted();
      }
    }
  }
}

/// Keys that no query may see change nothing, not even a bit.
TEST(AttentionTest, CausalTokensDoNotSeeThoseBehindThem) {
  AttentionShape s;
  s.tokens = 6;
  s.head_features = 2;
  AttentionData data;
  for (std::vector<double>* numbers : {&data.q, &data.k, &data.v}) {
    for (int i = 0; i < 12; ++i) numbers->push_back(0.1 * i);
  }
  const AttentionResult before = Attention::reference(s, data);
  data.k[5] = data.v[5] = 100;  // the last token, feature 0
  const AttentionResult after = Attention::reference(s, data);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(before.y[i], after.y[i]);
  EXPECT_NE(before.y[5], after.y[5]);
}

TEST(AttentionTest, ShapesThatDoNotFitAreRefused) {
  const auto make = [](AttentionShape s) { const Attention kernel(s, MeshConfig(), 1); };
  AttentionShape s;
  s.mesh = {4, 2};
  s.tokens = 8;
  const auto refuses = [&](const char* text) {
    EXPECT_THAT([&] { make(s); },
                ::testing::ThrowsMessage<ProgramError>(::testing::HasSubstr(text)));
  };
  s.type = DataType::kFp16;
  refuses("too coarse");
  s.type = DataType::kFp32;
  s.heads = 3;
  refuses("4 columns are no equal groups for 3 heads");
  s.heads = 1;
  s.tokens = 130;
  refuses("65 tokens a tile; their sums fit beside the datapath for 64: 3 rows would do");
}

}  // namespace
}  // namespace wse::tiles
