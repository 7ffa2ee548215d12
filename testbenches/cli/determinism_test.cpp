// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/run_command.h"

namespace wse {
namespace {

using testing_support::TemporaryFolder;

class DeterminismTest : public ::testing::Test {
 protected:
  std::string hash(const std::string& more) {
    const auto r = testing_support::run_command(
        std::string(WSE_CLI) + " train tiny-gpt --machine tiny --steps 2 --json --out out " + more,
        folder_);
    EXPECT_EQ(r.status, 0) << r.err;
    return nlohmann::json::parse(r.out).at("result_hash");
  }
  TemporaryFolder folder_;
};

TEST_F(DeterminismTest, TheHashIsThatOfTheRunAndOfNothingElse) {
  const std::string first = hash("");
  EXPECT_EQ(hash(""), first);
  EXPECT_EQ(hash("--set wafer.defects.seed=99"), first);  // another defect map
  EXPECT_NE(hash("--set run.batch=3"), first);
  EXPECT_NE(hash("--set fabric.hop_latency_cycles=2"), first);
}

TEST_F(DeterminismTest, TheHashDoesNotDependOnTheCutIntoRegions) {
  const std::string first = hash("");
  for (const char* cut : {"1 1", "36 36", "5 3", "1 7"}) {
    const std::string text = cut;
    const std::size_t space = text.find(' ');
    EXPECT_EQ(hash("--set wafer.regions.columns=" + text.substr(0, space) +
                   " --set wafer.regions.rows=" + text.substr(space + 1)),
              first)
        << cut;
  }
}

TEST_F(DeterminismTest, TheHashDoesNotDependOnTheOrderOfConstruction) {
  const auto reversed = [this](const char* order) {
    return hash(std::string("--construction-order ") + order);
  };
  EXPECT_EQ(reversed("reverse"), reversed("forward"));
}

}  // namespace
}  // namespace wse
