// SPDX-License-Identifier: Apache-2.0
// wse train --tornado where the answer is known by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/run_command.h"

namespace wse {
namespace {

using nlohmann::json;
using testing_support::read_file;
using testing_support::run_command;

class TornadoTest : public ::testing::Test {
 protected:
  json train(const std::string& arguments) {
    const auto r =
        run_command(std::string(WSE_CLI) + " train tiny-gpt --machine tiny --wave none " +
                        arguments + " --json",
                    folder_);
    EXPECT_EQ(r.status, 0) << r.err;
    return r.status == 0 ? json::parse(r.out) : json();
  }
  static json parameter(const json& run, const std::string& path) {
    for (const json& p : run["tornado"]["parameters"])
      if (p["path"] == path) return p;
    ADD_FAILURE() << path << " is not varied";
    return {};
  }
  testing_support::TemporaryFolder folder_;
};

void expect_interval_holds(const json& interval, const json& base) {
  for (const char* key : {"tokens_per_second", "wafer_power_w", "temperature_c"}) {
    EXPECT_LE(interval[key][0], base[key]) << key;
    EXPECT_GE(interval[key][1], base[key]) << key;
  }
  EXPECT_LT(interval["wafer_power_w"][0], base["wafer_power_w"]);
}

// 100 Mbit/s: nothing but lanes counts, and the rate is in proportion to what they carry.
TEST_F(TornadoTest, OfAModelBoundByLanesTheyComeFirst) {
  const json run = train(
      "--out out --tornado --set run.batch=1 "
      "--set io.lane.bits_per_second=100000000");
  ASSERT_GT(run["bound"]["io"], 0.9);
  const json& rows = run["tornado"]["parameters"];
  std::vector<std::string> first;
  for (std::size_t i = 0; i < 3; ++i) first.push_back(rows[i]["path"]);
  std::sort(first.begin(), first.end());
  EXPECT_EQ(first, (std::vector<std::string>{"io.lane.bits_per_second", "io.lane.efficiency",
                                             "io.lanes"}));
  const double base = run["tokens_per_second"];
  const json rate = parameter(run, "io.lane.bits_per_second");
  EXPECT_EQ(rate["low"], 80'000'000);
  EXPECT_EQ(rate["high"], 120'000'000);
  const json lanes = parameter(run, "io.lanes");  // four: 3 and 5
  EXPECT_NEAR(lanes["tokens_per_second"][0].get<double>() / base, 0.75, 0.02);
  EXPECT_NEAR(lanes["tokens_per_second"][1].get<double>() / base, 1.25, 0.02);
  EXPECT_NEAR(rate["tokens_per_second"][0].get<double>() / base, 0.8, 0.02);
  EXPECT_NEAR(rate["tokens_per_second"][1].get<double>() / base, 1.2, 0.02);
  const json efficiency = parameter(run, "io.lane.efficiency");
  EXPECT_NEAR(efficiency["tokens_per_second"][0].get<double>() / base, 0.8, 0.02);
  EXPECT_TRUE(efficiency["tokens_per_second"][1].is_null());
  EXPECT_NE(efficiency["note"].get<std::string>().find("1.08"), std::string::npos);
  EXPECT_LT(parameter(run, "clock.core_hz")["effect"], 0.05);
  EXPECT_EQ(run["tornado"]["base"]["tokens_per_second"], run["tokens_per_second"]);
  expect_interval_holds(run["tornado"]["interval"], run["tornado"]["base"]);
  expect_interval_holds(run["tornado"]["interval_all"], run["tornado"]["base"]);
}

// In fp16 no single unit of the datapath has half of the time, but all of them follow the clock.
TEST_F(TornadoTest, OfAModelBoundByComputeTheClockComesFirst) {
  const std::string more = "--set run.precision=fp16 --set host.memoryx.capacity_bytes=1900000";
  const json run = train("--out out --tornado " + more);
  ASSERT_EQ(run["bound"]["by"], "compute");
  EXPECT_EQ(run["tornado"]["parameters"][0]["path"], "clock.core_hz");
  const json clock = parameter(run, "clock.core_hz");
  // A changed value is the same run as one with --set.
  const json slow = train("--out slow --set clock.core_hz=880000000 " + more);
  EXPECT_EQ(clock["tokens_per_second"][0], slow["tokens_per_second"]);
  EXPECT_EQ(clock["wafer_power_w"][0], slow["wafer_power_w"]["mean"]);
  EXPECT_EQ(clock["temperature_c"][0], slow["temperature_c"]["peak"]);
  // So is a changed energy.
  std::string table = read_file(std::string(WSE_SOURCE_DIR) + "/configs/energy/n7.csv");
  const std::string old = "constant_w,220,";
  table.replace(table.find(old), old.size(), "constant_w,264,");
  const json hot =
      train("--out hot --set power.energy_table=" + folder_.write("hot.csv", table) + " " + more);
  const json constant = parameter(run, "energy.constant_w");
  EXPECT_EQ(constant["wafer_power_w"][1], hot["wafer_power_w"]["mean"]);
  EXPECT_NEAR(constant["wafer_power_w"][1].get<double>(),
              run["wafer_power_w"]["mean"].get<double>() + 44, 0.5);
  // 110,336 parameters at 16 bytes do not fit into 1.52 MB.
  const json capacity = parameter(run, "host.memoryx.capacity_bytes");
  EXPECT_EQ(capacity["low"], 1'520'000);
  EXPECT_TRUE(capacity["tokens_per_second"][0].is_null());
  EXPECT_NE(capacity["note"].get<std::string>().find("status 2"), std::string::npos)
      << capacity["note"];
  EXPECT_EQ(capacity["tokens_per_second"][1], run["tokens_per_second"]);
}

/// Cells of a line; commas in quotes are text.
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (c == ',' && !quoted) {
      cells.emplace_back();
    } else if (c != '"') {
      cells.back() += c;
    }
  }
  return cells;
}

void expect_cell(const json& value, const std::string& cell) {
  if (value.is_null()) {
    EXPECT_EQ(cell, "");
  } else {
    ASSERT_NE(cell, "");
    EXPECT_EQ(std::stod(cell), value.get<double>());
  }
}

/// The first bars of the page are the first ranks, with the values of their runs.
void expect_bars(const std::string& dom, const json& tornado) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const json& p = tornado["parameters"][i];
    at = dom.find("data-path=\"" + p["path"].get<std::string>() + "\"", at);
    ASSERT_NE(at, std::string::npos) << p["path"];
    const std::string bars = dom.substr(at, dom.find("</g>", at) - at);
    for (std::size_t side = 0; side < 2; ++side) {
      const std::string mark =
          side == 0 ? "data-side=\"low\" data-value=\"" : "data-side=\"high\" data-value=\"";
      const std::size_t found = bars.find(mark);
      const json& value = p["tokens_per_second"][side];
      ASSERT_EQ(found == std::string::npos, value.is_null()) << p["path"];
      if (value.is_null()) continue;
      const double shown = std::stod(bars.substr(found + mark.size()));
      EXPECT_NEAR(shown, value.get<double>(), 1e-9 * shown) << p["path"];
    }
  }
  EXPECT_NE(dom.find("data-skipped=\"run.batch\""), std::string::npos);
}

TEST_F(TornadoTest, FilesAgreeAndRunsOfAnotherProgramAreNotTakenOver) {
  const json tornado = train("--out out --tornado")["tornado"];
  EXPECT_EQ(json::parse(read_file(folder_.file("out/tornado.json"))), tornado);
  if (testing_support::has_browser(folder_)) {
    const auto page = testing_support::open_page("out/tornado.html", folder_);
    EXPECT_EQ(page.err.find("CONSOLE"), std::string::npos) << page.err;
    expect_bars(page.out, tornado);
  }
  std::istringstream lines(read_file(folder_.file("out/tornado.csv")));
  std::string line;
  std::getline(lines, line);
  ASSERT_EQ(line.find("path,unit,value,low,high,tokens_per_second_low"), 0u);
  double before = INFINITY;
  for (const json& p : tornado["parameters"]) {
    ASSERT_TRUE(std::getline(lines, line));
    const std::vector<std::string> cells = cells_of(line);
    ASSERT_EQ(cells.size(), 15u) << line;
    EXPECT_EQ(cells[0], p["path"]);
    expect_cell(p["low"], cells[3]);
    expect_cell(p["high"], cells[4]);
    expect_cell(p["tokens_per_second"][0], cells[5]);
    expect_cell(p["wafer_power_w"][1], cells[8]);
    expect_cell(p["temperature_c"][1], cells[10]);
    EXPECT_LE(p["effect"], before) << p["path"];
    before = p["effect"];
    const bool both = !p["low"].is_null() && !p["high"].is_null();
    EXPECT_EQ(p["note"] == "", both) << p["path"];
  }
  EXPECT_FALSE(std::getline(lines, line));
  EXPECT_GT(tornado["skipped"].size(), 20u);
  ASSERT_EQ(run_command("sed -i 's/\"result_hash\": \"[^\"]*\"/\"result_hash\": \"0\"/; "
                        "s/\"tokens_per_second\": .*,/\"tokens_per_second\": 1,/' "
                        "out/tornado/runs/*/stats.json",
                        folder_)
                .status,
            0);
  EXPECT_EQ(train("--out out --tornado")["tornado"], tornado);
}

TEST_F(TornadoTest, SeveralStepsAreRefused) {
  const auto r = run_command(
      std::string(WSE_CLI) + " train tiny-gpt --machine tiny --tornado --steps 2", folder_);
  EXPECT_EQ(r.status, 2);
  EXPECT_NE(r.err.find("--steps = 2: must be 1 with --tornado"), std::string::npos) << r.err;
}

}  // namespace
}  // namespace wse
