// SPDX-License-Identifier: Apache-2.0
// A window of a training step on modules: regions of any shape change nothing.
#include <gtest/gtest.h>

#include "support/systemc_test.h"
#include "wse/model/kernel_machine.h"
#include "wse/tiles/kernels/window_gemm.h"

namespace wse::model {
namespace {

tiles::WindowGemmShape shape() {
  tiles::WindowGemmShape s;
  s.ring = 20;
  s.columns = {6, 13};
  s.first_row = 3;
  s.rows = 5;
  s.tile_tokens = 6;
  s.inputs = 90;
  s.outputs = 60;
  s.block_outputs = 25;
  return s;
}

class WindowMachineTest : public testing_support::SystemCTest {
 protected:
  /// Regions of the mesh, 11 columns and 6 rows with the two neighbours on each side and the row that brings weights.
  void expect_equal(const std::vector<base::Rectangle>& regions, std::uint32_t threads = 1) {
    tiles::WindowGemm gemm(shape(), tiles::MeshConfig(), 3);
    tiles::TileMesh plain(gemm.kernel(), gemm.config());
    static_cast<const tiles::KernelJob&>(gemm).fill(plain);
    plain.run();
    KernelMachineConfig config;
    config.mesh = gemm.config();
    config.mesh.fabric.copies_a_thread = 1;
    config.regions = regions;
    config.threads = threads;
    KernelMachine machine("window", gemm.kernel(), config);
    gemm.set_arrival({0, 0, 0, machine.next_launch()});
    const fabric::Mesh mesh = gemm.kernel().mesh();
    gemm.fill([&](std::uint32_t tile, std::uint32_t address, const void* data, std::size_t n) {
      const base::Coordinate at = mesh.at(tile);
      machine.copy_to({{at.x, at.x + 1}, {at.y, at.y + 1}}, address, data, n);
    });
    machine.launch();
    std::uint32_t calls = 0;
    machine.wait_for_end([&calls] { ++calls; });
    EXPECT_GE(calls, 2U);
    EXPECT_EQ(machine.cycles(), plain.cycles());
    gemm.expect([&](std::uint32_t tile, const tiles::Array& array, std::uint32_t first,
                    const std::vector<double>& reference) {
      std::uint16_t here = 0;
      std::uint16_t there = 0;
      ASSERT_EQ(reference.size(), 1U);
      const base::Coordinate at = mesh.at(tile);
      machine.copy_from({{at.x, at.x + 1}, {at.y, at.y + 1}}, array.address + 2 * first, &here, 2);
      plain.read(tile, array.address + 2 * first, &there, 2);
      ASSERT_EQ(here, there) << at.x << ", " << at.y;
    });
    tiles::EngineStats sum;
    for (std::size_t r = 0; r < regions.size(); ++r) sum += machine.stats(r);
    EXPECT_EQ(sum.busy_cycles, plain.stats().busy_cycles);
    EXPECT_EQ(sum.banks.reads32, plain.stats().banks.reads32);
  }
};

TEST_F(WindowMachineTest, TheWindowAndWhatStandsAroundIt) {
  expect_equal({{{2, 9}, {1, 6}}, {{0, 11}, {0, 1}}, {{0, 2}, {1, 6}}, {{9, 11}, {1, 6}}});
}

TEST_F(WindowMachineTest, PiecesOfTheWindowAndThreads) {
  expect_equal({{{2, 4}, {1, 6}},
                {{4, 9}, {1, 2}},
                {{4, 9}, {2, 6}},
                {{0, 11}, {0, 1}},
                {{0, 2}, {1, 6}},
                {{9, 11}, {1, 6}}},
               2);
}

}  // namespace
}  // namespace wse::model
