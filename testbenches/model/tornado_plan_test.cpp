// SPDX-License-Identifier: Apache-2.0
// What a tornado varies, by how much, and what it leaves alone.
#include "wse/model/tornado_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace wse::model {
namespace {

std::string table_text() {
  std::ostringstream text;
  text << std::ifstream(std::string(WSE_SOURCE_DIR) + "/configs/energy/n7.csv").rdbuf();
  return text.str();
}

class TornadoPlanTest : public ::testing::Test {
 protected:
  TornadoPlan plan() const { return tornado_plan(settings_, {}, table_text()); }
  TornadoParameter of(const std::string& path) const {
    for (const TornadoParameter& p : plan().parameters)
      if (p.path == path) return p;
    ADD_FAILURE() << path << " is not varied";
    return {};
  }
  std::string why_skipped(const std::string& path) const {
    for (const TornadoSkipped& s : plan().skipped)
      if (s.path == path) return s.why;
    return "";
  }
  Settings settings_;
};

double number(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

TEST_F(TornadoPlanTest, EveryParameterIsVariedOrNamedAsSkipped) {
  const TornadoPlan all = plan();
  std::multiset<std::string> told;
  for (const TornadoParameter& p : all.parameters) told.insert(p.path);
  for (const TornadoSkipped& s : all.skipped) {
    told.insert(s.path);
    EXPECT_FALSE(s.why.empty()) << s.path;
  }
  for (const Parameter& p : parameters()) EXPECT_EQ(told.count(p.path), 1u) << p.path;
  EXPECT_EQ(told.size(), parameters().size() + 22);  // and the rows of the energy table
}

TEST_F(TornadoPlanTest, RealNumbersAndFractionsChangeByTwentyPerCent) {
  for (const TornadoParameter& p : plan().parameters) {
    Settings copy = settings_;
    const Parameter* parameter = find_parameter(p.path);
    const bool whole = parameter != nullptr && parameter->scale == 1 &&
                       !std::holds_alternative<double*>(parameter->slot(copy));
    if (whole) continue;
    const double value = number(p.value);
    if (p.low.possible()) {
      EXPECT_NEAR(number(p.low.value), 0.8 * value, 1e-6 * value) << p.path;
    }
    if (p.high.possible()) {
      EXPECT_NEAR(number(p.high.value), 1.2 * value, 1e-6 * value) << p.path;
    }
  }
}

TEST_F(TornadoPlanTest, WholeNumbersGoToTheNearestAndMoveByOneAtLeast) {
  EXPECT_EQ(of("io.lanes").low.value, "10");   // 9.6
  EXPECT_EQ(of("io.lanes").high.value, "14");  // 14.4
  EXPECT_EQ(of("tile.lanes.mixed").low.value, "1");
  EXPECT_EQ(of("tile.lanes.mixed").high.value, "3");
  EXPECT_EQ(of("clock.core_hz").low.value, "880000000");
  EXPECT_EQ(of("tile.sram.size_bytes").low.value, "39320");  // a multiple of 8 near 39,321.6
  EXPECT_EQ(of("tile.sram.size_bytes").high.value, "58984");
  EXPECT_EQ(of("tile.sram.banks").low.value, "4");  // powers of two
  EXPECT_EQ(of("tile.sram.banks").high.value, "16");
}

TEST_F(TornadoPlanTest, WhatARuleForbidsIsOneSidedAndSaysWhichRule) {
  const TornadoParameter efficiency = of("io.lane.efficiency");
  EXPECT_EQ(efficiency.low.value, "0.72");
  EXPECT_FALSE(efficiency.high.possible());
  EXPECT_NE(efficiency.high.why.find("io.lane.efficiency = 1.08: must be"), std::string::npos)
      << efficiency.high.why;
  EXPECT_EQ(of("tile.engine.vector_start_cycles").low.why, "is 0");
  EXPECT_EQ(of("tile.engine.vector_start_cycles").high.value, "1");
  const TornadoParameter throttle = of("power.throttle_c");
  EXPECT_NE(throttle.low.why.find("must be above power.release_c"), std::string::npos);
  EXPECT_NE(why_skipped("power.state1.fraction").find("power.state2.fraction"), std::string::npos);
}

TEST_F(TornadoPlanTest, ChoicesNamesAndGeometryAreNotVaried) {
  EXPECT_EQ(why_skipped("run.batch"), "is a choice of the user");
  EXPECT_EQ(why_skipped("run.precision"), "is a name, not a number");
  EXPECT_NE(why_skipped("wafer.user.columns").find("geometry"), std::string::npos);
  EXPECT_NE(why_skipped("power.energy_table").find("energy.KIND"), std::string::npos);
  EXPECT_EQ(why_skipped("wafer.defects.seed"), "is a seed");
}

TEST_F(TornadoPlanTest, AValueSetByTheUserIsVariedAroundItself) {
  settings_.run.block_bytes = 1 << 20;
  settings_.machine.io.lanes = 24;
  const TornadoPlan all =
      tornado_plan(settings_, {{"io.lanes", {"-", "-", "--set"}}}, table_text());
  const auto lanes = std::find_if(all.parameters.begin(), all.parameters.end(),
                                  [](const auto& p) { return p.path == "io.lanes"; });
  ASSERT_NE(lanes, all.parameters.end());
  EXPECT_EQ(lanes->low.value, "19");
  EXPECT_EQ(lanes->confidence, "P");
  EXPECT_EQ(of("run.block_bytes").high.value, "1258291");
}

TEST_F(TornadoPlanTest, OnlyTheRowOfAnEnergyChanges) {
  const TornadoParameter energy = of("energy.fmac_mixed");
  EXPECT_TRUE(energy.is_energy());
  EXPECT_EQ(energy.low.value, "0.576");
  EXPECT_EQ(energy.high.value, "0.864");
  EXPECT_EQ(of("energy.leakage_mw").unit, "mW");
  const std::string before = table_text();
  const std::string after = with_energy(before, "fmac_mixed", "0.864");
  const std::string row = "fmac_mixed,0.72,";
  std::string expected = before;
  expected.replace(expected.find(row), row.size(), "fmac_mixed,0.864,");
  EXPECT_EQ(after, expected);
}

}  // namespace
}  // namespace wse::model
