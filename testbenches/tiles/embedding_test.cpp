// SPDX-License-Identifier: Apache-2.0
// Embedding: right values for any shape, and the cycles of its term.
#include "wse/tiles/kernels/embedding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/fabric_case.h"
#include "wse/base/random.h"

namespace wse::tiles {
namespace {

TEST(EmbeddingTest, AnyShapeGivesTheWordsAndTheirGradients) {
  const std::uint64_t cases = testing::case_count(200, 30);
  for (std::uint64_t seed = 0; seed < cases; ++seed) {
    base::Random random(seed);
    EmbeddingShape s;
    s.backward = seed % 2 == 1;
    s.type = seed / 2 % 2 == 1 ? DataType::kMixed : DataType::kFp32;
    s.mesh = {random.between(1, 5), random.between(1, 6)};
    s.tokens = random.between(1, 60);
    s.features = random.between(1, 30);
    s.vocabulary = random.between(1, 100);
    const Embedding kernel(s, MeshConfig(), seed);
    const KernelResult result = run_kernel(kernel, MeshConfig());
    ASSERT_LE(result.max_rel_error, kernel.error_bound())
        << "seed " << seed << ": " << s.mesh.columns << " x " << s.mesh.rows << ", " << s.tokens
        << " tokens, " << s.features << " features, " << s.vocabulary << " words";
  }
}

TEST(EmbeddingTest, TakesTheCyclesOfItsTerm) {
  for (const bool backward : {false, true}) {
    for (const DataType type : {DataType::kFp32, DataType::kMixed}) {
      EmbeddingShape s;
      s.mesh = {4, 8};
      s.tokens = 256;
      s.features = 64;
      s.type = type;
      s.backward = backward;
      const Embedding kernel(s, MeshConfig(), 1);
      const KernelResult result = run_kernel(kernel, MeshConfig());
      const double error =
          static_cast<double>(result.cycles) / static_cast<double>(kernel.predicted()) - 1;
      EXPECT_LT(std::abs(error), 0.06) << name_of(type) << (backward ? ", gradient: " : ": ")
                                       << result.cycles << " for " << kernel.predicted();
    }
  }
}

TEST(EmbeddingTest, SaysHowManyWordsFit) {
  EmbeddingShape s;
  s.features = 100;
  s.vocabulary = 50'257;
  EXPECT_THAT([&] { const Embedding kernel(s, MeshConfig(), 1); },
              ::testing::ThrowsMessage<ProgramError>(::testing::HasSubstr(
                  "50257 words of 400 bytes; beside 8 tokens a tile of the first row holds 120")));
  s.type = DataType::kFp16;
  EXPECT_THAT([&] { const Embedding kernel(s, MeshConfig(), 1); },
              ::testing::ThrowsMessage<ProgramError>(::testing::HasSubstr("fp32 or mixed")));
}

}  // namespace
}  // namespace wse::tiles
