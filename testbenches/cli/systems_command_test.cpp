// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/run_command.h"

namespace wse {
namespace {

using nlohmann::json;
using testing_support::read_file;
using testing_support::run_command;
using testing_support::TemporaryFolder;

/// Several systems in data parallel against one, on a small wafer.
class SystemsCommandTest : public ::testing::Test {
 protected:
  json train(const std::string& arguments) {
    const auto r =
        run_command(std::string(WSE_CLI) +
                        " train tiny-gpt --machine tiny --cold-start --out out --json " + arguments,
                    folder_);
    EXPECT_EQ(r.status, 0) << r.err;
    return r.status == 0 ? json::parse(r.out) : json();
  }
  json on(int systems, int batch, const std::string& more = "") {
    return train("--set run.systems=" + std::to_string(systems) +
                 " --set run.batch=" + std::to_string(batch) + " " + more);
  }
  static double seconds(const json& run, const char* cause) {
    return run["time_ledger"][cause].get<double>() * run["step_seconds"].get<double>();
  }
  std::string refusal(const std::string& arguments) {
    const auto r = run_command(
        std::string(WSE_CLI) + " train tiny-gpt --machine tiny --out out " + arguments, folder_);
    EXPECT_EQ(r.status, 2) << r.out;
    return r.err;
  }
  static constexpr double kCycle = 1 / 1.1e9;
  static constexpr double kLevel = 3e-6;
  TemporaryFolder folder_;
};

// The first weights and the last gradients pass the tree, and nothing else shows.
TEST_F(SystemsCommandTest, GrowingWithTheBatchCostsTheLatencyOfTheTreeToTheCycle) {
  const json one = on(1, 8);
  const std::pair<int, int> levels_of[] = {{2, 1}, {16, 2}, {64, 3}, {192, 4}};
  for (const auto& [systems, levels] : levels_of) {
    const json many = on(systems, 8 * systems);
    EXPECT_EQ(many["swarmx"]["levels"], levels);
    EXPECT_EQ(many["tokens_per_step"], 8 * 64 * systems);
    const double longer = many["step_seconds"].get<double>() - one["step_seconds"].get<double>();
    EXPECT_NEAR(longer, 2 * levels * kLevel, kCycle) << systems;
    EXPECT_NEAR(seconds(many, "weight_wait") - seconds(one, "weight_wait"), levels * kLevel,
                2 * kCycle)
        << systems;
    EXPECT_NEAR(seconds(many, "update_wait") - seconds(one, "update_wait"), levels * kLevel,
                2 * kCycle)
        << systems;
    EXPECT_NEAR(
        many["tokens_per_second"].get<double>() / systems / one["tokens_per_second"].get<double>(),
        1 - longer / many["step_seconds"].get<double>(), 1e-9);
  }
}

TEST_F(SystemsCommandTest, BytesAreThoseOfASystemAndEnergyAndPowerThoseOfAll) {
  const json one = on(1, 8);
  const json many = on(16, 128);
  EXPECT_EQ(many["bytes_in"], one["bytes_in"]);
  EXPECT_EQ(many["bytes_out"], one["bytes_out"]);
  EXPECT_EQ(many["executed_fmac"], 16 * one["executed_fmac"].get<std::uint64_t>());
  EXPECT_EQ(many["systems"], 16);
  const double a_system = many["swarmx"]["energy_a_system_j"];
  EXPECT_NEAR(many["energy_j"].get<double>() / a_system, 16, 1e-9);
  EXPECT_NEAR(
      many["wafer_power_w"]["mean"].get<double>() * many["step_seconds"].get<double>() / a_system,
      1, 1e-9);
  EXPECT_NEAR(many["swarmx"]["wafers_power_w"]["mean"].get<double>() /
                  many["wafer_power_w"]["mean"].get<double>(),
              16, 1e-9);
  EXPECT_NEAR(many["system_power_w"].get<double>() /
                  many["swarmx"]["system_power_a_system_w"].get<double>(),
              16, 1e-9);
  const json stats = json::parse(read_file(folder_.file("out/stats.json")));
  for (const char* kind : {"energy_by_kind_j", "energy_by_phase_j", "energy_by_die_j"}) {
    double sum = 0;
    for (const json& v : stats[kind]) sum += v.get<double>();
    EXPECT_NEAR(sum / many["energy_j"].get<double>(), 1, 1e-9) << kind;
  }
}

TEST_F(SystemsCommandTest, AFixedBatchBendsTheCurveAndItsLossesAddUp) {
  const json run = on(1, 192, "--scaling 192,2,16,64");
  double efficiency = 1 + 1e-12;
  double tokens = 0;
  ASSERT_EQ(run["scaling"].size(), 5u);
  for (const json& row : run["scaling"]) {
    EXPECT_EQ(row["batch"], 192);
    EXPECT_LE(row["efficiency"].get<double>(), efficiency) << row["systems"];
    EXPECT_GT(row["tokens_per_second"].get<double>(), tokens) << row["systems"];
    efficiency = row["efficiency"];
    tokens = row["tokens_per_second"];
    double lost = 0;
    for (const json& loss : row["losses"]) lost += loss.get<double>();
    EXPECT_NEAR(lost, 1 - efficiency, 1e-9) << row["systems"];
  }
  EXPECT_LT(efficiency, 0.5);
  const std::string csv = read_file(folder_.file("out/scaling.csv"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 5);
  EXPECT_NE(read_file(folder_.file("out/scaling.svg")).find("</svg>"), std::string::npos);
}

TEST_F(SystemsCommandTest, AScalingIsThatOfRunsOnTheirOwn) {
  const json scaled = on(4, 64, "--scaling 8");
  ASSERT_EQ(scaled["scaling"].size(), 2u);
  const json one = on(1, 64);
  const json eight = on(8, 64);
  EXPECT_EQ(scaled["scaling"][0]["result_hash"], one["result_hash"]);
  EXPECT_EQ(scaled["scaling"][1]["result_hash"], eight["result_hash"]);
  EXPECT_NEAR(scaled["scaling"][1]["efficiency"],
              eight["tokens_per_second"].get<double>() / 8 / one["tokens_per_second"].get<double>(),
              1e-12);
}

TEST_F(SystemsCommandTest, TheEstimateOfTheEfficiencyIsNearTheOneThatWasRun) {
  for (const int systems : {2, 8, 32}) {
    const json many = on(systems, 256);
    const double run = many["tokens_per_second"].get<double>() / systems /
                       on(1, 256)["tokens_per_second"].get<double>();
    EXPECT_NEAR(many["swarmx"]["estimated_efficiency"].get<double>(), run, 0.02) << systems;
  }
}

TEST_F(SystemsCommandTest, TheSummaryTellsASystemFromAll) {
  const auto r = run_command(std::string(WSE_CLI) +
                                 " train tiny-gpt --machine tiny --cold-start --out out "
                                 "--set run.systems=4 --set run.batch=30",
                             folder_);
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_NE(r.out.find("the first 2 have 8 sequences, the other 2 have 7"), std::string::npos)
      << r.out;
  EXPECT_NE(r.out.find("1 node in 1 level, 3 us each way"), std::string::npos) << r.out;
  EXPECT_NE(r.out.find("power of all"), std::string::npos);
  EXPECT_NE(r.out.find("a step, all systems"), std::string::npos);
}

TEST_F(SystemsCommandTest, WhatCannotBeIsRefusedAtOnce) {
  EXPECT_NE(refusal("--set run.systems=193").find("run.systems = 193: must be 1 .. 192"),
            std::string::npos);
  EXPECT_NE(refusal("--set run.systems=0").find("run.systems = 0"), std::string::npos);
  EXPECT_NE(refusal("--set run.systems=16 --set run.batch=15")
                .find("run.batch = 15: must be at least run.systems, 16"),
            std::string::npos);
  EXPECT_NE(refusal("--set swarmx.fan_out=1").find("swarmx.fan_out = 1: must be 2 .. 1024"),
            std::string::npos);
  EXPECT_NE(refusal("--set run.batch=4 --scaling 1,8").find("run.batch = 4"), std::string::npos);
  for (const char* list : {"", "0", "193", "1,,2", "2,x", "1..4", "-1", "99999999999999999999"}) {
    const std::string what = refusal(std::string("--scaling '") + list + "'");
    EXPECT_NE(what.find("--scaling"), std::string::npos) << list << what;
  }
}

}  // namespace
}  // namespace wse
