// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/run_command.h"

namespace wse {
namespace {

using testing_support::CommandResult;
using testing_support::run_command;

class DiffCommandTest : public ::testing::Test {
 protected:
  CommandResult wse(const std::string& arguments) {
    return run_command(std::string(WSE_CLI) + " " + arguments, folder_);
  }
  void train(const std::string& out, const std::string& more = "") {
    ASSERT_EQ(wse("train tiny-gpt --machine tiny --quiet --out " + out + " " + more).status, 0);
  }
  testing_support::TemporaryFolder folder_;
};

TEST_F(DiffCommandTest, ARunRepeatedHasNoDifference) {
  train("a");
  train("b", "--set wafer.defects.seed=99");
  const CommandResult r = wse("diff a b");
  EXPECT_EQ(r.status, 0) << r.out << r.err;
  EXPECT_NE(r.out.find("the result_hash is equal\n"), std::string::npos) << r.out;
  EXPECT_NE(r.out.find("wafer.defects.seed  1 -> 99"), std::string::npos) << r.out;
  EXPECT_EQ(wse("diff a/stats.json b/stats.json").status, 0);
}

TEST_F(DiffCommandTest, AChangeIsFoundAndTheToleranceIsAGate) {
  train("a");
  train("b", "--set fabric.hop_latency_cycles=2 --set io.lanes=3");
  const CommandResult r = wse("diff a b");
  EXPECT_EQ(r.status, 1) << r.err;
  EXPECT_NE(r.out.find("the result_hash differs\n"), std::string::npos);
  EXPECT_NE(r.out.find("io.lanes                   4 -> 3 lanes"), std::string::npos) << r.out;
  EXPECT_NE(r.out.find("fabric.hop_latency_cycles  1 -> 2 cycles"), std::string::npos) << r.out;
  EXPECT_NE(r.out.find("step_seconds"), std::string::npos) << r.out;
  EXPECT_EQ(wse("diff a a --tolerance 0").status, 0);
  const CommandResult json = wse("diff a b --json");
  EXPECT_EQ(json.status, 1);
  const auto j = nlohmann::json::parse(json.out);
  EXPECT_FALSE(j["result_hash"]["equal"]);
  EXPECT_EQ(j["configuration"].size(), 2u);
  EXPECT_GT(j["results"].size(), 20u);
  EXPECT_EQ(j["only_in_a"].size(), 4u);  // what the fourth lane counted
  EXPECT_GT(wse("diff a b --all").out.size(), r.out.size());
}

TEST_F(DiffCommandTest, OnlyWhatExceedsTheToleranceFails) {
  train("a");
  train("b", "--set thermal.inlet_c=25.001");
  EXPECT_EQ(wse("diff a b").status, 1);
  EXPECT_EQ(wse("diff a b --tolerance 0.01").status, 0);
}

TEST_F(DiffCommandTest, WhatIsNoRunIsRefused) {
  train("a");
  const auto refuses = [this](const std::string& arguments, const std::string& message) {
    const CommandResult r = wse("diff " + arguments);
    EXPECT_EQ(r.status, 2) << arguments;
    EXPECT_EQ(r.out, "");
    EXPECT_NE(r.err.find(message), std::string::npos) << r.err;
  };
  refuses("a", "required");
  refuses("a none", "B = none: is no run folder and no stats.json");
  refuses(". a", "A = .: is no run folder: there is no stats.json in it");
  refuses("a a --tolerance -1", "--tolerance = -1: must be at least 0");
  refuses("a a --tolerance nan", "--tolerance");
  std::filesystem::create_directory(folder_.file("b"));
  folder_.write("b/stats.json", "{\"model\":\n  tru");
  refuses("a b", "b/stats.json:2: B = b/stats.json: is damaged: not valid JSON");
}

}  // namespace
}  // namespace wse
