// SPDX-License-Identifier: Apache-2.0
// A pipeline through the modules of the machine. SystemC elaborates once a process: each test runs once.
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "support/presets.h"
#include "support/systemc_test.h"
#include "wse/model/training.h"

namespace wse::model {
namespace {

using tiles::Cause;

class PipelineTrainingTest : public testing_support::SystemCTest {
 protected:
  PipelineTrainingTest() : settings_(testing_support::machine_preset("tiny")) {
    settings_.run.mode = "pipeline";
    settings_.run.batch = 12;
    settings_.machine.power.window_s = 0.0001;
  }
  TrainingResult run(const std::string& model = "tiny-gpt") {
    return train(testing_support::model_preset(model), settings_, testing_support::energy_preset(),
                 options_);
  }
  static double sum(const std::vector<double>& v) {
    return std::accumulate(v.begin(), v.end(), 0.0);
  }
  static double share(const TrainingResult& r, Cause cause) {
    return r.time_ledger[static_cast<std::size_t>(cause)];
  }
  Settings settings_;
  TrainingOptions options_;
};

TEST_F(PipelineTrainingTest, LedgersOfTimeAndEnergyAreComplete) {
  options_.steps = 3;
  const TrainingResult r = run();
  ASSERT_TRUE(r.pipeline);
  EXPECT_NEAR(std::accumulate(r.time_ledger.begin(), r.time_ledger.end(), 0.0), 1, 1e-9);
  for (const double energy : {sum(r.energy_by_kind), sum(r.energy_by_die), sum(r.energy_by_phase),
                              r.energy_by_trace, r.energy_ledger.total()}) {
    EXPECT_NEAR(energy / r.energy_j, 1, 1e-9);
  }
  double seconds = 0;
  for (const auto& layer : r.layer_seconds) {
    seconds += std::accumulate(layer.begin(), layer.end(), 0.0);
  }
  EXPECT_NEAR(seconds / r.step_seconds, 1, 1e-4);
  EXPECT_GT(share(r, Cause::kPipelineWait), 0);
  EXPECT_GT(share(r, Cause::kUnplaced), 0);
  EXPECT_EQ(
      share(r, Cause::kWeightWait) + share(r, Cause::kGradientWait) + share(r, Cause::kLayerChange),
      0);
}

// What the tiles count is what the model asks, whatever the rectangles.
TEST_F(PipelineTrainingTest, MultiplyAddsAndBytesAreThoseOfTheModel) {
  const TrainingResult r = run();
  constexpr std::uint64_t kWidth = 64;
  constexpr std::uint64_t kTokens = 12 * 64;
  constexpr std::uint64_t kForward =
      kTokens * (2 * 12 * kWidth * kWidth + 96 * kWidth) + 12 * 2 * 2 * (64 * 65 / 2) * kWidth;
  EXPECT_EQ(r.useful_multiply_adds, 3 * kForward);
  EXPECT_EQ(r.executed_multiply_adds, 3 * kForward);
  EXPECT_EQ(r.bytes_in, 0u);
  EXPECT_EQ(r.bytes_out, 0u);
  EXPECT_EQ(r.sample_bytes_in, kTokens * 4);
  EXPECT_EQ(r.plan.passes, 0u);
}

TEST_F(PipelineTrainingTest, RecomputationExecutesTheLayersOnceMoreButForWhatNobodyReads) {
  settings_.run.recompute = "full";
  const TrainingResult r = run();
  EXPECT_TRUE(r.pipeline->recompute);
  const std::uint64_t layers = r.model.layers_multiply_adds(12, 64);
  const std::uint64_t down = 2 * 12 * 64 * r.model.down().weights();
  EXPECT_EQ(r.executed_multiply_adds, r.useful_multiply_adds + layers - down);
  EXPECT_GT(share(r, Cause::kRecompute), 0);
}

// The kernel adds what the plan does not know: the way of the first words, and of the last one back.
TEST_F(PipelineTrainingTest, TheStepIsThatOfThePlanAndTheLatencyOfTheLanes) {
  options_.cold_start = true;
  const TrainingResult r = run();
  const double hz = static_cast<double>(settings_.machine.core_hz);
  const double latency = 1e-12 * static_cast<double>(settings_.machine.memoryx.latency_ps +
                                                     settings_.machine.lane_latency_ps);
  const double planned = static_cast<double>(r.pipeline->estimated_cycles) / hz + latency;
  EXPECT_GE(r.step_seconds, planned);
  EXPECT_LT(r.step_seconds, planned + 2e-6);
}

TEST_F(PipelineTrainingTest, SlowLanesShowAsWaitingForSamples) {
  settings_.machine.io.bits_per_second = 1'000'000;
  const TrainingResult r = run();
  EXPECT_GT(share(r, Cause::kPipelineWait), 0.5);
  const double bytes = 12.0 * 64 * 4;
  EXPECT_GT(r.step_seconds, bytes * 8 / (0.9e6 * settings_.machine.io.lanes));
}

TEST_F(PipelineTrainingTest, AStageNeverHasMoreSamplesInFlightThanStagesBehindIt) {
  const TrainingResult r = run();
  const auto& stages = r.pipeline->stages;
  for (std::size_t s = 0; s < stages.size(); ++s) {
    EXPECT_EQ(stages[s].config.in_flight, stages.size() - s);
  }
}

TEST_F(PipelineTrainingTest, AThrottledClockTakesLongerForTheSameCycles) {
  settings_.run.batch = 400;
  settings_.machine.power.cap_w = 150;
  settings_.machine.power.cap_window_s = 0.001;
  settings_.machine.power.longest_window_s = 0.001;
  const TrainingResult r = run();
  EXPECT_GT(r.throttled_fraction, 0);
  const double hz = static_cast<double>(settings_.machine.core_hz);
  EXPECT_GT(r.step_seconds, 1.01 * static_cast<double>(r.simulated_cycles) / hz);
  EXPECT_NEAR(
      static_cast<double>(r.simulated_cycles) / static_cast<double>(r.pipeline->estimated_cycles),
      1, 0.01);
}

/// A small model on a small machine, by seed.
class RandomPipelineTest : public PipelineTrainingTest,
                           public ::testing::WithParamInterface<std::uint64_t> {
 protected:
  std::uint64_t pick(std::uint64_t least, std::uint64_t most) {
    return least + random_() % (most - least + 1);
  }
  host::ModelSpec model() {
    host::ModelSpec m = testing_support::model_preset("tiny-gpt");
    m.layers = pick(1, 6);
    m.heads = 1ULL << pick(0, 3);
    m.width = m.attention_width = m.key_value_width = m.heads * pick(4, 12);
    m.feed_forward = m.width * pick(1, 4);
    m.vocabulary = pick(20, 300);
    m.positions = pick(8, 64);
    m.tied_head = pick(0, 1) == 1;
    m.parallel_blocks = pick(0, 1) == 1;
    m.gated = pick(0, 1) == 1;
    return m;
  }
  std::mt19937_64 random_{GetParam()};
};

TEST_P(RandomPipelineTest, CountsLedgersAndTheStepAreThoseOfThePlan) {
  const host::ModelSpec m = model();
  settings_.machine.geometry.user_columns = static_cast<std::uint32_t>(pick(24, 36));
  settings_.machine.geometry.user_rows = static_cast<std::uint32_t>(pick(24, 36));
  settings_.machine.fabric.hop_latency_cycles = static_cast<std::uint32_t>(pick(1, 3));
  settings_.run.batch = pick(1, 40);
  settings_.run.precision = std::vector<std::string>{"mixed", "fp16", "fp32"}[pick(0, 2)];
  settings_.run.recompute = "none";
  options_.cold_start = true;
  options_.steps = static_cast<std::uint32_t>(pick(1, 2));
  const TrainingResult r = train(m, settings_, testing_support::energy_preset(), options_);
  const std::uint64_t forward = m.forward_multiply_adds(settings_.run.batch, m.positions);
  EXPECT_EQ(r.executed_multiply_adds, 3 * forward);
  EXPECT_NEAR(std::accumulate(r.time_ledger.begin(), r.time_ledger.end(), 0.0), 1, 1e-9);
  for (const double energy : {sum(r.energy_by_kind), sum(r.energy_by_die), r.energy_by_trace}) {
    EXPECT_NEAR(energy / r.energy_j, 1, 1e-9);
  }
  const double unplaced = static_cast<double>(r.pipeline->tiles()) /
                          static_cast<double>(settings_.machine.geometry.user_columns *
                                              settings_.machine.geometry.user_rows);
  EXPECT_NEAR(1 - share(r, Cause::kUnplaced), unplaced, 1e-6);
  const double latency = 1e-12 * static_cast<double>(settings_.machine.memoryx.latency_ps +
                                                     settings_.machine.lane_latency_ps);
  const double planned = static_cast<double>(r.pipeline->estimated_cycles) /
                             static_cast<double>(settings_.machine.core_hz) +
                         latency;
  EXPECT_NEAR(r.step_seconds, planned, 2e-6 + 0.01 * planned);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomPipelineTest, ::testing::Range<std::uint64_t>(1, 25));

}  // namespace
}  // namespace wse::model
