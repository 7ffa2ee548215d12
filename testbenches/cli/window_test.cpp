// SPDX-License-Identifier: Apache-2.0
// wse train --window: a rectangle of a training step cycle by cycle, beside the step that it is of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "support/run_command.h"

namespace wse {
namespace {

using nlohmann::json;
using testing_support::CommandResult;
using testing_support::read_file;
using testing_support::run_command;
using testing_support::TemporaryFolder;

class WindowTest : public ::testing::Test {
 protected:
  CommandResult wse(const std::string& arguments) {
    return run_command(std::string(WSE_CLI) + " train " + arguments + " --out out", folder_);
  }
  json train(const std::string& arguments) {
    const CommandResult r = wse(arguments + " --json");
    EXPECT_EQ(r.status, 0) << r.err;
    return r.status == 0 ? json::parse(r.out) : json();
  }
  void refuses(const std::string& arguments, const std::string& message) {
    const CommandResult r = wse(arguments);
    EXPECT_EQ(r.status, 2) << arguments << "\n" << r.err;
    EXPECT_THAT(r.err, ::testing::HasSubstr(message)) << arguments;
    EXPECT_EQ(r.out, "") << arguments;
  }
  TemporaryFolder folder_;
};

TEST_F(WindowTest, ABlockOfNeoXTakesTheCyclesOfTheStep) {
  const std::string step = "gpt-neox-20b --wave none --cold-start";
  const json without = train(step);
  const json with = train(step + " --window 100..107,100..107=cycle");
  EXPECT_EQ(with["result_hash"], without["result_hash"]);
  EXPECT_FALSE(without.contains("window"));
  const json& w = with["window"];
  EXPECT_EQ(w, json::parse(read_file(folder_.file("out/window.json"))));
  EXPECT_EQ(w["rectangle"], "100..107,100..107");
  EXPECT_EQ(w["layer"], 22);
  EXPECT_EQ(w["matrix"], "up");
  EXPECT_EQ(w["pass"], "forward");
  EXPECT_EQ(w["tokens_a_tile"], 18);
  EXPECT_EQ(w["features_a_tile"], 17);
  EXPECT_EQ(w["coarse_cycles"], 181 * w["block_outputs"].get<int>());
  EXPECT_LT(std::abs(w["deviation"].get<double>()), 0.005);
  EXPECT_GT(w["max_rel_error"], 0);
  EXPECT_LT(w["max_rel_error"], w["error_bound"]);
  EXPECT_GT(w["busy_fraction"], 0.9);
  EXPECT_EQ(w["wavelet_hops"], w["coarse_wavelet_hops"]);
  EXPECT_EQ(w["events"]["add_fp32"]["deviation"], 0);
  EXPECT_LT(std::abs(w["events"]["int_alu"]["deviation"].get<double>()), 0.02);
}

TEST_F(WindowTest, AnyCutIntoRegionsAndAnyThreadsGiveTheSame) {
  const std::string step =
      "gpt-neox-20b --wave none --cold-start --window "
      "148..151,140..143=cycle --window-matrix qkv --window-pass input-gradient";
  const json one = train(step)["window"];
  const json cut =
      train(step + " --set wafer.regions.columns=5 --set wafer.regions.rows=7")["window"];
  const json threads = train(step + " --window-threads 2")["window"];
  EXPECT_EQ(one["result_hash"], cut["result_hash"]);
  EXPECT_EQ(one["result_hash"], threads["result_hash"]);
  EXPECT_EQ(one["events"], cut["events"]);
  const json other = train(step + " --set run.seed=2")["window"];
  EXPECT_NE(one["result_hash"], other["result_hash"]);
  EXPECT_EQ(one["cycles"], other["cycles"]);
}

// Weights come later than they are multiplied: the window waits for them as the step does.
TEST_F(WindowTest, SlowLanesSetThePaceOfTheWindow) {
  const std::string step =
      "gpt-neox-20b --wave none --cold-start --window "
      "700..703,900..903=cycle";
  const json fast = train(step)["window"];
  const json slow = train(step + " --set io.lane.bits_per_second=2e10")["window"];
  EXPECT_GT(slow["coarse_cycles"], 2 * fast["coarse_cycles"].get<int>());
  EXPECT_LT(std::abs(slow["deviation"].get<double>()), 0.02);
}

TEST_F(WindowTest, WavesAreOfTheTilesByTheirPlaceOnTheWafer) {
  const CommandResult r =
      wse("gpt-neox-20b --wave none --cold-start --window "
          "100..103,100..103=cycle --wave-tiles 101..102,102..102 --wave-from 500 --wave-to 600");
  ASSERT_EQ(r.status, 0) << r.err;
  EXPECT_THAT(r.out, ::testing::HasSubstr("window.vcd, window.gtkw"));
  const std::string vcd = read_file(folder_.file("out/window.vcd"));
  for (const char* scope : {"router_101_102", "router_102_102", "tile_101_102"}) {
    EXPECT_THAT(vcd, ::testing::HasSubstr(std::string("$scope module ") + scope + " $end"));
  }
  EXPECT_THAT(vcd, ::testing::Not(::testing::HasSubstr("router_100_102")));
  const std::string save = read_file(folder_.file("out/window.gtkw"));
  EXPECT_THAT(save, ::testing::HasSubstr("fabric.router_101_102.south_valid"));
  EXPECT_THAT(save, ::testing::HasSubstr("tiles.tile_102_102.microthread_0"));
  // A wavelet of weights in every tenth cycle: nine steps and its reception.
  const std::size_t from = vcd.find("$enddefinitions");
  EXPECT_GT(std::count(vcd.begin() + static_cast<std::ptrdiff_t>(from), vcd.end(), '\n'), 300);
}

TEST_F(WindowTest, ThePageHasTheWindowAndIsMadeAnew) {
  const json w =
      train("gpt-neox-20b --wave none --cold-start --window 100..101,100..101=cycle")["window"];
  ASSERT_EQ(json::parse(read_file(folder_.file("out/stats.json")))["window"], w);
  const std::string before = read_file(folder_.file("out/report.html"));
  ASSERT_EQ(run_command("rm out/report.html && " WSE_CLI " report out", folder_).status, 0);
  EXPECT_TRUE(read_file(folder_.file("out/report.html")) == before);
  if (!testing_support::has_browser(folder_)) {
    GTEST_SKIP() << "needs chromium, which .ci/run installs";
  }
  const CommandResult page = testing_support::open_page("out/report.html", folder_);
  EXPECT_EQ(page.err.find("CONSOLE"), std::string::npos) << page.err;
  EXPECT_THAT(page.out, ::testing::HasSubstr("data-window=\"cycles\" data-value=\"" +
                                             w["cycles"].dump() + "\""));
  EXPECT_THAT(page.out, ::testing::HasSubstr("data-window=\"events.link_hop\""));
}

TEST_F(WindowTest, WhatCannotBeIsRefused) {
  const std::string neox = "gpt-neox-20b --window ";
  refuses(neox + "370..380,0..3=cycle",
          "--window = 370..380,0..3: must lie in one copy of the features, columns 0..374, ");
  refuses(neox + "740..750,0..3=cycle", "must lie in the user rectangle 0..749,0..993");
  refuses(neox + "0..128,0..3=cycle", "must be at most 128 x 128 tiles");
  refuses(neox + "0..3,0..3", "must be X0..X1,Y0..Y1=cycle");
  refuses(neox + "0..3,0..3=cycle --window-layer 44",
          "--window-layer = 44: must be a layer 0 .. 43");
  refuses(neox + "0..3,0..3=cycle --window-matrix head", "must be qkv, up, projection or down");
  refuses(neox + "0..3,0..3=cycle --window-pass back", "must be forward or input-gradient");
  refuses(neox + "0..3,0..3=cycle --set run.sparsity=0.5", "run.sparsity = 0.5: must be 0");
  refuses(neox + "0..3,0..3=cycle --wave-tiles 3..4,0..0", "--wave-tiles = 3..4,0..0: must be");
  refuses(neox + "0..7,0..7=cycle --set memory.budget_bytes=1000000",
          "memory.budget_bytes = 1000000 is enough for 20 tiles");
  refuses("gpt-neox-20b --window-layer 3", "describes a window");
  refuses("bert-large --window 0..3,0..3=cycle --set run.mode=pipeline", "run.mode = pipeline");
  refuses("tiny-switch --machine tiny --window 0..1,0..1=cycle --window-layer 1", "has experts");
  refuses("tiny-switch --machine tiny --window 0..1,0..1=cycle --window-layer 3",
          "attends to an encoder");
  refuses("tiny-gpt --fidelity cycle --window 0..3,0..3=cycle", "--window = given");
}

// A block of so few cycles is mostly what fills the window.
TEST_F(WindowTest, ACycleCountThatIsTooFarOffIsAFailure) {
  const CommandResult r =
      wse("tiny-gpt --cold-start --set run.batch=64 --wave none --window 10..33,5..28=cycle "
          "--window-matrix qkv");
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.err, ::testing::HasSubstr("at most 5 % are allowed"));
  const json w = json::parse(read_file(folder_.file("out/window.json")));
  EXPECT_GT(std::abs(w["deviation"].get<double>()), 0.05);
}

}  // namespace
}  // namespace wse
