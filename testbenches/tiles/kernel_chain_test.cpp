// SPDX-License-Identifier: Apache-2.0
// Kernels that follow each other on one memory: the next one finds what the one before has left.
#include "wse/tiles/kernel_chain.h"

#include <gtest/gtest.h>

#include <numeric>

#include "wse/tiles/kernels/column_kernels.h"
#include "wse/tiles/kernels/streamed_gemm.h"

namespace wse::tiles {
namespace {

constexpr std::uint32_t kScratch = 8 * 1024;

std::vector<float> read(const KernelChain& chain, std::uint32_t tile, std::uint32_t address,
                        std::uint32_t n) {
  std::vector<float> numbers(n);
  chain.memory().read(tile, address, numbers.data(), 4 * numbers.size());
  return numbers;
}
void write(KernelChain& chain, std::uint32_t tile, std::uint32_t address,
           const std::vector<float>& numbers) {
  chain.memory().write(tile, address, numbers.data(), 4 * numbers.size());
}
std::vector<float> numbers_from(float first, std::uint32_t n) {
  std::vector<float> numbers(n);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}
MemoryMap at(const std::string& name, std::uint32_t address, std::uint32_t stride = 0) {
  return {{{name, address}}, kScratch, stride};
}

TEST(KernelChainTest, WordsOfRow0ReachAllTilesOrEachItsOwn) {
  const fabric::Mesh mesh{3, 4};
  KernelChain chain({3, 5}, MeshConfig());
  for (std::uint32_t x = 0; x < 3; ++x) {
    write(chain, x, 0, numbers_from(100.0F * static_cast<float>(x), 20));
  }
  chain.run("all", broadcast_down(mesh, 5, at("result", 40)));
  chain.run("each", scatter_down(mesh, 5, at("result", 80)));
  for (std::uint32_t tile = 3; tile < 15; ++tile) {
    const float of_column = 100.0F * static_cast<float>(tile % 3);
    EXPECT_EQ(read(chain, tile, 40, 5), numbers_from(of_column, 5)) << tile;
    const float of_row = of_column + 5.0F * static_cast<float>(tile / 3 - 1);
    EXPECT_EQ(read(chain, tile, 80, 5), numbers_from(of_row, 5)) << tile;
  }
}

TEST(KernelChainTest, BiasIsAddedAndItsGradientSummed) {
  const ColumnShape shape{{2, 3}, 5, 70};  // more features than lie beside the datapath
  const std::uint32_t stride = 6;
  KernelChain chain({2, 4}, MeshConfig());
  for (std::uint32_t tile = 2; tile < 8; ++tile) {
    write(chain, tile, 16, numbers_from(static_cast<float>(tile), 70 * stride));
  }
  for (std::uint32_t x = 0; x < 2; ++x) write(chain, x, 0, numbers_from(1, 70));
  chain.run("bias", add_bias(shape, at("y", 16, stride)));
  const Kernel sums = sum_tokens(shape, ComputeConfig(), at("dy", 16, stride));
  chain.run("sums", sums);
  for (std::uint32_t tile = 2; tile < 8; ++tile) {
    const std::vector<float> y = read(chain, tile, 16, 70 * stride);
    for (std::uint32_t i = 0; i < y.size(); ++i) {
      const std::uint32_t bias = i % stride < 5 ? i / stride + 1 : 0;
      ASSERT_EQ(y[i], static_cast<float>(tile + i + bias)) << tile << ", " << i;
    }
  }
  const std::uint32_t address = sums.program(0)->find_array("sums")->address;
  for (std::uint32_t x = 0; x < 2; ++x) {
    const std::vector<float> sum = read(chain, x, address, 70);
    for (std::uint32_t f = 0; f < 70; ++f) {
      // Tokens of rows 1 to 3, whose numbers begin with that of the tile.
      const std::uint32_t tiles = x + 2 + x + 4 + x + 6;
      ASSERT_EQ(sum[f], static_cast<float>(5 * tiles + 3 * (10 + 5 * (f * stride + f + 1)))) << f;
    }
  }
}

TEST(KernelChainTest, AdditionLeavesWhatLiesBetweenFeatures) {
  KernelChain chain({2, 3}, MeshConfig());
  for (std::uint32_t tile = 2; tile < 6; ++tile) {
    write(chain, tile, 0, numbers_from(1, 12));
    write(chain, tile, 48, numbers_from(10, 12));
  }
  // Into one of its operands.
  const MemoryMap map{{{"a", 0}, {"b", 48}, {"y", 48}}, kScratch, 4};
  chain.run("add", add_activations({{2, 2}, 3, 3}, map));
  const std::vector<float> expected{11, 13, 15, 13, 19, 21, 23, 17, 27, 29, 31, 21};
  for (std::uint32_t tile = 2; tile < 6; ++tile) EXPECT_EQ(read(chain, tile, 48, 12), expected);
}

TEST(KernelChainTest, TheFirstRowGoesUp) {
  KernelChain chain({2, 3}, MeshConfig());
  for (std::uint32_t tile = 2; tile < 6; ++tile) {
    write(chain, tile, 64, numbers_from(static_cast<float>(tile), 3));
  }
  const Kernel lift = lift_first_row({2, 2}, 3, at("source", 64));
  chain.run("lift", lift);
  const std::uint32_t address = lift.program(0)->find_array("result")->address;
  EXPECT_EQ(read(chain, 0, address, 3), numbers_from(2, 3));
  EXPECT_EQ(read(chain, 1, address, 3), numbers_from(3, 3));
}

/// Streams W[i][o] = 10 i + o + 1 by the column that has an input, output by output.
void stream(KernelChain& chain, const StreamedGemm& gemm, const StreamedGemmShape& s) {
  const std::uint32_t address = gemm.kernel().program(0)->find_array("weights")->address;
  for (std::uint32_t x = 0; x < s.mesh.columns; ++x) {
    std::vector<float> words;
    for (std::uint32_t o = 0; o < s.tile_outputs() * s.mesh.columns; ++o) {
      const std::uint32_t out = s.column_of_output(o) * s.tile_outputs() + o % s.tile_outputs();
      for (std::uint32_t i = 0; i < s.tile_inputs(); ++i) {
        words.push_back(static_cast<float>(10 * (x * s.tile_inputs() + i) + out + 1));
      }
    }
    write(chain, x, address, words);
  }
}

TEST(KernelChainTest, AProductIsTheNextOnesInput) {
  StreamedGemmShape first;
  first.mesh = {3, 2};
  first.tokens = 6;
  first.inputs = 3;
  first.outputs = 6;
  first.type = DataType::kFp32;
  StreamedGemmShape second = first;
  second.inputs = 6;
  second.outputs = 3;
  const MemoryMap to_hidden{{{"x", 0}, {"y", 64}}, kScratch, 5};
  const MemoryMap from_hidden{{{"x", 64}, {"y", 128}}, kScratch, 5};
  const StreamedGemm up(first, MeshConfig(), 1, to_hidden);
  const StreamedGemm down(second, MeshConfig(), 1, from_hidden);
  KernelChain chain({3, 3}, MeshConfig());
  for (std::uint32_t tile = 3; tile < 9; ++tile) {
    write(chain, tile, 0, numbers_from(static_cast<float>(tile), 3));
  }
  stream(chain, up, first);
  chain.run("up", up.kernel());
  stream(chain, down, second);
  chain.run("down", down.kernel());
  for (std::uint32_t tile = 3; tile < 9; ++tile) {
    for (std::uint32_t t = 0; t < 3; ++t) {
      const std::uint32_t row = tile / 3 * 3;
      float y = 0;
      for (std::uint32_t h = 0; h < 6; ++h) {
        float hidden = 0;
        for (std::uint32_t i = 0; i < 3; ++i) {
          hidden += static_cast<float>((row + i + t) * (10 * i + h + 1));
        }
        y += hidden * static_cast<float>(10 * h + tile % 3 + 1);
      }
      EXPECT_EQ(read(chain, tile, 128, 3)[t], y) << tile << ", " << t;
    }
  }
  ASSERT_EQ(chain.costs().size(), 2U);
  EXPECT_EQ(chain.costs()[0].name, "up");
  EXPECT_EQ(chain.cycles(), chain.costs()[0].cycles + chain.costs()[1].cycles);
  EXPECT_GT(chain.costs()[1].cycles, 6 * 4U);
  const base::EventCounts& events = chain.costs()[1].events;
  EXPECT_EQ(base::at(events, base::EventKind::kLinkHop), chain.costs()[1].wavelet_hops);
  EXPECT_GT(chain.costs()[1].wavelet_hops, 0U);
}

TEST(KernelChainTest, LoadingIsAWordACycleOfEachProgramOfAColumn) {
  const Kernel kernel = broadcast_down({2, 3}, 5, at("result", 40));
  const base::Cycles words =
      (kernel.programs[0].instructions.size() + kernel.programs[1].instructions.size()) *
      kInstructionBytes / 4;
  EXPECT_EQ(load_cycles(kernel), words + 4);
  KernelChain chain({2, 4}, MeshConfig());
  chain.run("twice", kernel);
  chain.run("twice", kernel);
  ASSERT_EQ(chain.costs().size(), 1U);
  EXPECT_EQ(chain.costs()[0].runs, 2U);
  EXPECT_EQ(chain.all_load_cycles(), 2 * (words + 4));
}

TEST(KernelChainTest, AKernelOfAnotherMeshIsRefused) {
  KernelChain chain({2, 4}, MeshConfig());
  try {
    chain.run("wide", broadcast_down({3, 3}, 5, at("result", 40)));
    FAIL();
  } catch (const ProgramError& error) {
    EXPECT_STREQ(error.what(),
                 "wide: a kernel of 3x4 tiles on a mesh of 2x4, of which it may leave out the "
                 "first row");
  }
}

}  // namespace
}  // namespace wse::tiles
