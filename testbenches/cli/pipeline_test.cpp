// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/run_command.h"

namespace wse {
namespace {

using nlohmann::json;
using testing_support::CommandResult;
using testing_support::run_command;
using testing_support::TemporaryFolder;

class PipelineCommandTest : public ::testing::Test {
 protected:
  CommandResult run(const std::string& arguments) {
    return run_command(std::string(WSE_CLI) + " train " + arguments + " --out out", folder_);
  }
  json train(const std::string& arguments) {
    const CommandResult r = run(arguments + " --json");
    EXPECT_EQ(r.status, 0) << r.err;
    return json::parse(r.out);
  }
  const std::string tiny_ = "tiny-gpt --machine tiny --set run.mode=pipeline ";
  TemporaryFolder folder_;
};

TEST_F(PipelineCommandTest, TheJsonHasTheStages) {
  const json j = train(tiny_ + "--set run.batch=8");
  EXPECT_EQ(j["mode"], "pipeline");
  EXPECT_EQ(j["bytes_in"], 0);
  EXPECT_EQ(j["micro_batches"], 8);
  const json& pipeline = j["pipeline"];
  ASSERT_EQ(pipeline["stages"].size(), 4u);
  EXPECT_EQ(pipeline["stages"][0]["name"], "embedding");
  EXPECT_EQ(pipeline["stages"][3]["name"], "head");
  std::uint64_t tiles = 0;
  std::uint64_t slowest = 0;
  for (const json& s : pipeline["stages"]) {
    for (const char* key :
         {"rectangle", "tiles", "forward_cycles", "backward_cycles", "sram_bytes"}) {
      EXPECT_TRUE(s.contains(key)) << key;
    }
    tiles += s["tiles"].get<std::uint64_t>();
    slowest = std::max(slowest, s["forward_cycles"].get<std::uint64_t>() +
                                    s["backward_cycles"].get<std::uint64_t>());
  }
  EXPECT_EQ(pipeline["tiles"], tiles);
  EXPECT_GE(j["simulated_cycles"].get<std::uint64_t>(), 8 * slowest);
  const double unplaced = j["time_ledger"]["unplaced"];
  EXPECT_NEAR(1 - unplaced, static_cast<double>(tiles) / (36 * 36), 1e-3);
  const double waiting = j["time_ledger"]["pipeline_wait"];
  EXPECT_NEAR(pipeline["bubble_fraction"].get<double>(), waiting / (1 - unplaced), 1e-9);
}

TEST_F(PipelineCommandTest, BubblesGetSmallerWithTheBatch) {
  double before = 1;
  for (const char* batch : {"1", "2", "4", "16", "64"}) {
    const double bubble = train(tiny_ + "--set run.batch=" + batch)["pipeline"]["bubble_fraction"];
    EXPECT_LT(bubble, before) << batch;
    before = bubble;
  }
  EXPECT_LT(before, 0.15);
}

TEST_F(PipelineCommandTest, TheHashDoesNotDependOnTheOrderOfConstructionOrTheCutIntoRegions) {
  const json j = train(tiny_ + "--set run.batch=9");
  EXPECT_EQ(j["result_hash"],
            train(tiny_ + "--set run.batch=9 --construction-order reverse")["result_hash"]);
  EXPECT_EQ(j["result_hash"], train(tiny_ + "--set run.batch=9 --set wafer.regions.columns=3 "
                                            "--set wafer.regions.rows=5")["result_hash"]);
  EXPECT_NE(j["result_hash"], train(tiny_ + "--set run.batch=10")["result_hash"]);
}

TEST_F(PipelineCommandTest, TwoStepsTakeTwiceAsLong) {
  const json one = train(tiny_ + "--set run.batch=9");
  const json two = train(tiny_ + "--set run.batch=9 --steps 2");
  EXPECT_NEAR(two["simulated_cycles"].get<double>() / one["simulated_cycles"].get<double>(), 2,
              1e-3);
  EXPECT_EQ(one["executed_fmac"], two["executed_fmac"]);
}

TEST_F(PipelineCommandTest, WhatCannotBeAPipelineSaysWhy) {
  const CommandResult large = run("gpt-neox-20b --set run.mode=pipeline");
  EXPECT_EQ(large.status, 2);
  EXPECT_NE(large.err.find("run.mode = pipeline"), std::string::npos) << large.err;
  EXPECT_NE(large.err.find("of 44 layers would fit"), std::string::npos) << large.err;
  EXPECT_EQ(run("tiny-switch --machine tiny --set run.mode=pipeline").status, 2);
  EXPECT_EQ(run(tiny_ + "--set run.sparsity=0.5").status, 2);
  EXPECT_EQ(run(tiny_ + "--set run.systems=2").status, 2);
  const CommandResult wrong = run("tiny-gpt --machine tiny --set run.mode=rows");
  EXPECT_EQ(wrong.status, 2);
  EXPECT_NE(wrong.err.find("auto or stream or pipeline"), std::string::npos) << wrong.err;
}

TEST_F(PipelineCommandTest, AutoSaysWhyItStreamsOrNot) {
  const json stream = train("tiny-gpt --machine tiny --set run.mode=auto");
  EXPECT_EQ(stream["mode"], "stream");
  EXPECT_EQ(stream["pipeline"], json::object());
  EXPECT_NE(stream["mode_reason"].get<std::string>().find("times the rate"), std::string::npos);
  const json pipeline = train(
      "bert-large --cold-start --set run.mode=auto --set run.batch=16 --set run.sequence=128");
  EXPECT_EQ(pipeline["mode"], "pipeline");
  const json streamed = train("bert-large --cold-start --set run.batch=16 --set run.sequence=128");
  EXPECT_GT(streamed["step_seconds"].get<double>(), 1.1 * pipeline["step_seconds"].get<double>());
}

}  // namespace
}  // namespace wse
