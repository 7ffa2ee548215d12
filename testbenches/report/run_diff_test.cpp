// SPDX-License-Identifier: Apache-2.0
#include "wse/report/run_diff.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/run_command.h"

namespace wse::report {
namespace {

using json = nlohmann::ordered_json;

class RunDiffTest : public ::testing::Test {
 protected:
  RunDiffTest() {
    a_.path = "a";
    b_.path = "b";
    a_.stats = b_.stats = json::parse(R"({
      "model": "m", "step_seconds": 2.0, "recompute": true, "bound": {"by": "compute", "io": 0},
      "lanes": [{"bytes_in": 100}, {"bytes_in": 200}], "host_seconds": 1, "max_rss_bytes": 5,
      "elaboration_seconds": 1, "machine": {"name": "cs2"}, "result_hash": "00"})");
    a_.config = b_.config = json::parse(R"({
      "model": {"name": "m", "file": "m.json", "document": {"n_layer": 4, "extra": [1, 2]}},
      "machine": "cs2",
      "parameters": {"io.lanes": {"value": 12, "place": "x:1"}, "run.precision": {"value": "mixed"}},
      "options": {"steps": 1, "cold_start": false}})");
  }
  RunDiff diff() const { return diff_runs(a_, b_); }
  std::string text(bool all = false) const { return diff_text(diff(), a_, b_, 0, all); }
  RunFolder a_;
  RunFolder b_;
  testing_support::TemporaryFolder folder_;
};

TEST_F(RunDiffTest, EqualRunsHaveNoDifferenceWhateverTheComputerAndThePlaces) {
  for (const char* key : {"host_seconds", "max_rss_bytes", "elaboration_seconds"})
    b_.stats[key] = 77;
  b_.config["parameters"]["io.lanes"]["place"] = "y:2";
  b_.config["model"]["file"] = "elsewhere";
  const RunDiff d = diff();
  EXPECT_EQ(d.beyond(0), 0u);
  EXPECT_TRUE(d.configuration.empty());
  EXPECT_TRUE(d.words.empty());
  EXPECT_EQ(d.compared, 4u);
  EXPECT_NE(text().find("the result_hash is equal\nconfiguration: no difference\n"
                        "no number differs by more than 0\n"),
            std::string::npos)
      << text();
}

TEST_F(RunDiffTest, NumbersAreRankedByRelativeChangeAndToleranceIsExclusive) {
  b_.stats["step_seconds"] = 3.0;         // +50 %
  b_.stats["lanes"][1]["bytes_in"] = 50;  // -75 %
  b_.stats["result_hash"] = "01";
  const RunDiff d = diff();
  ASSERT_EQ(d.numbers.size(), 2u);
  EXPECT_EQ(d.numbers[0].path, "lanes.1.bytes_in");
  EXPECT_DOUBLE_EQ(d.numbers[0].relative, -0.75);
  EXPECT_DOUBLE_EQ(d.numbers[1].relative, 0.5);
  EXPECT_EQ(d.beyond(0.75), 0u);
  EXPECT_EQ(d.beyond(0.74), 1u);
  EXPECT_EQ(d.beyond(0.49), 2u);
  EXPECT_NE(text().find("the result_hash differs"), std::string::npos);
  EXPECT_NE(text().find("step_seconds      2 -> 3       +50.00 %\n"), std::string::npos) << text();
}

TEST_F(RunDiffTest, FromZeroIsInfiniteAndStandsFirst) {
  b_.stats["bound"]["io"] = 1e-9;
  b_.stats["step_seconds"] = 200.0;
  const RunDiff d = diff();
  EXPECT_EQ(d.numbers[0].path, "bound.io");
  EXPECT_TRUE(std::isinf(d.numbers[0].relative));
  EXPECT_EQ(d.beyond(1e9), 1u);
  EXPECT_TRUE(diff_json(d, a_, b_, 0)["results"][0]["relative"].is_null());
  EXPECT_NE(text().find("from zero"), std::string::npos);
}

TEST_F(RunDiffTest, WordsAreShownAndNumbersOfOneRunCount) {
  b_.stats["bound"]["by"] = "io";
  b_.stats["recompute"] = false;
  EXPECT_EQ(diff().words.size(), 2u);
  EXPECT_EQ(diff().beyond(0), 0u);
  b_.stats["lanes"].push_back({{"bytes_in", 300}});
  a_.stats["copies"] = 2;
  EXPECT_EQ(diff().beyond(1e9), 2u);
  const json j = diff_json(diff(), a_, b_, 0);
  EXPECT_EQ(j["only_in_b"][0]["path"], "lanes.2.bytes_in");
  EXPECT_EQ(j["only_in_a"][0]["path"], "copies");
  EXPECT_NE(text().find("nothing -> 300"), std::string::npos) << text();
}

TEST_F(RunDiffTest, ConfigurationNamesParametersWithUnitTheModelAndOptions) {
  b_.config["parameters"]["io.lanes"]["value"] = 24;
  b_.config["parameters"]["run.precision"]["value"] = "fp16";
  b_.config["model"]["document"]["n_layer"] = 8;
  b_.config["model"]["document"]["extra"] = {1, 3};
  b_.config["options"]["cold_start"] = true;
  b_.config["machine"] = "tiny";
  EXPECT_EQ(diff().configuration.size(), 6u);
  const std::string t = text();
  for (const char* line :
       {"  io.lanes            12 -> 24 lanes   +100.00 %\n",
        "  run.precision       mixed -> fp16\n", "model.n_layer", "model.extra.1",
        "options.cold_start  false -> true", "machine             cs2 -> tiny"})
    EXPECT_NE(t.find(line), std::string::npos) << line << "\n" << t;
  EXPECT_EQ(diff_json(diff(), a_, b_, 0)["configuration"].size(), 6u);
}

TEST_F(RunDiffTest, ArraysAreFoldedAndLongListsCutUnlessAllIsAsked) {
  for (int i = 0; i < 30; ++i) {
    const std::string key = "n" + std::to_string(i);
    a_.stats[key] = 100;
    b_.stats[key] = 101 + i;
  }
  b_.stats["lanes"][0]["bytes_in"] = 500;
  b_.stats["lanes"][1]["bytes_in"] = 500;
  const std::string brief = text();
  EXPECT_NE(brief.find("lanes.0.bytes_in  100 -> 500   +400.00 %  (largest of 2)\n"),
            std::string::npos)
      << brief;
  EXPECT_EQ(brief.find("lanes.1"), std::string::npos);
  EXPECT_NE(brief.find("  and 11 more\n"), std::string::npos) << brief;
  EXPECT_EQ(brief.find("  n0 "), std::string::npos);
  const std::string everything = text(true);
  EXPECT_NE(everything.find("lanes.1.bytes_in"), std::string::npos);
  EXPECT_NE(everything.find("  n0 "), std::string::npos);
}

TEST_F(RunDiffTest, WithoutConfigurationsOnlyResultsAreCompared) {
  a_.config = nullptr;
  EXPECT_FALSE(diff().configurations);
  EXPECT_NE(text().find("configuration not compared"), std::string::npos);
}

TEST_F(RunDiffTest, AFolderOrItsStatisticsAreRead) {
  const std::string run = folder_.file("run");
  std::filesystem::create_directory(run);
  folder_.write("run/stats.json", a_.stats.dump());
  EXPECT_TRUE(read_run("A", run).config.is_null());
  folder_.write("run/config.json", a_.config.dump());
  EXPECT_EQ(read_run("A", run + "/stats.json").config, a_.config);
}

TEST_F(RunDiffTest, WhatIsNoRunIsSaidWithItsPlace) {
  const auto refuses = [](const std::string& path, const std::string& message) {
    try {
      read_run("A", path);
      FAIL() << path;
    } catch (const base::ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(message), std::string::npos) << error.what();
    }
  };
  refuses(folder_.file("none"), "is no run folder and no stats.json");
  refuses(folder_.path(), "there is no stats.json in it");
  folder_.write("stats.json", "{\n\"a\": 1,\n");
  refuses(folder_.path(), "stats.json:3: A = ");
  folder_.write("stats.json", "");
  refuses(folder_.path(), "is empty");
  folder_.write("stats.json", "[1]");
  refuses(folder_.path(), "not a JSON object");
  folder_.write("stats.json", "{\"a\": 1}");
  refuses(folder_.path(), "result_hash is missing");
  folder_.write("stats.json", a_.stats.dump());
  folder_.write("config.json", "{");
  refuses(folder_.path(), "config.json:1: A = ");
}

}  // namespace
}  // namespace wse::report
