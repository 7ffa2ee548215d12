// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "support/run_command.h"
#include "wse/model/parameters.h"

namespace wse::model {
namespace {

/// What is wrong with a machine file.
std::string refusal(const std::string& text) {
  const testing_support::TemporaryFolder folder;
  Settings settings;
  Origins origins;
  base::ConfigErrors errors;
  try {
    read_settings(folder.write("m.yaml", text), settings, origins, errors);
    settings.machine.validate(errors);
    errors.throw_if_any();
  } catch (const base::ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(SettingsTest, TheShippedMachineIsTheDefaultAndStatesItsSources) {
  Settings settings;
  Origins origins;
  base::ConfigErrors errors;
  read_settings(WSE_SOURCE_DIR "/configs/machines/cs2.yaml", settings, origins, errors);
  errors.throw_if_any();
  const Settings defaults;
  for (const Parameter& parameter : parameters()) {
    EXPECT_EQ(value_of(settings, parameter), value_of(defaults, parameter)) << parameter.path;
  }
  for (const auto& [path, origin] : origins) {
    if (path != "name") {
      EXPECT_NE(origin.source, "") << path;
    }
  }
  EXPECT_GT(origins.size(), 40u);
}

TEST(SettingsTest, EveryParameterReadsBackWhatWasSet) {
  for (const Parameter& parameter : parameters()) {
    Settings settings;
    base::ConfigErrors errors;
    const std::string value = value_of(settings, parameter);
    set_parameter(settings, parameter.path, value, "", errors);
    EXPECT_TRUE(errors.empty()) << parameter.path << " = " << value;
    EXPECT_EQ(value_of(settings, parameter), value) << parameter.path;
  }
}

TEST(SettingsTest, AllViolationsComeAtOnceWithFileAndLine) {
  const std::string what = refusal(
      "io:\n  lanes: none\n  lane: {efficiency: -1}\nclock: {core_hz: 1}\nwafer: {dies: 3}\n");
  EXPECT_NE(what.find("m.yaml:2: io.lanes = none: must be a number"), std::string::npos) << what;
  EXPECT_NE(what.find("m.yaml:3: io.lane.efficiency = -1: must not be negative"),
            std::string::npos);
  EXPECT_NE(what.find("clock.core_hz = 1: must be 1e6 .. 1e11"), std::string::npos);
  EXPECT_NE(what.find("m.yaml:5: wafer.dies = 3: is not a parameter"), std::string::npos);
}

TEST(SettingsTest, AnUnknownNameBringsTheNearestOne) {
  EXPECT_NE(refusal("fabric: {queue_dept: 3}\n").find("did you mean fabric.queue_depth?"),
            std::string::npos);
}

TEST(SettingsTest, NumbersOutOfReachAreRefused) {
  for (const char* bad : {"nan", "inf", "1e300", "0", "-3", "1.5", "''", "[1]"}) {
    EXPECT_NE(refusal("io: {lanes: " + std::string(bad) + "}\n"), "") << bad;
  }
  EXPECT_EQ(refusal("io: {lanes: 24}\n"), "");
}

TEST(SettingsTest, FilesThatAreNoYamlAreRefused) {
  EXPECT_NE(refusal("").find("is empty"), std::string::npos);
  EXPECT_NE(refusal("a: [1,\nb: }").find("is not valid YAML"), std::string::npos);
  EXPECT_NE(refusal(std::string("a\0b", 3)).find("is binary"), std::string::npos);
  EXPECT_NE(refusal("- 1\n").find("must be a map"), std::string::npos);
  EXPECT_NE(refusal("base: m.yaml\n").find("refers to itself"), std::string::npos);
  EXPECT_NE(refusal("io: {lanes: {value: 3, unit: km}}\n").find("must be in the unit lanes"),
            std::string::npos);
}

TEST(SettingsTest, RunSettingsKnowTheirWords) {
  RunConfig run;
  base::ConfigErrors errors;
  run.precision = "fp8";
  run.sparsity = 1.0;
  run.validate(errors);
  ASSERT_EQ(errors.violations().size(), 2u);
  EXPECT_EQ(errors.violations()[0].rule, "must be fp16 or mixed or fp32");
}

}  // namespace
}  // namespace wse::model
