// SPDX-License-Identifier: Apache-2.0
// What a training at the cycle level tells of itself: the keys of the contract, the same run at the
// transaction level, waves and timelines of tiles, twins, its page.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "support/run_command.h"
#include "support/train_keys.h"

namespace wse {
namespace {

using nlohmann::json;
using testing_support::CommandResult;
using testing_support::read_file;
using testing_support::run_command;

class CycleObservedTest : public ::testing::Test {
 protected:
  CycleObservedTest() {
    folder_.write("small.json",
                  R"({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_layer": 1,
                      "n_embd": 16, "n_head": 2, "n_positions": 12, "vocab_size": 96})");
  }
  CommandResult wse(const std::string& arguments) {
    return run_command(std::string(WSE_CLI) + " " + arguments, folder_);
  }
  json train(const std::string& arguments) {
    const CommandResult r = wse("train " + arguments + " --json");
    EXPECT_EQ(r.status, 0) << arguments << "\n" << r.err;
    return r.status == 0 ? json::parse(r.out) : json();
  }
  testing_support::TemporaryFolder folder_;
};

double sum_of(const json& parts) {
  double sum = 0;
  for (const auto& part : parts) sum += part.get<double>();
  return sum;
}

TEST_F(CycleObservedTest, HasTheKeysOfTheContract) {
  const json j = train("tiny-gpt --fidelity cycle --mesh 8x8 --out out");
  std::vector<std::string> keys = testing_support::train_keys();
  for (const char* own : {"loss", "reference_loss"}) keys.push_back(own);
  for (const std::string& key : keys) {
    EXPECT_TRUE(j.contains(key)) << key;
  }
  EXPECT_NEAR(sum_of(j["time_ledger"]), 1, 1e-12);
  for (const auto& [cause, part] : j["time_ledger"].items()) EXPECT_GE(part, 0) << cause;
  const double seconds = j["step_seconds"];
  EXPECT_NEAR(seconds * 1.1e9, j["simulated_cycles"].get<double>(), 1e-3);
  const double tokens = 64;
  const double multiply_adds = 3 * tokens * (2 * 12 * 64 * 64 + 96 * 64 + 2 * 2 * 32.5 * 64);
  EXPECT_NEAR(j["useful_flops_per_second"], 2 * multiply_adds / seconds,
              1e-6 * multiply_adds / seconds);
  EXPECT_NEAR(j["energy_j"], j["wafer_power_w"]["mean"].get<double>() * seconds, 1e-9);
  EXPECT_NEAR(sum_of(j["power_by_kind_w"]), j["wafer_power_w"]["mean"], 1e-6);
  EXPECT_NEAR(sum_of(j["energy_ledger"]), j["energy_j"], 1e-9);
  for (const auto& [cause, joules] : j["energy_ledger"].items()) EXPECT_GT(joules, 0) << cause;
  EXPECT_GT(j["wafer_power_w"]["peak"], j["wafer_power_w"]["mean"]);
  EXPECT_NEAR(j["power_by_kind_w"]["mesh"], j["dynamic_energy_j"].get<double>() / seconds, 1e-9);
  EXPECT_GT(j["temperature_c"]["peak"], j["temperature_c"]["mean"]);
  EXPECT_EQ(j["throttled_fraction"], 0);
  EXPECT_EQ(j["machine"]["dies"], 84);
  EXPECT_LT(std::abs(j["prediction_deviation"].get<double>()), 0.10);
}

TEST_F(CycleObservedTest, TheTransactionLevelPredictsTheSameRun) {
  const json cycle = train("tiny-gpt --fidelity cycle --mesh 8x8 --out cycle");
  const json coarse = train("tiny-gpt --fidelity transaction --mesh 8x8 --out coarse");
  EXPECT_EQ(coarse["machine"]["cores_user"], 64);
  EXPECT_EQ(coarse["precision"], "fp32");
  for (const char* key :
       {"tokens_per_step", "passes", "micro_batches", "recompute", "parameters"}) {
    EXPECT_EQ(coarse[key], cycle[key]) << key;
  }
  const double cycles = cycle["simulated_cycles"];
  // With its waits for the lanes, and without.
  EXPECT_NEAR(coarse["simulated_cycles"], cycles, 0.10 * cycles);
  double work = 0;
  for (const char* cause :
       {"multiply_add", "padding", "vector_start", "reduction", "attention", "vector"}) {
    work += coarse["time_ledger"][cause].get<double>();
  }
  EXPECT_NEAR(work * coarse["simulated_cycles"].get<double>(), cycle["scheduled_cycles"], 2);
  EXPECT_NEAR(
      coarse["useful_flops_per_second"].get<double>() * coarse["step_seconds"].get<double>(),
      cycle["useful_flops_per_second"].get<double>() * cycle["step_seconds"].get<double>(), 1);
  EXPECT_NEAR(coarse["wafer_power_w"]["mean"], cycle["wafer_power_w"]["mean"], 1);
  EXPECT_NEAR(coarse["temperature_c"]["mean"], cycle["temperature_c"]["mean"], 0.1);
}

TEST_F(CycleObservedTest, AMeshThatDoesNotFitTheWaferIsRefused) {
  const CommandResult r = wse("train tiny-gpt --machine tiny --mesh 64x8 --out out");
  EXPECT_EQ(r.status, 2);
  EXPECT_NE(r.err.find("--mesh = 64x8: must fit 36x36, the tiles of a program"), std::string::npos)
      << r.err;
}

/// Times of a VCD, in its unit.
std::vector<std::uint64_t> times_of(const std::string& vcd) {
  std::vector<std::uint64_t> times;
  std::istringstream lines(vcd);
  for (std::string line; std::getline(lines, line);) {
    if (line.size() > 1 && line[0] == '#') times.push_back(std::stoull(line.substr(1)));
  }
  return times;
}

TEST_F(CycleObservedTest, WavesAndTimelinesRunOnFromKernelToKernel) {
  const std::string small = "small.json --fidelity cycle --mesh 4x3 ";
  const json plain = train(small + "--out plain");
  const json seen = train(small +
                          "--out out --wave a.vcd --timeline t.json --wave-tiles 1..2,0..1 "
                          "--wave-from 100 --wave-to 6000");
  EXPECT_EQ(seen["result_hash"], plain["result_hash"]);
  const std::string vcd = read_file(folder_.file("out/a.vcd"));
  for (const char* scope :
       {"router_1_0", "router_2_1", "tile_1_1", "queue_north_c", "south_data"}) {
    EXPECT_NE(vcd.find(scope), std::string::npos) << scope;
  }
  EXPECT_EQ(vcd.find("router_0_0"), std::string::npos);
  EXPECT_EQ(vcd.find("tile_1_2"), std::string::npos);
  const std::vector<std::uint64_t> times = times_of(vcd);
  ASSERT_GT(times.size(), 1000U);
  for (std::size_t i = 1; i < times.size(); ++i) ASSERT_LT(times[i - 1], times[i]);
  const std::string save = read_file(folder_.file("out/a.gtkw"));
  EXPECT_NE(save.find("fabric.cycle"), std::string::npos);
  EXPECT_NE(save.find("fabric.kernel"), std::string::npos);
  EXPECT_NE(read_file(folder_.file("out/a.kernels.txt")).find("1 embedding\n"), std::string::npos);

  const json events = json::parse(read_file(folder_.file("out/t.json")))["traceEvents"];
  std::set<std::string> tiles;
  std::vector<std::string> kernels;
  std::map<std::pair<int, int>, std::int64_t> open;
  std::int64_t first = 1 << 30;
  std::int64_t last = 0;
  for (const json& event : events) {
    if (event["name"] == "process_name") tiles.insert(event["args"]["name"]);
    if (event["ph"] == "M") continue;
    const auto key = std::make_pair(event["pid"].get<int>(), event["tid"].get<int>());
    const std::int64_t at = event["ts"];
    if (event["ph"] == "B") {
      if (event["pid"] == 0) kernels.push_back(event["name"]);
      EXPECT_EQ(open.count(key), 0U);
      open[key] = at;
      EXPECT_GE(at, 100);
      EXPECT_LE(at, 6000);
    } else {
      ASSERT_EQ(open.count(key), 1U);
      EXPECT_GT(at, open[key]);
      open.erase(key);
    }
    first = std::min(first, at);
    last = std::max(last, at);
  }
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(tiles, (std::set<std::string>{"kernels", "tile (1, 0)", "tile (1, 1)", "tile (2, 0)",
                                          "tile (2, 1)"}));
  EXPECT_EQ(kernels.front(), "embedding");
  EXPECT_GT(kernels.size(), 5U);
  EXPECT_LT(first, 500);
  EXPECT_GT(last, 5000);
}

TEST_F(CycleObservedTest, TwinsOfRtlChangeNothing) {
  if (wse("list twins").out.find("rtl:router") == std::string::npos) {
    GTEST_SKIP() << "this program was built without Verilator";
  }
  const std::string small = "small.json --fidelity cycle --mesh 4x3 --steps 2 ";
  const json plain = train(small + "--out plain");
  const json twins = train(small +
                           "--out out --twin router@1,2=rtl:router --twin router@0,0=rtl:router "
                           "--lockstep");
  EXPECT_EQ(twins["twins"].size(), 2U);
  for (const char* key : {"loss", "simulated_cycles", "result_hash", "energy_j", "operations"}) {
    EXPECT_EQ(twins[key], plain[key]) << key;
  }
}

TEST_F(CycleObservedTest, ThePageShowsTheStatisticsAndIsMadeAnew) {
  train("small.json --fidelity cycle --mesh 4x3 --steps 3 --out out");
  const std::string before = read_file(folder_.file("out/report.html"));
  ASSERT_EQ(run_command("rm out/report.html", folder_).status, 0);
  ASSERT_EQ(wse("report out").status, 0);
  EXPECT_TRUE(read_file(folder_.file("out/report.html")) == before);
  if (!testing_support::has_browser(folder_))
    GTEST_SKIP() << "needs chromium, which .ci/run installs";
  const CommandResult page = testing_support::open_page("out/report.html", folder_);
  EXPECT_EQ(page.err.find("CONSOLE"), std::string::npos) << page.err;
  const json stats = json::parse(read_file(folder_.file("out/stats.json")));
  const auto shown = [&page](const std::string& attribute) {
    std::vector<std::pair<std::string, std::string>> all;
    const std::regex tag("<[a-z]+[^>]* " + attribute + "=\"([^\"]*)\"[^>]*>");
    const std::regex value(" data-value=\"([^\"]*)\"");
    for (std::sregex_iterator it(page.out.begin(), page.out.end(), tag), end; it != end; ++it) {
      const std::string text = it->str();
      std::smatch found;
      all.emplace_back((*it)[1], std::regex_search(text, found, value) ? found[1].str() : "");
    }
    return all;
  };
  const auto losses = shown("data-step");
  ASSERT_EQ(losses.size(), 3U);
  for (std::size_t s = 0; s < 3; ++s) EXPECT_EQ(json::parse(losses[s].second), stats["loss"][s]);
  const auto cycles = shown("data-cycles");
  ASSERT_EQ(cycles.size(), stats["operations"].size());
  double sum = 0;
  for (const auto& [name, value] : cycles) sum += std::stod(value);
  EXPECT_EQ(sum, stats["simulated_cycles"]);
  const auto hops = shown("data-tile");
  ASSERT_EQ(hops.size(), 4U * 4);
  for (std::size_t i = 0; i < hops.size(); ++i) {
    EXPECT_EQ(json::parse(hops[i].second), stats["traffic"]["hops_by_tile"][i]);
  }
  EXPECT_EQ(shown("data-cause").size(), stats["time_ledger"].size());
  const auto joules = shown("data-energy");
  ASSERT_EQ(joules.size() + 1, stats["energy_ledger"].size());  // and the unused cores
  for (const auto& [cause, value] : joules) {
    EXPECT_EQ(json::parse(value), stats["energy_ledger"][cause]) << cause;
  }
  EXPECT_GE(shown("data-stat").size(), 8U);
}

}  // namespace
}  // namespace wse
