// SPDX-License-Identifier: Apache-2.0
// wse cosim --wave: one file with the model's signals and those of RTL routers, also when a run ends
// early.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "support/run_command.h"
#include "support/wave_dump.h"

namespace wse {
namespace {

using testing_support::CommandResult;
using testing_support::read_file;
using testing_support::run_command;
using testing_support::WaveDump;

constexpr const char* kPorts[] = {"north", "east", "south", "west", "ramp"};

class CosimWavesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (wse("list twins").out.find("rtl:router") == std::string::npos)
      GTEST_SKIP() << "this program was built without Verilator";
  }
  CommandResult wse(const std::string& arguments) {
    return run_command(std::string(WSE_CLI) + " " + arguments, folder_);
  }
  WaveDump dump(const std::string& file) { return WaveDump(read_file(folder_.file(file))); }

  /// The cycle that the model shows at a time.
  static std::uint64_t cycle(const WaveDump& waves, std::uint64_t time) {
    return waves.number("fabric.cycle", time);
  }
  /// Compares the links of the model with the pins of the RTL at the start of every cycle; gives
  /// the wavelets seen.
  static std::uint64_t compare_axes(const WaveDump& waves, const std::string& router) {
    std::uint64_t wavelets = 0;
    const std::string rtl = "rtl." + router + ".wse_router.out_";
    for (const auto& [time, value] : waves.changes("fabric.cycle")) {
      for (std::size_t p = 0; p < 5; ++p) {
        const std::string link = "fabric." + router + "." + kPorts[p] + "_";
        if (!waves.has(link + "valid")) continue;
        const std::uint64_t valid = waves.number(rtl + "valid", time, p, 1);
        EXPECT_EQ(waves.number(link + "valid", time), valid) << link << " at " << time;
        if (valid == 0) continue;
        ++wavelets;
        EXPECT_EQ(waves.number(link + "data", time), waves.number(rtl + "data", time, p * 32, 32));
        EXPECT_EQ(waves.number(link + "color", time), waves.number(rtl + "color", time, p * 5, 5));
      }
    }
    return wavelets;
  }
  void expect_saved_signals_in(const WaveDump& waves, const std::string& save_file) {
    const auto names = testing_support::saved_signals(read_file(folder_.file(save_file)));
    EXPECT_GT(names.size(), 20u);
    for (const std::string& name : names) EXPECT_TRUE(waves.has(name)) << name;
  }

  testing_support::TemporaryFolder folder_;
};

TEST_F(CosimWavesTest, WavesChangeNothingAndTheWindowIsThatOfTheModel) {
  const std::string traffic =
      "cosim noc --mesh 5x4 --pattern halo --rate 0.7 --cycles 300 --twin "
      "router@1..2,1..2=rtl:router --json --out out ";
  const auto hash = [&](const std::string& more) {
    const CommandResult r = wse(traffic + more);
    EXPECT_EQ(r.status, 0) << r.err;
    return nlohmann::json::parse(r.out)["result_hash"];
  };
  const auto plain = hash("");
  EXPECT_EQ(hash("--wave w.vcd --wave-tiles 1..3,1..1 --wave-from 50 --wave-to 129"), plain);
  const WaveDump waves = dump("out/w.vcd");
  EXPECT_EQ(waves.changes("fabric.cycle").size(), 80u);
  EXPECT_EQ(cycle(waves, *waves.times().begin()), 50u);
  EXPECT_EQ(cycle(waves, *waves.times().rbegin()), 129u);
  EXPECT_GT(compare_axes(waves, "router_1_1"), 100u);
  EXPECT_GT(compare_axes(waves, "router_2_1"), 100u);
  EXPECT_TRUE(waves.has("fabric.router_3_1.east_valid"));
  for (const char* outside : {"rtl.router_3_1.wse_router.clk", "rtl.router_1_2.wse_router.clk"})
    EXPECT_FALSE(waves.has(outside)) << outside;
  expect_saved_signals_in(waves, "out/w.gtkw");
}

TEST_F(CosimWavesTest, KernelsShowTilesRoutersAndRtl) {
  const CommandResult r =
      wse("cosim kernel gemm --mesh 4x4 --m 32 --k 16 --n 16 --twin router@1,1=rtl:router "
          "--lockstep --wave w.vcd --wave-tiles 1..1,1..1 --wave-rtl pins --quiet --out out");
  ASSERT_EQ(r.status, 0) << r.err;
  const WaveDump waves = dump("out/w.vcd");
  EXPECT_TRUE(waves.has("tiles.tile_1_1.task"));
  EXPECT_GT(compare_axes(waves, "router_1_1"), 100u);
  EXPECT_FALSE(waves.has("rtl.router_1_1.wse_router.granted"));
  expect_saved_signals_in(waves, "out/w.gtkw");
}

// The clock of a mismatch is the last one of the waves: what the twin gives there is what the message
// says, and what came in is there as well.
TEST_F(CosimWavesTest, AMismatchIsTheLastCycleOfWavesThatCanBeRead) {
  const std::string traffic =
      "cosim noc --mesh 4x4 --pattern hotspot --rate 0.5 --cycles 500 --lockstep --mutant 6 --twin "
      "router@1,1=rtl:router --wave w.vcd --wave-tiles 1..1,1..1 --out out ";
  const CommandResult r = wse(traffic);
  ASSERT_EQ(r.status, 3) << r.err;
  EXPECT_NE(r.err.find("waves up to the mismatch are in out/w.vcd"), std::string::npos) << r.err;
  std::smatch clock, twin;
  ASSERT_TRUE(
      std::regex_search(r.err, clock, std::regex("differs from the model in clock (\\d+)")));
  ASSERT_TRUE(std::regex_search(
      r.err, twin,
      std::regex("twin  [^\\n]*?(north|east|south|west|ramp) ([0-9a-f]{8}) color (\\d+)")));
  const WaveDump waves = dump("out/w.vcd");
  const std::uint64_t last = waves.changes("fabric.cycle").back().first;
  EXPECT_EQ(cycle(waves, last), std::stoull(clock[1]));
  const auto port = static_cast<std::size_t>(
      std::find(std::begin(kPorts), std::end(kPorts), twin[1]) - std::begin(kPorts));
  const std::string rtl = "rtl.router_1_1.wse_router.";
  EXPECT_EQ(waves.number(rtl + "out_valid", last, port, 1), 1u);
  EXPECT_EQ(waves.number(rtl + "out_data", last, port * 32, 32), std::stoull(twin[2], nullptr, 16));
  EXPECT_EQ(waves.number(rtl + "out_color", last, port * 5, 5), std::stoull(twin[3]));
  EXPECT_EQ(waves.bits(rtl + "clk", last), "1");
  expect_saved_signals_in(waves, "out/w.gtkw");

  ASSERT_EQ(wse(traffic + "--wave-trigger mismatch --wave-before 3").status, 3);
  const WaveDump kept = dump("out/w.vcd");
  EXPECT_EQ(kept.changes("fabric.cycle").size(), 4u);
  EXPECT_EQ(cycle(kept, *kept.times().rbegin()), std::stoull(clock[1]));
  std::size_t signals = 0;
  for (const std::string& name : kept.names()) {
    if (name.rfind("rtl.", 0) != 0) continue;
    ++signals;
    for (const auto& [time, value] : kept.changes("fabric.cycle"))
      ASSERT_EQ(kept.bits(name, time), waves.bits(name, time)) << name << " at " << time;
  }
  EXPECT_GT(signals, 10'000u);
}

TEST_F(CosimWavesTest, ATriggerAtARouterStartsAtItsFirstWavelet) {
  const std::string traffic =
      "cosim noc --mesh 6x1 --pattern shift --distance 3 --rate 0.2 --cycles 100 --twin "
      "router@4,0=rtl:router --out out --quiet --wave w.vcd ";
  ASSERT_EQ(wse(traffic).status, 0);
  const WaveDump all = dump("out/w.vcd");
  std::uint64_t color = 0, first = 0;
  for (const auto& [time, valid] : all.changes("fabric.router_4_0.east_valid")) {
    if (valid != "1") continue;
    first = time;
    color = all.number("fabric.router_4_0.east_color", time);
    break;
  }
  ASSERT_GT(first, 0u);
  const CommandResult r =
      wse(traffic + "--wave-tiles 3..5,0..0 --wave-trigger color=" + std::to_string(color) +
          "@4,0 --wave-before 0 --wave-after 6");
  ASSERT_EQ(r.status, 0) << r.err;
  const WaveDump waves = dump("out/w.vcd");
  EXPECT_EQ(waves.changes("fabric.cycle").size(), 6u);
  EXPECT_LE(*waves.times().begin(), first);
  EXPECT_GE(compare_axes(waves, "router_4_0"), 1u);
}

// Routers that have nothing to do are not clocked; their signals hold.
TEST_F(CosimWavesTest, QuietClocksAreLeftOut) {
  ASSERT_EQ(wse("cosim noc --mesh 4x1 --pattern shift --rate 0.0012 --cycles 4000 --twin "
                "router@2,0=rtl:router --out out --quiet --wave w.vcd")
                .status,
            0);
  const WaveDump waves = dump("out/w.vcd");
  EXPECT_GE(compare_axes(waves, "router_2_0"), 4u);
  const std::string rtl = "rtl.router_2_0.wse_router.";
  std::set<std::uint64_t> rises;
  for (const auto& [time, value] : waves.changes(rtl + "clk")) {
    if (value == "1") rises.insert(time);
  }
  std::size_t gaps = 0;
  const auto& cycles = waves.changes("fabric.cycle");
  for (std::size_t i = 0; i + 1 < cycles.size(); ++i) {
    const auto [time, value] = cycles[i];
    const std::uint64_t next = cycles[i + 1].first;
    if (cycle(waves, next) == cycle(waves, time) + 1) continue;
    ++gaps;
    // What the last cycle before the gap left is shown in a cycle without a clock.
    EXPECT_EQ(rises.count(time), 0u) << time;
    EXPECT_EQ(rises.upper_bound(time), rises.find(next)) << time;
    EXPECT_EQ(waves.number(rtl + "out_valid", next - 1), 0u);
    EXPECT_EQ(waves.number(rtl + "in_valid", next - 1), 0u);
  }
  EXPECT_GE(gaps, 3u);
  EXPECT_EQ(rises.size() + gaps + 1, cycles.size());  // and the end of the run
}

TEST_F(CosimWavesTest, AnInterruptedRunLeavesWavesWithRtl) {
  const bool reads_fst = run_command("command -v fst2vcd", folder_).status == 0;
  for (const std::string ending : {"vcd", "fst"}) {
    if (ending == "fst" && !reads_fst) GTEST_SKIP() << "needs fst2vcd (gtkwave)";
    const CommandResult r =
        run_command(std::string(WSE_CLI) +
                        " cosim noc --mesh 4x4 --pattern halo --rate 0.3 --cycles 100000000 --twin "
                        "router@1,1=rtl:router --wave w." +
                        ending + " --wave-to 400 --out out & sleep 1; kill -INT $!; wait $!",
                    folder_);
    EXPECT_EQ(r.status, 130) << r.err;
    const std::string file = "out/w.partial." + ending;
    EXPECT_NE(r.err.find("the waves up to here are in " + file), std::string::npos) << r.err;
    const WaveDump waves =
        ending == "vcd" ? dump(file) : WaveDump(run_command("fst2vcd " + file, folder_).out);
    EXPECT_EQ(waves.changes("fabric.cycle").size(), 401u);
    EXPECT_GT(compare_axes(waves, "router_1_1"), 200u);
  }
}

TEST_F(CosimWavesTest, WhatCannotBeShownIsRefused) {
  const auto refuses = [this](const std::string& command, const std::string& message) {
    const CommandResult r = wse(command);
    EXPECT_EQ(r.status, 2) << command;
    EXPECT_NE(r.err.find(message), std::string::npos) << r.err;
  };
  const std::string cosim = "cosim noc --mesh 6x6 --twin router@0..5,0..5=rtl:router --wave w.vcd ";
  refuses(cosim, "--wave-rtl = all: can be of 32 twins at most");
  refuses(cosim + "--wave-rtl some", "must be all, pins or none");
  refuses(cosim + "--wave-trigger color=3@6,0", "must name a router of --wave-tiles");
  refuses(cosim + "--wave-trigger color=3@1..2,0..0", "must be color=C or color=C@X,Y");
  refuses(cosim + "--wave-trigger full=3@1,1", "must be color=C, color=C@X,Y");
  refuses("noc --wave w.vcd --wave-trigger mismatch", "can come with twins only");
  refuses("noc --wave w.vcd --wave-rtl pins", "wave-rtl");
  refuses("cosim noc --twin router@0,0=rtl:router --wave-rtl pins", "describes waves");
}

}  // namespace
}  // namespace wse
