// SPDX-License-Identifier: Apache-2.0
// The wave options of wse train, and what is left of a run that ends early.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "support/run_command.h"

namespace wse {
namespace {

using testing_support::CommandResult;
using testing_support::read_file;
using testing_support::run_command;

class WavesTest : public ::testing::Test {
 protected:
  CommandResult train(const std::string& more) {
    return run_command(
        std::string(WSE_CLI) + " train tiny-gpt --machine tiny --quiet --out out " + more, folder_);
  }
  std::set<std::string> signals() {
    const std::string vcd = read_file(folder_.file("out/wafer.vcd"));
    const std::regex var("\\$var \\w+ \\d+ \\S+ (\\S+)");
    std::set<std::string> names;
    for (std::sregex_iterator it(vcd.begin(), vcd.end(), var), end; it != end; ++it)
      names.insert((*it)[1]);
    return names;
  }
  std::vector<std::uint64_t> times() {
    const std::string vcd = read_file(folder_.file("out/wafer.vcd"));
    const std::regex stamp("\n#(\\d+)");
    std::vector<std::uint64_t> all;
    for (std::sregex_iterator it(vcd.begin(), vcd.end(), stamp), end; it != end; ++it)
      all.push_back(std::stoull((*it)[1]));
    return all;
  }
  testing_support::TemporaryFolder folder_;
};

// A window of 1 ms is 1.1 million cycles.
TEST_F(WavesTest, CyclesAndSignalsAreChosen) {
  ASSERT_EQ(train("--steps 20 --wave-from 1100000 --wave-to 3299999 "
                  "--wave-signals 'wafer.*,die_1_0.power_w'")
                .status,
            0);
  EXPECT_EQ(signals(), (std::set<std::string>{"phase", "clock_state", "power_w", "hottest_c",
                                              "coolant_out_c", "droop_mv"}));
  const auto chosen = times();
  ASSERT_EQ(chosen.size(), 3u);  // two windows and the end of the second
  EXPECT_EQ(chosen[2] - chosen[0], 2'000'000'000u);
  const std::string save = read_file(folder_.file("out/wafer.gtkw"));
  EXPECT_NE(save.find("cs2.die_1_0.power_w"), std::string::npos);
  EXPECT_EQ(save.find("cs2.die_0_0.power_w"), std::string::npos);
  ASSERT_EQ(train("--steps 20").status, 0);
  const auto all = times();
  EXPECT_GT(all.size(), 20u);
  EXPECT_EQ(all[1], chosen[0]);
}

TEST_F(WavesTest, AnotherFormatAnotherNameOrNone) {
  ASSERT_EQ(train("--wave more.fst").status, 0);
  EXPECT_GT(read_file(folder_.file("out/more.fst")).size(), 100u);
  EXPECT_NE(read_file(folder_.file("out/more.gtkw")).find("\"more.fst\""), std::string::npos);
  ASSERT_EQ(train("--wave none").status, 0);
  EXPECT_NE(run_command("ls out/wafer.vcd", folder_).status, 0);
}

TEST_F(WavesTest, WhatCannotBeRecordedIsRefused) {
  const auto refuses = [this](const std::string& more, const std::string& message) {
    const CommandResult r = train(more);
    EXPECT_EQ(r.status, 2) << more;
    EXPECT_NE(r.err.find(message), std::string::npos) << r.err;
  };
  refuses("--wave x.txt", "must end in .vcd or .fst");
  refuses("--wave no/x.vcd", "cannot be written");
  refuses("--wave-signals wafer.pover", "names no signal");
  refuses("--wave-from 5 --wave-to 4", "must not be before --wave-from");
  refuses("--wave-from -1", "must not be negative");
  const CommandResult late = train("--wave-from 99999999999");
  EXPECT_EQ(late.status, 0);
  EXPECT_NE(late.err.find("holds no values"), std::string::npos) << late.err;
}

TEST_F(WavesTest, AnInterruptedRunLeavesWavesThatCanBeReadAndNothingElse) {
  for (const std::string name : {"wafer.vcd", "wafer.fst"}) {
    const CommandResult r = run_command(
        std::string(WSE_CLI) + " train gpt-3-xl --set run.batch=8000 --cold-start --wave " + name +
            " --out out & sleep 1.5; kill -INT $!; wait $!",
        folder_);
    EXPECT_EQ(r.status, 130) << r.err;
    EXPECT_NE(r.err.find("the waves up to here are in out/wafer.partial."), std::string::npos);
    EXPECT_NE(run_command("ls out/stats.json", folder_).status, 0);
  }
  const std::string vcd = read_file(folder_.file("out/wafer.partial.vcd"));
  EXPECT_NE(vcd.find("$enddefinitions $end\n#"), std::string::npos);
  EXPECT_EQ(vcd.back(), '\n');
  if (run_command("command -v fst2vcd", folder_).status != 0)
    GTEST_SKIP() << "needs gtkwave, which .ci/run installs";
  const CommandResult read = run_command("timeout 10 fst2vcd out/wafer.partial.fst", folder_);
  EXPECT_EQ(read.status, 0);
  EXPECT_NE(read.out.find("$enddefinitions $end\n#"), std::string::npos) << read.out.substr(0, 500);
}

// Temperatures that run away end a run with an exception: the waves end before it.
TEST_F(WavesTest, AFatalErrorLeavesTheWavesBeforeIt) {
  const CommandResult r =
      run_command(std::string(WSE_CLI) +
                      " train gpt-3-xl --cold-start --set thermal.flow_kg_s=0.001 --set "
                      "thermal.inlet_c=70 --set run.batch=512 --out out",
                  folder_);
  EXPECT_EQ(r.status, 1) << r.err;
  EXPECT_NE(r.err.find("thermal shutdown: die ("), std::string::npos) << r.err;
  const std::string vcd = read_file(folder_.file("out/wafer.partial.vcd"));
  EXPECT_NE(vcd.find("$enddefinitions $end\n#"), std::string::npos);
}

TEST_F(WavesTest, TwoRunsDoNotWriteIntoOneFolder) {
  const CommandResult r =
      run_command(std::string(WSE_CLI) +
                      " train gpt-3-xl --set run.batch=8000 --out out >first 2>&1 & sleep 1; " +
                      std::string(WSE_CLI) +
                      " train tiny-gpt --machine tiny --out out; S=$?; kill -INT $!; "
                      "wait $!; exit $S",
                  folder_);
  EXPECT_EQ(r.status, 2);
  EXPECT_NE(r.err.find("is being written by another run"), std::string::npos) << r.err;
}

}  // namespace
}  // namespace wse
