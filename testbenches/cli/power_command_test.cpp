// SPDX-License-Identifier: Apache-2.0
// wse power: its keys, the maps that HotSpot solved, and what it says to bad input.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/run_command.h"

namespace wse {
namespace {

using nlohmann::json;
using testing_support::CommandResult;
using testing_support::read_file;
using testing_support::run_command;

class PowerCommandTest : public ::testing::Test {
 protected:
  CommandResult power(const std::string& arguments) {
    return run_command(std::string(WSE_CLI) + " power " + arguments, folder_);
  }
  json stats(const std::string& arguments) {
    const CommandResult r = power(arguments + " --json");
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_EQ(r.err, "");
    return json::parse(r.out);
  }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.file(name)) << text;
    return name;
  }
  testing_support::TemporaryFolder folder_;
};

TEST_F(PowerCommandTest, PrintsTheKeysOfTheContract) {
  write("map.csv", "row,col,power_W\n3,5,500\n0,0,100\n");
  const json s = stats("--map map.csv");
  for (const char* key : {"dies", "grid", "wafer_power_w", "temperature_k", "coolant_out_k",
                          "steps", "host_seconds"}) {
    EXPECT_TRUE(s.contains(key)) << key;
  }
  EXPECT_EQ(s["grid"], json({48, 28}));
  EXPECT_EQ(s["dies"].size(), 84u);
  EXPECT_EQ(s["wafer_power_w"], 600.0);
  EXPECT_EQ(s["dies"][3 * 12 + 5]["power_w"], 500.0);
  EXPECT_EQ(s["dies"][3 * 12 + 5]["temperature_k"], s["temperature_k"]["peak"]);
  EXPECT_NEAR(s["coolant_out_k"].get<double>(), 298.15 + 600 / (0.5 * 4181), 1e-6);
  EXPECT_EQ(s["steps"], 0);
}

/// HotSpot 7, grid model, 84 x 84 cells, the four layers of the default stack; its rim of a tenth of a
/// millimetre shows in the dies at the edge.
TEST_F(PowerCommandTest, AgreesWithHotSpot) {
  for (const char* map : {"A", "C"}) {
    const std::string file = fmt::format(WSE_SOURCE_DIR "/configs/validation/hotspot_{}.csv", map);
    const json s = stats("--map " + file + " --grid 84x84 --no-coolant --ambient 298.15");
    std::istringstream lines(read_file(file));
    std::string line;
    std::getline(lines, line);
    std::size_t dies = 0;
    for (; std::getline(lines, line); ++dies) {
      const json& die = s["dies"][dies];
      const double reference = std::stod(line.substr(line.rfind(',') + 1));
      const int row = die["row"];
      const int column = die["col"];
      ASSERT_EQ(line.rfind(fmt::format("{},{},", row, column), 0), 0u);
      const bool edge = row == 0 || row == 6 || column == 0 || column == 11;
      EXPECT_NEAR(die["temperature_k"].get<double>(), reference, edge ? 0.2 : 0.02)
          << map << " " << row << "," << column;
    }
    EXPECT_EQ(dies, 84u);
  }
}

TEST_F(PowerCommandTest, ATransientEndsInTheSteadyState) {
  write("map.csv", "row,col,power_W\n3,5,500\n");
  const json steady = stats("--map map.csv --no-coolant");
  const json s = stats("--map map.csv --no-coolant --transient 8 --dt 0.01 --out results");
  EXPECT_EQ(s["steps"], 800);
  for (std::size_t die = 0; die < 84; ++die) {
    EXPECT_NEAR(s["dies"][die]["temperature_k"].get<double>(),
                steady["dies"][die]["temperature_k"].get<double>(), 1e-3);
  }
  // The trace has the state at the start and behind each step.
  const std::string trace = read_file(folder_.file("results/trace.csv"));
  EXPECT_EQ(std::count(trace.begin(), trace.end(), '\n'), 802);
}

TEST_F(PowerCommandTest, TakesStacksAndMachines) {
  write("map.csv", "row,col,power_W\n0,0,100\n1,1,100\n");
  write("stack.yaml",
        "width_m: 0.05\nheight_m: 0.05\n"
        "layers:\n  - {name: die, thickness_m: 1e-3, conductivity_w_mk: 100, heat_j_m3k: 1.6e6}\n"
        "convection_w_m2k: 10000\ncoolant: {inlet_c: 20}\n");
  const json s = stats("--map map.csv --machine tiny --stack stack.yaml --grid 2x2 --no-coolant");
  EXPECT_EQ(s["dies"].size(), 4u);
  const double conductance = 0.05 * 0.05 / (1e-3 / 100 + 1e-4);
  EXPECT_NEAR(s["temperature_k"]["mean"].get<double>(), 293.15 + 200 / conductance, 1e-6);
  const json thick = stats("--map map.csv --machine tiny --set thermal.tim_m=100e-6");
  const json thin = stats("--map map.csv --machine tiny");
  EXPECT_GT(thick["temperature_k"]["mean"], thin["temperature_k"]["mean"]);
}

TEST_F(PowerCommandTest, BadInputNamesThePlaceAndTheRule) {
  write("map.csv", "row,col,power_W\n3,5,500\n");
  const auto refused = [&](const std::string& arguments, const std::string& part) {
    const CommandResult r = power(arguments + " --out results");
    EXPECT_EQ(r.status, 2) << arguments;
    EXPECT_NE(r.err.find(part), std::string::npos) << arguments << "\n" << r.err;
    EXPECT_EQ(r.out, "");
  };
  refused("", "--map");
  refused("--map none.csv", "cannot be read or is empty");
  refused("--map " + write("header.csv", "x,y,w\n"), "must begin with row,col,power_W");
  refused("--map " + write("rows.csv",
                           "row,col,power_W\n7,0,1\n0,12,1\n0,0,nan\n0,1,-3\n1,1\n"
                           "2,2,5\n2,2,6\n0.5,0,1\n"),
          "rows.csv:2");
  const std::string all = power("--map rows.csv").err;
  for (const char* part : {"must be 0 .. 6", "must be 0 .. 11", "nan", "-3", "must have 3 columns",
                           "is given twice", "rows.csv:9"}) {
    EXPECT_NE(all.find(part), std::string::npos) << part << "\n" << all;
  }
  refused("--map " + write("empty.csv", "row,col,power_W\n"), "has no dies");
  refused("--map map.csv --grid 50x28", "48x28 would do");
  refused("--map map.csv --grid 0x0", "multiples");
  refused("--map map.csv --grid much", "must be NXxNY");
  refused("--map map.csv --ambient -4", "kelvins");
  refused("--map map.csv --transient 0 --dt 0.1", "positive");
  refused("--map map.csv --transient 1 --dt -0.1", "positive");
  refused("--map map.csv --transient 1 --dt 0.3", "multiple of --dt");
  refused("--map map.csv --transient 1 --steady", "one or the other");
  refused("--map map.csv --dt 0.1", "is for --transient");
  refused("--map map.csv --set thermal.tim_m=0", "thermal.tim_m");
  refused("--map map.csv --stack " +
              write("flat.yaml",
                    "layers:\n  - {name: die, thickness_m: 0, conductivity_w_mk: 1, "
                    "heat_j_m3k: 1}\n"),
          "layers.die.thickness_m");
  refused("--map map.csv --stack " + write("key.yaml", "layer: []\n"), "did you mean layers?");
  refused("--map map.csv --stack " + write("number.yaml", "width_m: wide\n"), "number.yaml:1");
}

}  // namespace
}  // namespace wse
