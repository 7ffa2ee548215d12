// SPDX-License-Identifier: Apache-2.0
// Sweep files: expansion, ranges, counts, keys, and every way to be wrong.
#include "wse/model/sweep_plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "support/presets.h"
#include "support/run_command.h"
#include "wse/base/result_hash.h"

namespace wse::model {
namespace {

const std::vector<std::string> kResults{
    "bound.by",           "energy_per_token_j", "step_seconds", "temperature_c.peak",
    "throttled_fraction", "tokens_per_second",  "utilization",  "wafer_power_w.mean"};

class SweepPlanTest : public ::testing::Test {
 protected:
  SweepFile read(const std::string& text) {
    return read_sweep(folder_.write("s.yaml", text), kResults, errors_);
  }
  /// The runs of a file on the machine `tiny`.
  SweepPlan plan(const std::string& text) {
    const SweepFile file = read(text);
    std::vector<SweepModel> models;
    for (const Assignment& model : file.models) models.push_back({model.value, "", "{}"});
    SweepPlan plan(file, testing_support::machine_preset("tiny"), origins_, models);
    plan.expand([](const std::string&) { return "table"; }, errors_);
    return plan;
  }
  std::string violations() {
    std::string text;
    for (const base::Violation& v : errors_.violations()) {
      const std::string place = v.place.substr(v.place.find_last_of('/') + 1);
      text += fmt::format("{} {} = {}: {}\n", place, v.path, v.value, v.rule);
    }
    return text;
  }
  void refuses(const std::string& text, const std::string& message) {
    errors_ = {};
    plan(text);
    EXPECT_NE(violations().find(message), std::string::npos) << text << "\n" << violations();
  }
  /// Values of an axis, separated by blanks.
  std::string values(const std::string& axis) {
    errors_ = {};
    const SweepFile file = read("model: m\ngrid: {" + axis + "}\n");
    EXPECT_EQ(violations(), "");
    std::string text;
    for (std::uint64_t i = 0; i < file.grid.at(0).count(); ++i)
      text += (i == 0 ? "" : " ") + file.grid[0].at(i).value;
    return text;
  }

  testing_support::TemporaryFolder folder_;
  base::ConfigErrors errors_;
  Origins origins_;
};

TEST_F(SweepPlanTest, ModelsAreSlowestThenTheListThenTheGridWithItsLastAxisFastest) {
  const SweepFile file = read(
      "model: [a, b]\nlist: [{run.batch: 1}, {run.batch: 2, run.precision: fp16}]\n"
      "grid: {io.lanes: [4, 6], fabric.hop_latency_cycles: [1, 2]}\n");
  EXPECT_EQ(violations(), "");
  ASSERT_EQ(file.count(), 16u);
  EXPECT_EQ(file.axes(), (std::vector<std::string>{"run.batch", "run.precision", "io.lanes",
                                                   "fabric.hop_latency_cycles"}));
  std::vector<std::string> points;
  for (std::uint64_t i = 0; i < file.count(); ++i) {
    points.push_back(file.models[file.model_of(i)].value);
    for (const Assignment& a : file.assignments(i)) points.back() += " " + a.value;
  }
  EXPECT_EQ(points[1], "a 1 4 2");
  EXPECT_EQ(points[2], "a 1 6 1");
  EXPECT_EQ(points[4], "a 2 fp16 4 1");
  EXPECT_EQ(points[15], "b 2 fp16 6 2");
  EXPECT_EQ(std::set<std::string>(points.begin(), points.end()).size(), 16u);
  EXPECT_EQ(file.assignments(5).front().place, folder_.file("s.yaml") + ":2");
}

TEST_F(SweepPlanTest, RangesByStepByPointsAndLogarithmic) {
  EXPECT_EQ(values("io.lanes: {from: 2, to: 11, step: 3}"), "2 5 8 11");
  EXPECT_EQ(values("io.lanes: {from: 2, to: 10, step: 3}"), "2 5 8");
  EXPECT_EQ(values("run.sparsity: {from: 0, to: 0.3, step: 0.1}"), "0 0.1 0.2 0.3");
  EXPECT_EQ(values("io.lanes: {from: 1, to: 12, points: 4}"), "1 5 8 12");
  EXPECT_EQ(values("power.cap_w: {from: 1, to: 2, points: 3}"), "1 1.5 2");
  EXPECT_EQ(values("power.cap_w: {from: 100, to: 10000, points: 3, scale: log}"), "100 1000 10000");
  EXPECT_EQ(values("clock.core_hz: {from: 1e9, to: 2e9, points: 3, scale: log}"),
            "1000000000 1414213562 2000000000");
  EXPECT_EQ(values("io.lane.efficiency: {from: 0.5, to: 0.9, points: 3, scale: linear}"),
            "0.5 0.7 0.9");
}

TEST_F(SweepPlanTest, CountsNeitherOverflowNorMakeThePoints) {
  const char* const wide = "{from: 1, to: 1e18, step: 1}";
  EXPECT_NEAR(
      static_cast<double>(read(fmt::format("model: m\ngrid: {{run.seed: {0}}}", wide)).count()),
      1e18, 1);
  const std::string cube = fmt::format(
      "model: m\ngrid: {{run.seed: {0}, io.buffer_bytes: {0}, wafer.transistors: {0}}}", wide);
  EXPECT_EQ(read(cube).count(), ~std::uint64_t{0});
  EXPECT_EQ(read("model: m\ngrid: {power.cap_w: {from: 0, to: 1e300, step: 1e-5}}").count(),
            ~std::uint64_t{0});
  EXPECT_EQ(read("model: m\ngrid: {io.lanes: {from: 1, to: 1000, step: 1}, "
                 "run.seed: {from: 0, to: 999, step: 1}}")
                .count(),
            1'000'000u);
  EXPECT_EQ(violations(), "");
}

TEST_F(SweepPlanTest, DefaultsAndColumns) {
  const SweepFile plain = read("model: m\ngrid: {io.lanes: [1]}\n");
  EXPECT_EQ(plain.name, "s");
  EXPECT_EQ(plain.machine.value, "cs2");
  EXPECT_EQ(plain.objectives.size(), 2u);
  EXPECT_EQ(plain.metrics.front(), "tokens_per_second");
  EXPECT_EQ(plain.metrics.size(), 8u);
  const SweepFile chosen = read(
      "name: x.y-z_1\nmodel: m\nrun: r\nsteps: 3\ncold_start: true\ngrid: {io.lanes: [1]}\n"
      "objectives: {utilization: higher, wafer_power_w.mean: lower}\n"
      "metrics: [step_seconds, utilization]\n");
  EXPECT_EQ(violations(), "");
  EXPECT_EQ(chosen.name, "x.y-z_1");
  EXPECT_EQ(chosen.options.steps, 3u);
  EXPECT_TRUE(chosen.options.cold_start);
  EXPECT_EQ(chosen.metrics,
            (std::vector<std::string>{"utilization", "wafer_power_w.mean", "step_seconds"}));
  EXPECT_FALSE(chosen.objectives[1].higher);
}

TEST_F(SweepPlanTest, PointsThatResolveToOneConfigurationAreOneRun) {
  const SweepPlan p = plan("model: m\nlist: [{}, {io.lanes: 4}, {io.lanes: 5}]\n");
  EXPECT_EQ(violations(), "");
  ASSERT_EQ(p.runs().size(), 2u);  // the machine has four lanes
  EXPECT_EQ(p.runs()[1].point, 2u);
  EXPECT_EQ(p.settings(p.runs()[1]).machine.io.lanes, 5u);
  EXPECT_EQ(p.settings(p.runs()[0]).machine.name, "tiny");
}

TEST_F(SweepPlanTest, FixedParametersHoldForEveryPoint) {
  const SweepPlan p = plan("model: m\nset: {run.batch: 3}\ngrid: {io.lanes: [4, 5]}\n");
  EXPECT_EQ(violations(), "");
  for (const SweepRun& run : p.runs()) EXPECT_EQ(p.settings(run).run.batch, 3u);
}

TEST_F(SweepPlanTest, TheKeyIsOverEverythingThatDecidesTheResult) {
  const Settings settings = testing_support::machine_preset("tiny");
  const SweepModel model{"m", "a.json", "{}"};
  const std::string key = run_key({settings, model, "table", {}});
  EXPECT_EQ(key.size(), 16u);
  EXPECT_EQ(run_key({settings, {"m", "elsewhere.json", "{}"}, "table", {}}), key);
  Settings moved = settings;
  moved.machine.energy_table = "copy.csv";  // the text is what counts
  EXPECT_EQ(run_key({moved, model, "table", {}}), key);
  std::set<std::string> keys{key};
  keys.insert(run_key({settings, {"n", "", "{}"}, "table", {}}));
  keys.insert(run_key({settings, {"m", "", "{ }"}, "table", {}}));
  keys.insert(run_key({settings, model, "other", {}}));
  keys.insert(run_key({settings, model, "table", {2, false}}));
  keys.insert(run_key({settings, model, "table", {1, true}}));
  EXPECT_EQ(keys.size(), 6u);
  for (const Parameter& parameter : parameters()) {
    if (parameter.unit == "file") continue;
    Settings other = settings;
    const ParameterSlot slot = parameter.slot(other);
    if (const auto* text = std::get_if<std::string*>(&slot)) **text += "x";
    if (const auto* real = std::get_if<double*>(&slot)) **real += 1;
    if (const auto* small = std::get_if<std::uint32_t*>(&slot)) ++**small;
    if (const auto* large = std::get_if<std::uint64_t*>(&slot)) ++**large;
    EXPECT_NE(run_key({other, model, "table", {}}), key) << parameter.path;
  }
}

TEST_F(SweepPlanTest, ParametersPathsAndValuesThatAreWrong) {
  refuses("model: m\ngrid: {io.lane: [1]}\n",
          "s.yaml:2 io.lane = : is not a parameter; did you mean io.lanes?");
  refuses("model: m\nset: {io.lane: 1}\ngrid: {io.lanes: [1]}\n", "did you mean io.lanes?");
  refuses("model: m\nlist: [{io.lane: 1}]\n", "did you mean io.lanes?");
  refuses("model: m\ngrid:\n  io.lanes:\n    - 4\n    - x\n",
          "s.yaml:5 io.lanes = x: must be a number");
  refuses("model: m\ngrid:\n  io.lanes:\n    - 4\n    - 0\n",
          "s.yaml:5 io.lanes = 0: must be 1 .. 1024");
  refuses("model: m\nset: {run.precision: fp8}\ngrid: {io.lanes: [4]}\n",
          "s.yaml:2 run.precision = fp8");
  refuses("model: m\ngrid: {io.lanes: [4, [5]]}\n", "must be a single value");
  refuses("model: m\ngrid: {tile: {sram: [1]}}\n", "must be from, to, step, points or scale");
}

TEST_F(SweepPlanTest, FilesThatAreWrong) {
  EXPECT_THROW(read(""), base::ConfigError);
  EXPECT_THROW(read(std::string("a\0b", 3)), base::ConfigError);
  refuses("model: [m\n", "is not valid YAML");
  refuses("- a\n", "must be a map with at least one entry");
  refuses("grid: {io.lanes: [4]}\n", "model = : is missing");
  refuses("model: m\n", "needs grid, list or several models");
  refuses("modle: m\n", "is no key of a sweep file; did you mean model?");
  refuses("model: m\nmodel: n\n", "is given twice, first in line 1");
  refuses("model: []\n", "must be a list with at least one value");
  refuses("model: [m, m]\n", "is given twice, first in");
  refuses("model: m\ngrid: {}\n", "must be a map with at least one entry");
  refuses("model: m\ngrid: {io.lanes: []}\n", "must be a list with at least one value");
  refuses("model: m\nlist: []\n", "must be a list with at least one point");
  refuses("model: m\nname: a/b\ngrid: {io.lanes: [4]}\n", "to name a folder");
  refuses("model: m\nsteps: 0\ngrid: {io.lanes: [4]}\n",
          "s.yaml:2 steps = 0: must be 1 .. 1000000");
  refuses("model: m\ncold_start: yes\ngrid: {io.lanes: [4]}\n", "must be true or false");
  refuses("model: m\ngrid: {io.lanes: [4]}\nobjectives: {tokens: higher}\n",
          "is no result of a run");
  refuses("model: m\ngrid: {io.lanes: [4]}\nobjectives: {utilisation: higher}\n",
          "did you mean utilization?");
  refuses("model: m\ngrid: {io.lanes: [4]}\nobjectives: {utilization: more}\n",
          "must be higher or lower");
  refuses("model: m\ngrid: {io.lanes: [4]}\nmetrics: [utilization, utilization]\n",
          "is given twice");
}

TEST_F(SweepPlanTest, WhatIsSetTwice) {
  refuses("model: m\ngrid: {io.lanes: [4, 5], io.lanes: [6]}\n",
          "grid.io.lanes = : is given twice");
  refuses("model: m\ngrid: {io.lanes: [4, 5, 4.0]}\n", "io.lanes = 4.0: is given twice");
  refuses("model: m\nset: {io.lanes: 4}\ngrid: {io.lanes: [4]}\n", "is in set too");
  refuses("model: m\nlist: [{io.lanes: 4}]\ngrid: {io.lanes: [4]}\n", "is in list too");
  refuses("model: m\nlist: [{io.lanes: 4}, {io.lanes: 4.0}]\n", "again");
}

TEST_F(SweepPlanTest, RangesThatAreWrong) {
  const auto range = [this](const std::string& text, const std::string& message) {
    refuses("model: m\ngrid: {io.lanes: {" + text + "}}\n", message);
  };
  range("from: 1, to: 5", "needs step or points");
  range("from: 1, to: 5, step: 1, points: 3", "needs step or points");
  range("from: 1, step: 1", "needs from and to");
  range("from: 5, to: 1, step: 1", "from must be less than to");
  range("from: 1, to: 5, step: 0", "step must be positive");
  range("from: 1, to: 5, step: -1", "step must be positive");
  range("from: 1, to: 5, step: x", "io.lanes.step = x: must be a finite number");
  range("from: 1, to: .inf, step: 1", "must be a finite number");
  range("from: -1e308, to: 1e308, step: 1", "the range is too wide");
  range("from: 1, to: 5, points: 1", "at least 2");
  range("from: 1, to: 5, points: 2.5", "must be a whole number");
  range("from: 0, to: 5, points: 3, scale: log", "from must be positive");
  range("from: 1, to: 5, step: 1, scale: log", "needs points");
  range("from: 1, to: 5, points: 3, scale: cubic", "must be linear or log");
  range("from: 1, to: 5, pionts: 3", "must be from, to, step, points or scale");
}

TEST_F(SweepPlanTest, EveryViolationIsToldOnceAndTheFirstPointThatBreaksARuleElsewhere) {
  plan(
      "model: m\nset: {run.precision: fp8}\ngrid:\n  io.lane: [1]\n  io.lanes: [0, 4]\n"
      "  wafer.user.x: [1, 30, 31]\n");
  const std::string text = violations();
  EXPECT_EQ(errors_.violations().size(), 4u) << text;
  EXPECT_NE(text.find("s.yaml:4 io.lane"), std::string::npos) << text;
  EXPECT_NE(text.find("s.yaml:5 io.lanes = 0"), std::string::npos) << text;
  EXPECT_NE(text.find("s.yaml:2 run.precision = fp8"), std::string::npos) << text;
  EXPECT_NE(text.find("wafer.user.x = 30"), std::string::npos) << text;
}

// Results of earlier runs are taken over by their key: when results change, and with them the golden
// hashes or the one in the README, kResultVersion has to be raised.
TEST_F(SweepPlanTest, TheResultVersionIsRaisedWithTheResults) {
  const std::string golden =
      testing_support::read_file(WSE_SOURCE_DIR "/testbenches/golden/result_hashes.json");
  base::ResultHash hash;
  for (const char c : golden) hash.add(static_cast<unsigned char>(c));
  const std::string readme = testing_support::read_file(WSE_SOURCE_DIR "/README.md");
  std::smatch first;
  ASSERT_TRUE(std::regex_search(readme, first, std::regex("result_hash +([0-9a-f]{16})")));
  EXPECT_EQ(
      fmt::format("version {}, golden {}, readme {}", kResultVersion, hash.text(), first[1].str()),
      "version 7, golden ba2ddaee14771e26, readme dc4df8c18a43afcd")
      << "did results change? then raise kResultVersion in sweep_plan.h; write all three here";
}

}  // namespace
}  // namespace wse::model
