// SPDX-License-Identifier: Apache-2.0
// wse cosim: RTL routers change nothing, faults are seen, bad input is named.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/run_command.h"

namespace wse {
namespace {

using nlohmann::json;
using testing_support::CommandResult;
using testing_support::run_command;

class CosimCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (wse("list twins").out.find("rtl:router") == std::string::npos)
      GTEST_SKIP() << "this program was built without Verilator";
  }
  CommandResult wse(const std::string& arguments) {
    return run_command(std::string(WSE_CLI) + " " + arguments, folder_);
  }
  json stats(const std::string& arguments) {
    const CommandResult r = wse(arguments + " --json --out out");
    EXPECT_EQ(r.status, 0) << r.err;
    return json::parse(r.out);
  }
  testing_support::TemporaryFolder folder_;
};

// All queues run full: the loads are far above what the fabric takes.
TEST_F(CosimCommandTest, TrafficIsTheSameWithOneWithHalfAndWithAllRoutersOfRtl) {
  for (const char* traffic : {"noc --mesh 6x4 --pattern halo --rate 1 --cycles 600",
                              "noc --mesh 6x4 --pattern hotspot --rate 0.5 --cycles 600",
                              "noc --mesh 6x4 --pattern row-broadcast --rate 0.9 --cycles 600"}) {
    const json model = stats(traffic);
    for (const char* places : {"2,1", "0..2,0..3", "0..5,0..3"}) {
      const json twins = stats(std::string("cosim ") + traffic + " --lockstep --twin router@" +
                               places + "=rtl:router");
      EXPECT_EQ(twins["result_hash"], model["result_hash"]) << traffic << " " << places;
      EXPECT_EQ(twins["cycles"], model["cycles"]);
      EXPECT_EQ(twins["mismatches"], 0);
    }
  }
}

TEST_F(CosimCommandTest, KernelsAreTheSame) {
  for (const char* kernel : {"kernel allreduce --algorithm ring --mesh 6x1 --words 96",
                             "kernel gemm --mesh 4x4 --m 32 --k 24 --n 16 --density 0.3",
                             "kernel stencil25 --mesh 6x6 --nz 20"}) {
    const json model = stats(kernel);
    const json twins = stats(std::string("cosim ") + kernel +
                             " --twin router@1,0=rtl:router --twin router@3,0=rtl:router");
    EXPECT_EQ(twins["result_hash"], model["result_hash"]) << kernel;
    EXPECT_EQ(twins["cycles"], model["cycles"]) << kernel;
    EXPECT_EQ(twins["twin_routers"], 2);
  }
}

TEST_F(CosimCommandTest, KernelsAreTheSameWithMemoriesAndTilesOfRtl) {
  for (const char* kernel : {"kernel reduce --algorithm chain --mesh 4x2 --words 33",
                             "kernel gemm --mesh 4x3 --m 33 --k 24 --n 16 --dtype fp32"}) {
    const json model = stats(kernel);
    for (const char* places : {"--twin sram@1,1=rtl:sram", "--twin tile@1,1=rtl:tile",
                               "--twin tile@0..3,0..1=rtl:tile --lockstep",
                               "--twin sram@0..1,0..1=rtl:sram --twin tile@2..3,0..1=rtl:tile "
                               "--twin router@0..3,1=rtl:router --lockstep"}) {
      const json twins = stats(std::string("cosim ") + kernel + " " + places);
      EXPECT_EQ(twins["result_hash"], model["result_hash"]) << kernel << " " << places;
      EXPECT_EQ(twins["cycles"], model["cycles"]) << kernel << " " << places;
    }
  }
  const json attention = stats("kernel attention --mesh 4x4 --heads 2 --m 32 --dtype mixed");
  EXPECT_EQ(stats("cosim kernel attention --mesh 4x4 --heads 2 --m 32 --dtype mixed --twin "
                  "sram@0..3,0..1=rtl:sram")["result_hash"],
            attention["result_hash"]);
}

TEST_F(CosimCommandTest, FaultsOfMemoriesAndTilesAreSeen) {
  const CommandResult sram =
      wse("cosim kernel gemm --mesh 2x2 --m 16 --k 8 --n 8 --dtype fp16 --twin "
          "sram@0..1,1=rtl:sram --lockstep --mutant 2");
  EXPECT_EQ(sram.status, 3) << sram.err;
  EXPECT_NE(sram.err.find("of tile (0,1), rtl:sram, differs from the model in clock"),
            std::string::npos)
      << sram.err;
  const CommandResult tile =
      wse("cosim kernel gemm --mesh 3x2 --m 96 --k 20 --n 32 --dtype fp32 --twin "
          "tile@0..2,1=rtl:tile --lockstep --mutant 5");
  EXPECT_EQ(tile.status, 3) << tile.err;
  EXPECT_NE(tile.err.find("rtl:tile, differs from the model in clock"), std::string::npos)
      << tile.err;
}

TEST_F(CosimCommandTest, LockstepStopsAtAFaultAndTellsHowToSeeItAgain) {
  const CommandResult r =
      wse("cosim noc --mesh 4x4 --pattern hotspot --rate 0.5 --cycles 500 --twin "
          "router@0..3,0..3=rtl:router --lockstep --mutant 6");
  EXPECT_EQ(r.status, 3) << r.err;
  for (const char* part : {"rtl:router, differs from the model in clock", "model ", "twin ",
                           "replay: ./wse cosim noc --mesh 4x4"}) {
    EXPECT_NE(r.err.find(part), std::string::npos) << part << "\n" << r.err;
  }
}

TEST_F(CosimCommandTest, ACampaignHitsEveryBinAndCatchesEveryMutant) {
  const CommandResult r = wse("cosim campaign router --cycles 100000 --seeds 20 --json");
  EXPECT_EQ(r.status, 0) << r.err;
  const json s = json::parse(r.out);
  for (const char* key : {"kind", "cycles", "seeds", "mismatches", "coverage_bins", "coverage_hit",
                          "mutants", "mutants_caught", "wavelets", "host_seconds"}) {
    EXPECT_TRUE(s.contains(key)) << key;
  }
  EXPECT_EQ(s["cycles"], 2'000'000);
  EXPECT_EQ(s["mismatches"], 0);
  EXPECT_GE(s["coverage_bins"], 20);
  EXPECT_EQ(s["coverage_hit"], s["coverage_bins"]) << s["coverage"].dump(1);
  EXPECT_GE(s["mutants"], 12);
  EXPECT_EQ(s["mutants_caught"], s["mutants"]) << s["mutants_missed"];
  const CommandResult one = wse("cosim campaign router --cycles 20000 --seeds 4 --mutant 5");
  EXPECT_EQ(one.status, 3);
  EXPECT_NE(one.err.find("--mutant 5"), std::string::npos) << one.err;
  for (const char* kind : {"sram --cycles 20000", "tile --cycles 25000"}) {
    const CommandResult other = wse(std::string("cosim campaign ") + kind + " --seeds 20 --json");
    EXPECT_EQ(other.status, 0) << other.err;
    const json found = json::parse(other.out);
    EXPECT_EQ(found["coverage_hit"], found["coverage_bins"]) << found["coverage"].dump(1);
    EXPECT_GE(found["coverage_bins"], 20);
    EXPECT_EQ(found["mutants_caught"], found["mutants"]) << found["mutants_missed"];
    EXPECT_GE(found["mutants"], 8);
  }
  // The last one has a path from an input to an output within a clock.
  const CommandResult path = wse("cosim campaign router --cycles 1000 --seeds 1 --mutant 14");
  EXPECT_EQ(path.status, 3);
  EXPECT_NE(path.err.find("an output follows an input within the clock"), std::string::npos)
      << path.err;
}

TEST_F(CosimCommandTest, SkewedComparesTheOrderAndCountsTheClocks) {
  const std::string traffic =
      "cosim noc --mesh 6x4 --pattern halo --rate 0.6 --radius 2 --cycles 400 --twin "
      "router@1..3,1..2=rtl:router";
  const json s = stats(traffic + " --skewed");
  EXPECT_GT(s["twin_skew"]["checked"], 1000);
  EXPECT_EQ(s["twin_skew"]["unordered"], 0);
  EXPECT_GT(s["twin_skew"]["latency_clocks"]["1"], 500);
  const CommandResult fault = wse(traffic + " --skewed --mutant 2");
  EXPECT_EQ(fault.status, 3) << fault.err;
  EXPECT_NE(fault.err.find("breaks the order in clock"), std::string::npos) << fault.err;
  EXPECT_NE(fault.err.find("replay: ./wse cosim noc"), std::string::npos) << fault.err;
  const CommandResult campaign = wse("cosim campaign router --skewed --cycles 5000");
  EXPECT_EQ(campaign.status, 0) << campaign.err;
  EXPECT_NE(campaign.out.find("rtl:router keeps the order of"), std::string::npos) << campaign.out;
}

TEST_F(CosimCommandTest, BadInputNamesTheRule) {
  const auto refused = [&](const std::string& arguments, const std::string& part) {
    const CommandResult r = wse("cosim " + arguments);
    EXPECT_EQ(r.status, 2) << arguments << "\n" << r.err;
    EXPECT_NE(r.err.find(part), std::string::npos) << arguments << "\n" << r.err;
  };
  refused("", "must be noc, kernel or campaign");
  refused("noc --mesh 4x4", "must be given");
  refused("noc --mesh 4x4 --twin router", "KIND@X,Y=rtl:NAME");
  refused("noc --mesh 4x4 --twin router@4,0=rtl:router", "within 4x4 tiles");
  refused("noc --mesh 4x4 --twin ruter@1,1=rtl:router", "must be router, sram or tile");
  refused("noc --mesh 4x4 --twin tile@1,1=rtl:tile", "this traffic has no tiles");
  refused(
      "kernel gemm --mesh 4x4 --dtype fp32 --twin tile@1,1=rtl:tile --twin sram@0..1,1=rtl:sram",
      "sram@1,1: cannot be beside tile@ there");
  refused("kernel gelu --mesh 4x4 --twin tile@1,1=rtl:tile", "program 'gelu' of tile (1,1)");
  refused("kernel gemm --mesh 4x4 --twin sram@1,1=rtl:sram --set tile.sram.size_bytes=65536",
          "is too small");
  refused("noc --mesh 4x4 --twin router@1,1=rtl:ruter", "did you mean router?");
  refused("noc --mesh 4x4 --twin router@1,1=rtl:router --twin router@0..1,1=rtl:router",
          "a second time");
  refused("noc --mesh 4x4 --twin router@1,1=rtl:router --mutant 99", "must be 0 .. 14");
  refused("noc --mesh 4x4 --twin router@1,1=rtl:router --threads 2", "must be 1 with --twin");
  refused("noc --mesh 4x4 --twin router@1,1=rtl:router --set fabric.queue_depth=7", "is too short");
  refused("noc --mesh 4x4 --twin router@1,1=rtl:router --skewed --lockstep", "cannot be with");
  refused("kernel gemm --mesh 4x4 --twin sram@1,1=rtl:sram --skewed", "is for routers");
  refused("campaign link", "must be router, sram or tile");
  refused("campaign tile --rtl sram", "is no RTL of kind tile");
}

}  // namespace
}  // namespace wse
