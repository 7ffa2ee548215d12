// SPDX-License-Identifier: Apache-2.0
// Tiles of RTL compute what the model's do, in the same cycles.
#include <gtest/gtest.h>

#include "wse/cosim/lockstep_tile.h"
#include "wse/cosim/tile_twins.h"
#include "wse/tiles/kernels/collective_job.h"
#include "wse/tiles/kernels/kernel_job.h"
#include "wse/tiles/kernels/streamed_gemm.h"
#include "wse/tiles/program_builder.h"

namespace wse::cosim {
namespace {

using tiles::DataType;
using tiles::KernelResult;
using tiles::TileMesh;
using P = tiles::ProgramBuilder;

class RtlTileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (tile_twins().empty()) GTEST_SKIP() << "this program was built without Verilator";
  }
};

/// Every `step`-th tile is RTL, on its own and in lockstep.
void expect_equal(const tiles::KernelJob& job, const tiles::MeshConfig& config,
                  std::uint32_t step) {
  const TileTwinKind& kind = tile_twin("tile", "test");
  const KernelResult model = tiles::run_kernel(job, config);
  for (const bool lockstep : {false, true}) {
    const KernelResult rtl = tiles::run_kernel(job, config, 1, [&](TileMesh& mesh) {
      for (std::uint32_t tile = 0; tile < mesh.kernel().mesh().tiles(); tile += step) {
        if (mesh.kernel().program(tile) == nullptr) continue;
        const tiles::TileSetup setup = mesh.setup_of(tile);
        auto twin = make_tile_twin(kind, setup);
        if (lockstep) {
          twin = std::make_unique<LockstepTile>("tile", std::move(twin),
                                                std::make_unique<tiles::TileModel>(setup));
        }
        mesh.set_tile(tile, std::move(twin));
      }
    });
    EXPECT_EQ(rtl.cycles, model.cycles);
    EXPECT_EQ(rtl.result_hash, model.result_hash);
    EXPECT_EQ(rtl.busy_cycles, model.busy_cycles);
    EXPECT_TRUE(rtl.events == model.events);
    EXPECT_TRUE(rtl.banks == model.banks);
  }
}

TEST_F(RtlTileTest, AChainReducesInTheSameCycles) {
  for (const std::uint32_t ramp : {1U, 2U, 3U}) {
    tiles::MeshConfig config;
    config.fabric.ramp_cycles = ramp;
    for (const std::uint32_t words : {1U, 2U, 7U, 64U}) {
      for (const fabric::Mesh mesh : {fabric::Mesh{5, 1}, fabric::Mesh{4, 3}}) {
        tiles::CollectiveShape shape;
        shape.mesh = mesh;
        shape.words = words;
        const tiles::CollectiveJob job(tiles::reduce(shape, tiles::ReduceAlgorithm::kChain), 1);
        expect_equal(job, config, 1);
        expect_equal(job, config, 2);
      }
    }
  }
}

TEST_F(RtlTileTest, WeightsStreamThroughTheSameMultiplications) {
  const tiles::MeshConfig config;
  for (const std::uint32_t tokens : {8U, 30U, 96U}) {  // sums beside the datapath, and in banks
    for (const std::uint32_t columns : {1U, 2U, 4U}) {
      tiles::StreamedGemmShape shape;
      shape.mesh = {columns, 2};
      shape.tokens = tokens;
      shape.inputs = 5 * columns;
      shape.outputs = 3 * columns;
      shape.type = DataType::kFp32;
      const tiles::StreamedGemm job(shape, config, 1);
      expect_equal(job, config, 1);
      expect_equal(job, config, 3);
    }
  }
}

TEST_F(RtlTileTest, WhatItCannotRunIsNamed) {
  tiles::Kernel kernel{fabric::Mesh{1, 1}};
  P p("wide");
  const tiles::Array x = p.array("x", 8, 2);
  p.task("main").active = true;
  p.vector(tiles::VectorOp::kMax, DataType::kFp16, p.all(x), p.all(x), p.all(x), P::integer(8));
  p.load(3, P::integer(0));
  p.end();
  kernel.program_of[0] = kernel.add(p.build());
  tiles::TileSetup setup;
  setup.kernel = &kernel;
  setup.sram.banks = 4;
  try {
    make_tile_twin(tile_twin("tile", "test"), setup);
    FAIL() << "nothing was thrown";
  } catch (const base::ConfigError& error) {
    const std::string text = error.what();
    for (const char* part : {"program 'wide' of tile (0,0)",
                             "instruction 0: fp16: must be fp32 or int32", "elements of 16 bits",
                             "instruction 1: loads, stores", "tile.sram.banks = 4: must be 8"}) {
      EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
  }
}

TEST_F(RtlTileTest, AStepPastTheMemoryStopsTheRunAndNamesTheTile) {
  tiles::Kernel kernel{fabric::Mesh{2, 1}};
  P p("past");
  const tiles::Array x = p.array("x", 8);
  p.task("main").active = true;
  p.set(5, P::integer(48 * 1024));
  p.vector(tiles::VectorOp::kMove, DataType::kFp32, p.at_register(p.all(x), 5), p.all(x),
           P::integer(8));
  p.end();
  kernel.program_of[1] = kernel.add(p.build());
  TileMesh mesh(kernel, {});
  mesh.set_tile(1, make_tile_twin(tile_twin("tile", "test"), mesh.setup_of(1)));
  try {
    mesh.run();
    FAIL() << "nothing was thrown";
  } catch (const tiles::KernelFailure& failure) {
    EXPECT_NE(std::string(failure.what()).find("tile fault in (1,0): a step past its memory"),
              std::string::npos)
        << failure.what();
  }
}

}  // namespace
}  // namespace wse::cosim
