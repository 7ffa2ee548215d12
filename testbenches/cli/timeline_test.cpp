// SPDX-License-Identifier: Apache-2.0
// timeline.json is well-formed, holds the chosen layers, and changes nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "support/run_command.h"

namespace wse {
namespace {

using nlohmann::json;
using testing_support::read_file;
using testing_support::run_command;

class TimelineTest : public ::testing::Test {
 protected:
  json train(const std::string& more) {
    const auto r = run_command(
        std::string(WSE_CLI) + " train tiny-gpt --machine tiny --json --out out " + more, folder_);
    EXPECT_EQ(r.status, 0) << r.err;
    return json::parse(r.out);
  }
  testing_support::TemporaryFolder folder_;
};

TEST_F(TimelineTest, HoldsTheChosenLayerInsideTheStepAndNoThreadDoesTwoThingsAtOnce) {
  const json result = train("--timeline 1..1 --set run.recompute=full");
  const json timeline = json::parse(read_file(folder_.file("out/timeline.json")));
  const double step_us = result["step_seconds"].get<double>() * 1e6;
  std::map<std::pair<int, int>, std::vector<std::pair<double, double>>> threads;
  std::map<int, int> open;
  std::set<std::string> computed;
  std::set<std::string> named;
  for (const json& event : timeline.at("traceEvents")) {
    const std::string kind = event.at("ph");
    if (kind == "M") {
      named.insert(event.at("args").at("name"));
      continue;
    }
    const double begin = event.at("ts");
    EXPECT_GE(begin, 0);
    EXPECT_LE(begin, step_us * 1.000001);
    if (kind == "b") ++open[event.at("id")];
    if (kind == "e") --open[event.at("id")];
    if (kind != "e") {
      EXPECT_EQ(event.at("args").at("layer"), 1);
    }
    if (kind != "X") continue;
    const double duration = event.at("dur");
    EXPECT_GT(duration, 0);
    threads[{event.at("pid"), event.at("tid")}].push_back({begin, begin + duration});
    if (event.at("cat") == "compute") computed.insert(event.at("name"));
  }
  for (const auto& [id, balance] : open) EXPECT_EQ(balance, 0) << id;
  for (auto& [thread, spans] : threads) {
    std::sort(spans.begin(), spans.end());
    for (std::size_t i = 1; i < spans.size(); ++i) {
      EXPECT_GE(spans[i].first, spans[i - 1].second - 1e-6) << thread.first << "," << thread.second;
    }
  }
  EXPECT_EQ(threads.size(), 4u + 4u + 1u);  // four lanes each way, the tiles
  for (const char* name : {"lanes into the wafer", "lanes out of the wafer", "lane 3", "compute",
                           "broadcast of weights", "reduction of sums", "gradients to the lanes"}) {
    EXPECT_EQ(named.count(name), 1u) << name;
  }
  for (const char* work : {"forward gemm_forward", "recompute gemm_forward",
                           "backward gemm_weight_gradient", "backward attention_backward"}) {
    EXPECT_EQ(computed.count(work), 1u) << work;
  }
}

TEST_F(TimelineTest, RecordingChangesNoResult) {
  EXPECT_EQ(train("--timeline 0..1")["result_hash"], train("")["result_hash"]);
}

TEST_F(TimelineTest, LayersThatDoNotExistAreRefused) {
  for (const char* layers : {"0..2", "1..0", "1", "a..b", "-1..1", "0..99999999999"}) {
    const auto r = run_command(
        std::string(WSE_CLI) + " train tiny-gpt --machine tiny --timeline=" + layers, folder_);
    EXPECT_EQ(r.status, 2) << layers;
    EXPECT_NE(r.err.find("must be A..B with 0 <= A <= B < 2"), std::string::npos) << r.err;
  }
}

}  // namespace
}  // namespace wse
