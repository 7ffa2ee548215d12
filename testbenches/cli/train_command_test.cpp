// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "support/run_command.h"
#include "support/train_keys.h"

namespace wse {
namespace {

using nlohmann::json;
using testing_support::read_file;
using testing_support::run_command;
using testing_support::TemporaryFolder;

class TrainCommandTest : public ::testing::Test {
 protected:
  nlohmann::json train(const std::string& arguments) {
    const auto r =
        run_command(std::string(WSE_CLI) + " train " + arguments + " --json --out out", folder_);
    EXPECT_EQ(r.status, 0) << r.err;
    return nlohmann::json::parse(r.out);
  }
  TemporaryFolder folder_;
};

TEST_F(TrainCommandTest, TheJsonHasTheKeysOfTheContract) {
  const auto j = train("tiny-gpt --machine tiny");
  for (const std::string& key : testing_support::train_keys()) {
    EXPECT_TRUE(j.contains(key)) << key;
  }
  for (const char* key : {"cores_built", "cores_fabric", "cores_user", "sram_bytes", "transistors",
                          "dies", "fabric"}) {
    EXPECT_TRUE(j["machine"].contains(key)) << key;
  }
}

TEST_F(TrainCommandTest, TheFilesAreWrittenAndAgree) {
  const auto j = train("tiny-gpt --machine tiny");
  const auto stats = nlohmann::json::parse(read_file(folder_.file("out/stats.json")));
  EXPECT_EQ(stats["result_hash"], j["result_hash"]);
  const std::string csv = read_file(folder_.file("out/dies.csv"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 4);
  const std::string vcd = read_file(folder_.file("out/wafer.vcd"));
  EXPECT_NE(vcd.find("$enddefinitions $end"), std::string::npos);
  EXPECT_NE(vcd.find("$scope module die_1_1 $end"), std::string::npos);
  const std::string save = read_file(folder_.file("out/wafer.gtkw"));
  EXPECT_NE(save.find("cs2.wafer.power_w"), std::string::npos);
  EXPECT_NE(save.find("^1 " + folder_.file("out/phases.txt") + "\n"), std::string::npos);
  EXPECT_EQ(read_file(folder_.file("out/phases.txt")),
            "0 idle\n1 forward\n2 recompute\n3 backward\n4 update\n");
}

// Zhang et al. (zhang2024), table V, batch 128 on one CS-2. The layer change is calibrated on BERT,
// not on these rows.
TEST_F(TrainCommandTest, PublishedTrainingRatesAreMetWithinTwentyPercent) {
  const std::pair<const char*, double> rows[] = {
      {"gpt-3-6.7b", 46'427}, {"gpt-3-13b", 24'289}, {"gpt-3-20b", 15'770}};
  for (const auto& [model, published] : rows) {
    const double measured = train(std::string(model) + " --cold-start")["tokens_per_second"];
    EXPECT_LT(std::abs(measured / published - 1), 0.20) << model << ": " << measured;
  }
}

TEST_F(TrainCommandTest, DoublingSlowLanesHalvesTheStep) {
  const auto seconds = [this](const char* rate) -> double {
    return train(std::string("tiny-gpt --machine tiny --set run.batch=1 "
                             "--set io.lane.bits_per_second=") +
                 rate)["step_seconds"];
  };
  EXPECT_NEAR(seconds("1000000") / seconds("2000000"), 2, 0.02);
}

TEST_F(TrainCommandTest, TheEnergyAddsUpByCauseAndByPhase) {
  const auto j = train("tiny-gpt --machine tiny --set run.recompute=full --set run.systems=2");
  const auto ledger =
      nlohmann::json::parse(testing_support::read_file(folder_.file("out/ledger.json")));
  const double all = j["energy_j"];
  std::map<std::string, double> by_cause;
  for (const auto& phase : ledger["joules_by_phase"]) {
    for (const auto& [cause, joules] : phase.items()) by_cause[cause] += joules.get<double>();
  }
  double sum = 0;
  for (const auto& [cause, joules] : j["energy_ledger"].items()) {
    EXPECT_NEAR(by_cause[cause], joules.get<double>(), 1e-9 * all) << cause;
    sum += joules.get<double>();
  }
  EXPECT_NEAR(sum, all, 1e-9 * all);
  EXPECT_EQ(ledger["energy_j"], j["energy_j"]);
  // Nobody works while waiting; the recomputed pass is all of its phase but for waits.
  EXPECT_NEAR(ledger["still_joules"]["update_wait"].get<double>() /
                  j["energy_ledger"]["update_wait"].get<double>(),
              1, 1e-9);
  for (const char* cause : {"broadcast", "gradients", "samples"}) {
    EXPECT_FALSE(ledger["still_joules"].contains(cause)) << cause;
    EXPECT_GT(j["energy_ledger"][cause], 0) << cause;
  }
  EXPECT_FALSE(ledger["joules_by_phase"]["recompute"].contains("broadcast"));
  EXPECT_GT(ledger["joules_by_phase"]["recompute"]["recompute"], 0);
}

// Cores that wait for weights may as well be slow.
TEST_F(TrainCommandTest, TheLedgerAddsUpByPhaseByLayerAndByLink) {
  const auto j = train("tiny-gpt --machine tiny --set run.recompute=full");
  const auto stats =
      nlohmann::json::parse(testing_support::read_file(folder_.file("out/stats.json")));
  const auto ledger =
      nlohmann::json::parse(testing_support::read_file(folder_.file("out/ledger.json")));
  const double step = j["step_seconds"];
  std::map<std::string, double> by_cause;
  for (const auto& phase : ledger["seconds_by_phase"]) {
    for (const auto& [cause, seconds] : phase.items()) by_cause[cause] += seconds.get<double>();
  }
  double all = 0;
  for (const auto& [cause, share] : j["time_ledger"].items()) {
    EXPECT_NEAR(by_cause[cause], share.get<double>() * step, 1e-3 * step) << cause;
    all += by_cause[cause];
  }
  EXPECT_NEAR(all, step, 1e-3 * step);
  EXPECT_GT(ledger["seconds_by_phase"]["recompute"]["recompute"], 0);
  double layers = 0;
  for (const auto& layer : ledger["layers"]) layers += layer["seconds"].get<double>();
  EXPECT_NEAR(layers, step, 1e-3 * step);
  EXPECT_EQ(ledger["layers"].size(), 3U);  // two, and what is outside of them
  const auto& links = ledger["link_bytes"];
  EXPECT_EQ(links["lanes_in"],
            stats["bytes_in"].get<std::uint64_t>() + stats["sample_bytes_in"].get<std::uint64_t>());
  EXPECT_EQ(links["between_dies"].get<std::uint64_t>() + links["within_dies"].get<std::uint64_t>(),
            4 * stats["wavelet_hops"].get<std::uint64_t>());
}

// A column of dies starts when the lanes that feed it have brought their share, whatever the others do.
TEST_F(TrainCommandTest, SlowLanesOfAnyNumberFeedTheirColumnsOfDies) {
  double before = 0;
  for (const int lanes : {2, 3, 4, 5, 7}) {
    const double rate =
        train(fmt::format("tiny-gpt --machine tiny --set run.batch=1 --set "
                          "io.lane.bits_per_second=1e7 --set io.lanes={}",
                          lanes))["tokens_per_second"];
    EXPECT_NEAR(rate, 151.6 * lanes, 0.02 * 151.6 * lanes) << lanes;  // I/O bound
    EXPECT_GT(rate, before);
    before = rate;
  }
}

TEST_F(TrainCommandTest, AModelBoundByLanesLosesNothingAtASlowerClock) {
  const auto run = [this](const char* clock) {
    return train(std::string("tiny-gpt --machine tiny --set run.batch=1 "
                             "--set io.lane.bits_per_second=1000000 --set clock.core_hz=") +
                 clock);
  };
  const json fast = run("1.1e9");
  const json slow = run("0.99e9");
  EXPECT_GT(fast["bound"]["io"], 0.9);
  EXPECT_NEAR(slow["tokens_per_second"].get<double>() / fast["tokens_per_second"].get<double>(), 1,
              0.005);
  EXPECT_LT(slow["energy_j"], fast["energy_j"]);
}

TEST_F(TrainCommandTest, APowerCapSlowsTheClockAndIsTold) {
  const json free = train("gpt-3-xl");
  const double cap = free["wafer_power_w"]["mean"].get<double>() * 0.85;
  const json capped = train("gpt-3-xl --set power.cap_w=" + std::to_string(cap));
  EXPECT_LT(capped["wafer_power_w"]["mean"], cap);
  EXPECT_GT(capped["throttled_fraction"], 0.5);
  EXPECT_LT(capped["tokens_per_second"], free["tokens_per_second"]);
  const json stats = json::parse(read_file(folder_.file("out/stats.json")));
  double seconds = 0;
  for (const json& s : stats["power"]["clock_state_seconds"]) seconds += s.get<double>();
  EXPECT_NEAR(seconds / stats["step_seconds"].get<double>(), 1, 0.02);
  EXPECT_GT(stats["power"]["hottest_die"]["margin_k"], 0);
  EXPECT_GT(stats["power"]["current_a"]["peak"], stats["power"]["current_a"]["mean"]);
  // The trace adds up to the energy of the step.
  std::istringstream lines(read_file(folder_.file("out/power.csv")));
  std::string line;
  std::getline(lines, line);
  double joules = 0;
  while (std::getline(lines, line)) {
    double begin = 0;
    double end = 0;
    double watts = 0;
    int state = 0;
    ASSERT_EQ(std::sscanf(line.c_str(), "%lf,%lf,%d,%lf", &begin, &end, &state, &watts), 4);
    joules += (end - begin) * watts;
  }
  EXPECT_NEAR(joules / stats["energy_j"].get<double>(), 1, 1e-5);
}

TEST_F(TrainCommandTest, SparseWeightsTakeLessTimeForTheirMultiplyAdds) {
  const auto dense = train("gpt-3-xl --cold-start");
  const auto sparse = train("gpt-3-xl --cold-start --set run.sparsity=0.75");
  const auto ratio = [&](const char* key) {
    return sparse[key].get<double>() / dense[key].get<double>();
  };
  EXPECT_LT(ratio("executed_fmac"), 0.5);  // weight gradients are computed in full
  EXPECT_LT(ratio("step_seconds"), 0.7);
  EXPECT_NEAR(ratio("bytes_in"), 0.5, 0.005);  // a quarter of the weights, index and value
  EXPECT_NEAR(ratio("bytes_out"), 0.5, 0.005);
}

TEST_F(TrainCommandTest, GptNeoxNeedsLittleMemory) {
  const auto j = train("gpt-neox-20b");
  EXPECT_EQ(j["parameters"], 20'554'567'680u);
  EXPECT_LT(j["max_rss_bytes"].get<double>(), 2e9);
  EXPECT_EQ(j["machine"]["dies"], 84);
}

TEST_F(TrainCommandTest, ATerminalSeesProgressAndAPipeDoesNot) {
  const std::string command = std::string(WSE_CLI) + " train gpt-3-xl --out out";
  const auto seen = run_command("script -qec '" + command + "' /dev/null", folder_);
  EXPECT_EQ(seen.status, 0);
  EXPECT_NE(seen.out.find(" %  warm-up step: forward, layer 1 of 24"), std::string::npos);
  EXPECT_NE(seen.out.find(" s left"), std::string::npos);
  EXPECT_NE(seen.out.find("step 1 of 1: "), std::string::npos);
  const auto piped = run_command(command, folder_);
  EXPECT_EQ(piped.err, "");
  EXPECT_EQ(piped.out.find('\r'), std::string::npos);
}

TEST_F(TrainCommandTest, ExplainTellsValueUnitSourceAndConfidence) {
  const auto r = run_command(std::string(WSE_CLI) + " explain io.lanes --set io.lanes=24", folder_);
  EXPECT_EQ(r.status, 0);
  EXPECT_NE(r.out.find("io.lanes = 24 lanes"), std::string::npos) << r.out;
  const auto cs2 = run_command(std::string(WSE_CLI) + " explain tile.layer_change_cycles", folder_);
  EXPECT_NE(cs2.out.find("C (calibrated"), std::string::npos) << cs2.out;
  EXPECT_NE(cs2.out.find("cs2.yaml:"), std::string::npos);
}

}  // namespace
}  // namespace wse
