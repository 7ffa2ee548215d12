// SPDX-License-Identifier: Apache-2.0
#include "wse/model/systems.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/presets.h"
#include "support/systemc_test.h"
#include "wse/model/training.h"

namespace wse::model {
namespace {

using testing_support::machine_preset;
using testing_support::model_preset;

/// A run of its own process, as SystemC elaborates once; runs are compared in
/// testbenches/cli/systems_command_test.cpp.
class SystemsTest : public testing_support::SystemCTest {
 protected:
  SystemsTest() : settings_(machine_preset("tiny")) { options_.cold_start = true; }
  TrainingResult run(std::uint64_t systems) {
    settings_.run.systems = systems;
    return train(model_preset("tiny-gpt"), settings_, testing_support::energy_preset(), options_);
  }
  Settings settings_;
  TrainingOptions options_;
};

std::string refusal(std::uint64_t batch, std::uint64_t systems) {
  Settings settings = machine_preset("tiny");
  settings.run.batch = batch;
  settings.run.systems = systems;
  base::ConfigErrors errors;
  settings.run.validate(errors);
  try {
    errors.throw_if_any();
    settings_of_one_system(settings);
  } catch (const base::ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(SystemsSettingsTest, TheNumberOfSystemsIsThatOfTheTreeAndEachHasASequence) {
  EXPECT_EQ(refusal(0, 1), "");
  EXPECT_EQ(refusal(0, 192), "");
  EXPECT_EQ(refusal(192, 192), "");
  EXPECT_NE(refusal(0, 0).find("run.systems = 0: must be 1 .. 192"), std::string::npos);
  EXPECT_NE(refusal(0, 193).find("run.systems = 193: must be 1 .. 192"), std::string::npos);
  EXPECT_NE(refusal(15, 16).find("run.batch = 15: must be at least run.systems, 16"),
            std::string::npos);
}

TEST(SystemsSettingsTest, SharesAddUpToTheBatchAndDifferByAtMostOne) {
  const host::ModelSpec model = model_preset("tiny-gpt");
  for (const std::uint64_t batch : {7u, 16u, 50u, 97u}) {
    for (const std::uint64_t systems : {1u, 2u, 3u, 7u}) {
      Settings settings = machine_preset("tiny");
      settings.run.batch = batch;
      settings.run.systems = systems;
      const TrainingPlan plan = make_plan(model, settings_of_one_system(settings));
      const BatchShares shares = shares_of(settings, plan);
      EXPECT_EQ(shares.larger, (batch + systems - 1) / systems);
      EXPECT_EQ(
          shares.with_larger * shares.larger + (systems - shares.with_larger) * (shares.larger - 1),
          batch);
      EXPECT_GE(shares.with_larger, 1u);
      EXPECT_EQ(shares.even(), batch % systems == 0);
    }
  }
}

TEST(SystemsSettingsTest, WithoutABatchEachSystemHasItsLargestMicroBatch) {
  const host::ModelSpec model = model_preset("gpt-neox-20b");
  Settings settings;
  settings.run.recompute = "full";
  settings.run.systems = 16;
  const TrainingPlan plan = make_plan(model, settings_of_one_system(settings));
  EXPECT_EQ(shares_of(settings, plan).batch, 16 * plan.capacity);
  EXPECT_EQ(plan.schedule.micro_batches.size(), 1u);
}

// The hash is that of testbenches/golden, whose run was never told of a tree.
TEST_F(SystemsTest, ASystemAloneHasNoTreeAndTheResultThatItAlwaysHad) {
  settings_.machine.swarmx.level_latency_ps = 1'000'000'000;
  settings_.machine.swarmx.bits_per_second = 1'000'000;
  settings_.machine.swarmx.reduce_bits_per_second = 1'000'000;
  options_.cold_start = false;
  options_.steps = 2;
  const TrainingResult r = run(1);
  EXPECT_EQ(r.efficiency, 1);
  EXPECT_EQ(r.shares.batch, r.plan.batch);
  std::ifstream golden(WSE_SOURCE_DIR "/testbenches/golden/result_hashes.json");
  EXPECT_EQ(r.result_hash, nlohmann::json::parse(golden).at("MixedPrecision"));
}

// 3 (N_mm + L (S+1) a) multiply-adds a token, with N_mm = 2 x 12 d^2 + V d; recomputation adds the layers
// but for the matrix that nobody multiplies for. Of 50 sequences two systems have 13, two have 12.
TEST_F(SystemsTest, UnevenSharesExecuteTheMultiplyAddsOfTheWholeBatchToTheUnit) {
  constexpr std::uint64_t d = 64;
  constexpr std::uint64_t layers = 2 * 12 * d * d;
  constexpr std::uint64_t attention = 2 * 65 * d;
  constexpr std::uint64_t head = 96 * d;
  settings_.run.batch = 50;
  settings_.run.recompute = "none";
  const TrainingResult r = run(4);
  EXPECT_EQ(r.shares.with_larger, 2u);
  EXPECT_EQ(r.tokens(), 50u * 64);
  EXPECT_EQ(r.useful_multiply_adds, 3 * 50 * 64 * (layers + attention + head));
  EXPECT_EQ(r.executed_multiply_adds, r.useful_multiply_adds);
}

TEST_F(SystemsTest, LanesCarryOnceWhatOneSystemNeedsAndUtilizationIsOfAll) {
  settings_.run.batch = 64;
  const TrainingResult r = run(16);
  base::Bytes in = 0;
  base::Bytes out = 0;
  for (const host::LaneStats& lane : r.lanes) {
    in += lane.bytes_in;
    out += lane.bytes_out;
  }
  EXPECT_EQ(in, r.bytes_in + r.sample_bytes_in);
  EXPECT_EQ(out, r.bytes_out + r.sample_bytes_out);
  constexpr base::Bytes parameters_streamed = 2 * (12 * 64 * 64 + 13 * 64) + 96 * 64 + 2 * 64;
  EXPECT_EQ(r.bytes_in, 2 * 2 * parameters_streamed);
  EXPECT_NEAR(r.utilization(),
              2.0 * static_cast<double>(r.useful_multiply_adds) / r.step_seconds /
                  (16 * 1600 * 4 * 2 * 1.1e9),
              1e-12);
  EXPECT_DOUBLE_EQ(r.energy_of_all_j(), 16 * r.energy_j);
}

// The nodes pass on a hundredth of what the lanes bring: gradients wait for their sum.
TEST_F(SystemsTest, NodesThatSumSlowlyHoldTheUpdateBack) {
  settings_.run.batch = 4;
  settings_.machine.swarmx.reduce_bits_per_second = 1'000'000'000;
  const TrainingResult r = run(4);
  const double sums = static_cast<double>(r.bytes_out) * 8 / (4 * 0.9e9);
  EXPECT_GT(r.step_seconds, sums);
  EXPECT_GT(r.time_ledger[static_cast<std::size_t>(tiles::Cause::kUpdateWait)] * r.step_seconds,
            0.8 * sums);
}

// The links bring a hundredth of what the lanes could: the broadcast binds.
TEST_F(SystemsTest, SlowLinksBindAsSlowLanesDo) {
  settings_.run.batch = 4;
  settings_.machine.swarmx.bits_per_second = 1'000'000'000;
  const TrainingResult r = run(4);
  EXPECT_GT(r.step_seconds, static_cast<double>(r.bytes_in) * 8 / (4 * 0.9e9));
  EXPECT_GT(r.time_ledger[static_cast<std::size_t>(tiles::Cause::kWeightWait)], 0.4);
}

}  // namespace
}  // namespace wse::model
