// SPDX-License-Identifier: Apache-2.0
// A kernel on modules does what it does without them, however the mesh is cut into regions.
#include "wse/model/kernel_machine.h"

#include <gtest/gtest.h>

#include <cstring>

#include "support/systemc_test.h"
#include "wse/memory/bank_model.h"
#include "wse/memory/banked_sram.h"
#include "wse/tiles/kernels/collective_job.h"
#include "wse/tiles/program_builder.h"

namespace wse::model {
namespace {

using tiles::Collective;
using tiles::CollectiveData;
using tiles::ComputeEngines;
using tiles::TileMesh;

std::uint32_t bits_of(double value) {
  const auto single = static_cast<float>(value);
  std::uint32_t bits;
  std::memcpy(&bits, &single, sizeof bits);
  return bits;
}

class KernelMachineTest : public testing_support::SystemCTest {
 protected:
  static std::unique_ptr<memory::BankedSram> banked_sram() {
    const memory::SramConfig config;
    std::vector<std::unique_ptr<memory::BankTwin>> banks;
    for (std::uint32_t b = 0; b < config.banks; ++b) {
      banks.push_back(std::make_unique<memory::BankModel>(1536));
    }
    return std::make_unique<memory::BankedSram>(config, std::move(banks));
  }

  static Collective kernel() {
    tiles::CollectiveShape shape;
    shape.mesh = {9, 6};
    shape.words = 12;
    return tiles::allreduce(shape, tiles::AllreduceAlgorithm::kReduceBroadcast,
                            tiles::ReduceAlgorithm::kTree);
  }

  /// Runs the kernel on regions of a size and compares everything with the mesh without modules.
  /// `banked`: every so many tiles have an SRAM of banks with pins, behind their array.
  void expect_equal(std::uint32_t columns, std::uint32_t rows, std::uint32_t banked = 0) {
    const Collective c = kernel();
    const fabric::Mesh mesh = c.shape.mesh;
    const CollectiveData data(c, 7);
    KernelMachineConfig config;
    config.region_columns = columns;
    config.region_rows = rows;
    TileMesh plain(c.kernel, config.mesh);
    KernelMachine machine("machine", c.kernel, config);
    std::vector<std::unique_ptr<memory::BankedSram>> srams;
    for (std::uint32_t tile = 0; banked != 0 && tile < mesh.tiles(); tile += banked) {
      srams.push_back(banked_sram());
      machine.set_sram(mesh.at(tile), *srams.back());
    }
    std::vector<std::uint32_t> input;
    for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
      for (std::uint32_t e = 0; e < 12; ++e) {
        input.push_back(bits_of(data.input(tile, e)));
        plain.write(tile, c.input.address + 4 * e, &input.back(), 4);
      }
    }
    const base::Rectangle all{{0, mesh.columns}, {0, mesh.rows}};
    machine.copy_to(all, c.input.address, input.data(), 48);
    machine.launch();
    machine.wait_for_end();
    plain.run();
    EXPECT_EQ(machine.cycles(), plain.cycles());
    std::vector<std::uint32_t> results(input.size());
    machine.copy_from(all, c.result.address, results.data(), 48);
    for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
      const ComputeEngines::TileTimes a = machine.times(mesh.at(tile));
      const ComputeEngines::TileTimes b = plain.engines().times(tile);
      EXPECT_EQ(a.begin, b.begin) << tile;
      EXPECT_EQ(a.end, b.end) << tile;
      EXPECT_EQ(a.busy, b.busy) << tile;
      std::uint32_t expected[12];
      plain.read(tile, c.result.address, expected, sizeof expected);
      EXPECT_EQ(0, std::memcmp(expected, &results[12 * tile], sizeof expected)) << tile;
    }
    base::EventCounts sum{};
    for (const base::EventCounts& region : machine.activity()) {
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += region[k];
    }
    using base::EventKind;
    const tiles::EngineStats stats = plain.engines().stats();
    EXPECT_EQ(at(sum, EventKind::kLinkHop), plain.fabric().counts().hops);
    EXPECT_EQ(at(sum, EventKind::kControlCycle), stats.running_cycles());
    EXPECT_EQ(at(sum, EventKind::kAddFp32), at(stats.events, EventKind::kAddFp32));
    // The host's copies are counted by their bytes: six accesses of 64 bits a tile, each way.
    EXPECT_EQ(at(sum, EventKind::kSramRead32), stats.banks.reads32);
    EXPECT_EQ(at(sum, EventKind::kSramWrite32), stats.banks.writes32);
    EXPECT_EQ(at(sum, EventKind::kSramWrite64), stats.banks.writes64 + 6 * mesh.tiles());
  }
};

TEST_F(KernelMachineTest, OneRegionEqualsTheMeshWithoutModules) { expect_equal(9, 6); }
TEST_F(KernelMachineTest, RegionsOfSeveralTilesChangeNothing) { expect_equal(4, 5); }
TEST_F(KernelMachineTest, RegionsOfOneTileChangeNothing) { expect_equal(1, 1); }

TEST_F(KernelMachineTest, SramThatDeniesDirectAccessChangesNothing) { expect_equal(4, 5, 3); }

TEST_F(KernelMachineTest, ArraysBesideTheDatapathOfSuchATileStartAndEndInItsSram) {
  tiles::Kernel kernel({1, 1});
  tiles::ProgramBuilder p("sum");
  const tiles::Array x = p.array("x", 8);
  const tiles::Array sum = p.near_array("sum", 8);
  p.task("main").active = true;
  p.vector(tiles::VectorOp::kAdd, tiles::DataType::kInt32, p.all(sum), p.all(x), p.all(sum),
           tiles::ProgramBuilder::integer(8));
  p.end();
  kernel.program_of[0] = kernel.add(p.build());
  KernelMachine machine("machine", kernel, {});
  const auto sram = banked_sram();
  machine.set_sram({0, 0}, *sram);
  const std::vector<std::uint32_t> values{1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<std::uint32_t> sums(8, 100);
  const base::Rectangle tile{{0, 1}, {0, 1}};
  machine.copy_to(tile, x.address, values.data(), 32);
  machine.copy_to(tile, sum.address, sums.data(), 32);
  machine.launch();
  machine.wait_for_end();
  machine.copy_from(tile, sum.address, sums.data(), 32);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(sums[i], 100 + values[i]);
  EXPECT_EQ(sram->stats().loads, 8U);  // of x; the sums are beside the datapath
  EXPECT_EQ(sram->stats().late, 0U);
}

TEST_F(KernelMachineTest, ASecondLaunchGoesOnWithTheMemory) {
  tiles::Kernel kernel({1, 1});
  tiles::ProgramBuilder p("double");
  const tiles::Array x = p.array("x", 8);
  p.task("main").active = true;
  p.vector(tiles::VectorOp::kAdd, tiles::DataType::kInt32, p.all(x), p.all(x), p.all(x),
           tiles::ProgramBuilder::integer(8));
  p.end();
  kernel.program_of[0] = kernel.add(p.build());
  KernelMachine machine("machine", kernel, {});
  std::vector<std::uint32_t> values{1, 2, 3, 4, 5, 6, 7, 8};
  const base::Rectangle tile{{0, 1}, {0, 1}};
  machine.copy_to(tile, x.address, values.data(), 32);
  for (const std::uint32_t factor : {2U, 4U}) {
    machine.launch();
    machine.wait_for_end();
    std::vector<std::uint32_t> found(8);
    machine.copy_from(tile, x.address, found.data(), 32);
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(found[i], factor * values[i]);
  }
}

TEST_F(KernelMachineTest, CopiesStayInTheMemoryOfATile) {
  const Collective c = kernel();
  KernelMachine machine("machine", c.kernel, {});
  std::uint32_t words[2]{};
  EXPECT_NO_THROW(machine.copy_to({{2, 3}, {1, 2}}, 49148, words, 4));
  EXPECT_THROW(machine.copy_to({{2, 3}, {1, 2}}, 49148, words, 8), std::out_of_range);
  EXPECT_THROW(machine.copy_from({{9, 10}, {0, 1}}, 0, words, 8), std::out_of_range);
}

TEST_F(KernelMachineTest, ADeadlockSaysWhoWaits) {
  tiles::Kernel kernel({2, 1});
  kernel.routes.set(0, 4, {fabric::Port::kEast, fabric::Port::kRamp});
  kernel.routes.set(1, 4, {fabric::Port::kRamp, fabric::Port::kWest});
  tiles::ProgramBuilder reader("reader");
  const tiles::Array x = reader.array("x", 4);
  reader.input(0, 4);
  reader.task("main").active = true;
  reader.vector(tiles::VectorOp::kMove, tiles::DataType::kFp32, reader.all(x), reader.fabric_in(0),
                tiles::ProgramBuilder::integer(4));
  reader.end();
  tiles::ProgramBuilder sender("sender");
  sender.output(2, 4);
  sender.task("main").active = true;
  sender.vector(tiles::VectorOp::kMove, tiles::DataType::kFp32, sender.fabric_out(2),
                tiles::ProgramBuilder::number(1), tiles::ProgramBuilder::integer(3));
  sender.end();
  kernel.program_of[0] = kernel.add(reader.build());
  kernel.program_of[1] = kernel.add(sender.build());
  KernelMachineConfig config;
  config.region_columns = 1;
  KernelMachine machine("machine", kernel, config);
  machine.launch();
  try {
    machine.wait_for_end();
    FAIL() << "no error";
  } catch (const tiles::KernelFailure& failure) {
    EXPECT_NE(
        std::string(failure.what())
            .find("tile (0,0), program 'reader', task 'main', instruction 0 (move of fp32): 3 "
                  "of 4 elements done, waits for a wavelet of color 4 in input queue 0"),
        std::string::npos)
        << failure.what();
  }
}

}  // namespace
}  // namespace wse::model
