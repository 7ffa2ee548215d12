// SPDX-License-Identifier: Apache-2.0
// Ranks and intervals of a tornado, by hand.
#include "wse/report/tornado_table.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace wse::report {
namespace {

TornadoRow row(const std::string& path, const std::string& confidence, double low, double high) {
  model::TornadoParameter p{path, "", "A-001", confidence, "text", "10", {"8", ""}, {"12", ""}};
  return {p, TornadoResult{low, 50, 40}, TornadoResult{high, 60, 40}};
}

class TornadoTableTest : public ::testing::Test {
 protected:
  TornadoTableTest() {
    table_.base = {100, 50, 40};
    table_.rows = {row("small", "G", 97, 101), row("large", "G", 96, 110),
                   row("known", "P", 60, 100)};
    rank(table_);
  }
  TornadoTable table_;
};

TEST_F(TornadoTableTest, TheLargerEffectOnTokensRanks) {
  EXPECT_EQ(table_.rows[0].parameter.path, "known");
  EXPECT_EQ(table_.rows[1].parameter.path, "large");
  EXPECT_EQ(table_.rows[2].parameter.path, "small");
}

TEST_F(TornadoTableTest, TheIntervalIsTheRootOfTheSumOfSquaresOfFallsAndOfRises) {
  const auto [low, high] = interval(table_, TornadoMeasure::kTokensPerSecond, false);
  EXPECT_DOUBLE_EQ(low, 100 - 5);  // 3, 4
  EXPECT_DOUBLE_EQ(high, 100 + std::sqrt(101.0));
  const auto [least, most] = interval(table_, TornadoMeasure::kTokensPerSecond, true);
  EXPECT_DOUBLE_EQ(least, 100 - std::sqrt(1625.0));  // and the published one, 40
  EXPECT_DOUBLE_EQ(most, high);
  const auto [cold, hot] = interval(table_, TornadoMeasure::kTemperature, true);
  EXPECT_DOUBLE_EQ(cold, 40);
  EXPECT_DOUBLE_EQ(hot, 40);
}

// Both values may change the result the same way; only the larger change counts.
TEST_F(TornadoTableTest, TwoFallsOfOneParameterCountOnce) {
  table_.rows = {row("both", "G", 94, 92)};
  const auto [low, high] = interval(table_, TornadoMeasure::kTokensPerSecond, false);
  EXPECT_DOUBLE_EQ(low, 92);
  EXPECT_DOUBLE_EQ(high, 100);
}

TEST_F(TornadoTableTest, ASideWithoutARunIsNullAndTold) {
  table_.rows[1].high.reset();
  table_.rows[1].parameter.high = {"", "large = 12: must be less, much less"};
  const nlohmann::json j = tornado_json(table_)["parameters"][1];
  EXPECT_TRUE(j["high"].is_null());
  EXPECT_TRUE(j["tokens_per_second"][1].is_null());
  EXPECT_EQ(j["tokens_per_second"][0], 96);
  EXPECT_EQ(j["note"], "no high side: large = 12: must be less, much less");
  EXPECT_NE(tornado_csv(table_).find("large,,10.0,8.0,,96.0,,50.0,,40.0,,A-001,G,true,\"no high"),
            std::string::npos)
      << tornado_csv(table_);
}

}  // namespace
}  // namespace wse::report
