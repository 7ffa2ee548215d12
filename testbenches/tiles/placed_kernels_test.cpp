// SPDX-License-Identifier: Apache-2.0
// Kernels whose activations lie where a map says: the values are right, whatever the strides, and maps
// that cannot be are refused.
#include <gtest/gtest.h>

#include "support/fabric_case.h"
#include "wse/base/random.h"
#include "wse/tiles/kernels/attention.h"
#include "wse/tiles/kernels/embedding.h"
#include "wse/tiles/kernels/gradient_gemm.h"
#include "wse/tiles/kernels/rowwise.h"
#include "wse/tiles/kernels/streamed_gemm.h"

namespace wse::tiles {
namespace {

constexpr std::uint32_t kScratch = 24 * 1024;

/// Arrays one behind the other, in the order of their names, at addresses that are multiples of 8.
MemoryMap map_of(const std::vector<std::pair<std::string, std::uint32_t>>& arrays,
                 std::uint32_t stride) {
  MemoryMap map;
  std::uint32_t next = 8;
  for (const auto& [name, elements] : arrays) {
    map.addresses[name] = next;
    next += (4 * elements + 7) / 8 * 8;
  }
  map.scratch = kScratch;
  map.stride = stride;
  return map;
}

void expect_right(const KernelJob& job, const MemoryMap& map, double bound, std::uint64_t seed) {
  for (const Program& program : job.kernel().programs) {
    for (const auto& [name, address] : map.addresses) {
      const Array* array = program.find_array(name);
      if (array != nullptr && program.memory_bytes >= map.scratch) {
        EXPECT_EQ(array->address, address) << program.name << ", " << name;
      }
    }
  }
  const KernelResult result = run_kernel(job, MeshConfig());
  ASSERT_LE(result.max_rel_error, bound) << job.kernel().name << ", seed " << seed;
}

/// Tokens of a tile, and a stride that is no multiple of the banks' turn.
struct Tokens {
  std::uint32_t of_tile, stride;
};
Tokens tokens_of(base::Random& random) {
  const std::uint32_t t = random.between(1, 16);
  return {t, t + random.between(0, 9)};
}

TEST(PlacedKernelsTest, GemmsAreRight) {
  const std::uint64_t cases = testing::case_count(20, 5);
  for (std::uint64_t seed = 0; seed < cases; ++seed) {
    base::Random random(seed);
    const fabric::Mesh mesh{random.between(1, 6), random.between(1, 4)};
    const Tokens t = tokens_of(random);
    const std::uint32_t inputs = random.between(1, 30);
    const std::uint32_t outputs = random.between(1, 30);
    const std::uint32_t tokens = t.of_tile * mesh.rows;
    const MemoryMap y = map_of({{"x", 30 * t.stride}, {"y", 30 * t.stride}}, t.stride);
    const StreamedGemm gemm({mesh, tokens, inputs, outputs, DataType::kFp32}, MeshConfig(), seed,
                            y);
    expect_right(gemm, y, gemm.error_bound(), seed);
    const MemoryMap dw = map_of({{"x", 30 * t.stride}, {"dy", 30 * t.stride}}, t.stride);
    const GradientGemm gradient({mesh, tokens, inputs, outputs, DataType::kFp32}, MeshConfig(),
                                seed, dw);
    expect_right(gradient, dw, gradient.error_bound(), seed);
  }
}

TEST(PlacedKernelsTest, RowwiseOperationsAreRight) {
  constexpr RowwiseOp kOps[]{RowwiseOp::kLayerNorm, RowwiseOp::kGelu, RowwiseOp::kCrossEntropy,
                             RowwiseOp::kSoftmax};
  const std::uint64_t cases = testing::case_count(24, 8);
  for (std::uint64_t seed = 0; seed < cases; ++seed) {
    base::Random random(seed);
    RowwiseShape shape;
    shape.mesh = {random.between(1, 6), random.between(1, 4)};
    const Tokens t = tokens_of(random);
    shape.tokens = t.of_tile * shape.mesh.rows;
    shape.features = random.between(2, 30);
    shape.op = kOps[seed % 4];
    shape.backward = seed / 4 % 2 != 0;
    const std::uint32_t all = shape.tile_features() * t.stride;
    const MemoryMap map = map_of({{"x", all},
                                  {"dy", all},
                                  {"y", all},
                                  {"mean", 16},
                                  {"rstd", 16},
                                  {"scale", 30},
                                  {"shift", 30},
                                  {"target", 16},
                                  {"loss", 16},
                                  {"value", 92}},
                                 t.stride);
    const Rowwise job(shape, MeshConfig(), seed, map);
    expect_right(job, map, job.error_bound(), seed);
  }
}

TEST(PlacedKernelsTest, AttentionIsRight) {
  const std::uint64_t cases = testing::case_count(16, 6);
  for (std::uint64_t seed = 0; seed < cases; ++seed) {
    base::Random random(seed);
    AttentionShape shape;
    shape.heads = random.between(1, 2);
    shape.mesh = {shape.heads * random.between(1, 3), random.between(1, 4)};
    const Tokens t = tokens_of(random);
    shape.tokens = t.of_tile * shape.mesh.rows;
    shape.head_features = random.between(1, 9);
    shape.causal = seed % 4 != 3;
    shape.backward = seed % 2 != 0;
    const std::uint32_t all = shape.tile_features() * t.stride;
    const MemoryMap map = map_of({{"q", all},
                                  {"kv", 2 * all},
                                  {"y", all},
                                  {"dy", all},
                                  {"dq", all},
                                  {"dkv", 2 * all},
                                  {"log sum", 16}},
                                 t.stride);
    const Attention job(shape, MeshConfig(), seed, map);
    expect_right(job, map, job.error_bound(), seed);
  }
}

TEST(PlacedKernelsTest, EmbeddingsAreRight) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    base::Random random(seed);
    EmbeddingShape shape;
    shape.mesh = {random.between(1, 5), random.between(1, 4)};
    const Tokens t = tokens_of(random);
    shape.tokens = t.of_tile * shape.mesh.rows;
    shape.features = random.between(1, 20);
    shape.vocabulary = random.between(1, 40);
    shape.backward = seed % 2 != 0;
    const MemoryMap map = map_of({{"x", shape.tile_features() * t.stride}}, t.stride);
    const Embedding job(shape, MeshConfig(), seed, map);
    expect_right(job, map, job.error_bound(), seed);
  }
}

std::string error_of(DataType type, const MemoryMap& map) {
  try {
    const StreamedGemm gemm({{2, 2}, 16, 8, 8, type}, MeshConfig(), 1, map);
  } catch (const ProgramError& error) {
    return error.what();
  }
  return {};
}

TEST(PlacedKernelsTest, MapsThatCannotBeAreRefused) {
  MemoryMap map;
  map.addresses["x"] = 0;
  map.scratch = 4 * 8 * 4 - 1;
  EXPECT_NE(error_of(DataType::kFp32, map)
                .find("array 'x' of 128 bytes is placed at 0, but must "
                      "end before the scratch at 127"),
            std::string::npos)
      << error_of(DataType::kFp32, map);
  map.scratch = 4 * 8 * 4;
  EXPECT_EQ(error_of(DataType::kFp32, map), "");
  map.stride = 7;
  EXPECT_EQ(error_of(DataType::kFp32, map),
            "streamed gemm: a stride of 7 elements is shorter than 8 tokens");
  map.stride = 8;
  EXPECT_EQ(error_of(DataType::kFp32, map), "");
  EXPECT_EQ(error_of(DataType::kMixed, map),
            "streamed gemm: a given stride of features is one of fp32 elements");
}

}  // namespace
}  // namespace wse::tiles
