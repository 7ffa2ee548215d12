// SPDX-License-Identifier: Apache-2.0
#include "wse/model/training.h"

#include <gtest/gtest.h>

#include <numeric>

#include "support/presets.h"
#include "support/systemc_test.h"

namespace wse::model {
namespace {

class TrainingTest : public testing_support::SystemCTest {
 protected:
  static Settings machine(const std::string& name) { return testing_support::machine_preset(name); }
  static TrainingResult run(const std::string& model, const Settings& settings,
                            const TrainingOptions& options = {}) {
    return train(testing_support::model_preset(model), settings, testing_support::energy_preset(),
                 options);
  }
  static double sum(const std::vector<double>& v) {
    return std::accumulate(v.begin(), v.end(), 0.0);
  }
};

// 3 (N_mm + L (S+1) a) multiply-adds a token, with N_mm = 44 x 12 d^2 + V d; recomputation adds the
// layers once more, but for the matrices of which nobody reads the results: 5 of 12 d^2 of parallel blocks.
TEST_F(TrainingTest, GptNeoxExecutesTheMultiplyAddsOfTheIndependentCountToTheUnit) {
  constexpr std::uint64_t d = 6144;
  constexpr std::uint64_t layers = 44 * 12 * d * d;
  constexpr std::uint64_t head = 50'432 * d;
  constexpr std::uint64_t attention = 44 * 2'049 * d;
  constexpr std::uint64_t tokens = 17 * 2'048;
  TrainingOptions options;
  options.cold_start = true;
  const TrainingResult r = run("gpt-neox-20b", Settings{}, options);
  EXPECT_EQ(r.useful_multiply_adds, 3 * tokens * (layers + head + attention));
  EXPECT_EQ(r.executed_multiply_adds,
            tokens * (4 * (layers + attention) - layers / 12 * 5 + 3 * head));
  EXPECT_NEAR(std::accumulate(r.time_ledger.begin(), r.time_ledger.end(), 0.0), 1, 1e-9);
}

// Of 64 layers 47 see rows, 16 columns, the last a window of 11 x 11; all see the text.
TEST_F(TrainingTest, DalleExecutesTheMultiplyAddsOfTheIndependentCountToTheUnit) {
  constexpr std::uint64_t d = 3968;
  constexpr std::uint64_t text = 256 * 257 / 2 + 1024 * 256;
  std::uint64_t window = 0;
  for (int row = 0; row < 32; ++row) {
    for (int column = 0; column < 32; ++column) {
      for (int dy = -5; dy <= 0; ++dy) {
        for (int dx = -5; dx <= (dy == 0 ? 0 : 5); ++dx) {
          window += row + dy >= 0 && column + dx >= 0 && column + dx < 32 ? 1 : 0;
        }
      }
    }
  }
  constexpr std::uint64_t rows = 1024 * 32 - 31 * 32 / 2;
  constexpr std::uint64_t columns = 32 * 32 * 33 / 2;
  const std::uint64_t keys = 64 * text + 47 * rows + 16 * columns + window;
  Settings settings;
  settings.run.batch = 2;
  settings.run.recompute = "full";
  TrainingOptions options;
  options.cold_start = true;
  const TrainingResult r = run("dalle-12b", settings, options);
  const std::uint64_t down = 64 * 1280 * 4 * d * d;
  const std::uint64_t layers = 3 * down + 2 * keys * d;
  const std::uint64_t head = 1280 * (16'384 + 8'192) * d;
  EXPECT_EQ(r.useful_multiply_adds, 2 * 3 * (layers + head));
  EXPECT_EQ(r.executed_multiply_adds, 2 * (4 * layers - down + 3 * head));
}

TEST_F(TrainingTest, LedgersOfTimeAndEnergyAreComplete) {
  TrainingOptions options;
  options.steps = 3;
  const TrainingResult r = run("tiny-gpt", machine("tiny"), options);
  EXPECT_NEAR(std::accumulate(r.time_ledger.begin(), r.time_ledger.end(), 0.0), 1, 1e-9);
  EXPECT_NEAR(sum(r.energy_by_kind) / r.energy_j, 1, 1e-9);
  EXPECT_NEAR(sum(r.energy_by_die) / r.energy_j, 1, 1e-9);
  EXPECT_NEAR(sum(r.energy_by_phase) / r.energy_j, 1, 1e-9);
  EXPECT_NEAR(r.energy_by_trace / r.energy_j, 1, 1e-9);
  EXPECT_NEAR(r.energy_ledger.total() / r.energy_j, 1, 1e-9);
  EXPECT_EQ(r.energy_ledger.unclaimed, 0u);
  EXPECT_EQ(r.samples.size(), r.power_trace.size());
}

TEST_F(TrainingTest, TheLaneBytesAreThoseOfTheSchedule) {
  const TrainingResult r = run("tiny-gpt", machine("tiny"));
  base::Bytes in = 0;
  base::Bytes out = 0;
  for (const host::LaneStats& lane : r.lanes) {
    in += lane.bytes_in;
    out += lane.bytes_out;
  }
  EXPECT_EQ(in, r.bytes_in + r.sample_bytes_in);
  EXPECT_EQ(out, r.bytes_out + r.sample_bytes_out);
}

TEST_F(TrainingTest, NoLaneIsEverFasterThanItsPayloadRate) {
  const TrainingResult r = run("tiny-gpt", machine("tiny"));
  double in = 0;
  double out = 0;
  for (const RunSample& s : r.samples) {
    const double seconds = static_cast<double>(s.end - s.begin) * 1e-12;
    for (std::size_t lane = 0; lane < r.lanes.size(); ++lane) {
      EXPECT_LE(s.lane_in_bytes_per_s[lane], 11.25e9 * 1.0001);
      EXPECT_LE(s.lane_out_bytes_per_s[lane], 11.25e9 * 1.0001);
      in += static_cast<double>(s.lane_in_bytes_per_s[lane]) * seconds;
      out += static_cast<double>(s.lane_out_bytes_per_s[lane]) * seconds;
    }
  }
  const auto close = [](double seen, base::Bytes moved) {
    EXPECT_NEAR(seen / static_cast<double>(moved), 1, 1e-5);
  };
  close(in, r.bytes_in + r.sample_bytes_in);
  close(out, r.bytes_out + r.sample_bytes_out);
}

TEST_F(TrainingTest, ASlowLaneBinds) {
  Settings settings = machine("tiny");
  settings.run.batch = 1;
  settings.machine.io.bits_per_second = 2'000'000;
  const TrainingResult r = run("tiny-gpt", settings);
  const double lower_bound = static_cast<double>(r.bytes_in + r.sample_bytes_in) * 8 / (4 * 1.8e6);
  EXPECT_GE(r.step_seconds, lower_bound);
  EXPECT_LT(r.step_seconds, 2 * lower_bound);
  EXPECT_GT(r.time_ledger[static_cast<std::size_t>(tiles::Cause::kWeightWait)], 0.4);
}

TEST_F(TrainingTest, FullBuffersStallTheLanesAndThatShows) {
  Settings settings = machine("tiny");
  settings.machine.io.buffer_bytes = 4096;
  const TrainingResult r = run("tiny-gpt", settings);
  for (const host::LaneStats& lane : r.lanes) EXPECT_GT(lane.stalled, 0u);
}

TEST_F(TrainingTest, ABudgetThatBindsSlowsTheClock) {
  Settings settings = machine("tiny");
  settings.machine.power.cap_w = 225;
  TrainingOptions options;
  options.steps = 30;
  const TrainingResult r = run("tiny-gpt", settings, options);
  EXPECT_GT(r.throttled_fraction, 0.3);
  EXPECT_NEAR(std::accumulate(r.time_ledger.begin(), r.time_ledger.end(), 0.0), 1, 1e-9);
  EXPECT_NEAR(r.energy_by_trace / r.energy_j, 1, 1e-9);
  EXPECT_NEAR(r.energy_ledger.total() / r.energy_j, 1, 1e-9);
  EXPECT_EQ(r.energy_ledger.unclaimed, 0u);
}

}  // namespace
}  // namespace wse::model
