// SPDX-License-Identifier: Apache-2.0
#include "wse/model/pipeline_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "support/presets.h"

namespace wse::model {
namespace {

using base::Cycles;
using testing_support::machine_preset;
using testing_support::model_preset;

class PipelinePlanTest : public ::testing::Test {
 protected:
  std::uint64_t pick(std::uint64_t least, std::uint64_t most) {
    return least + random_() % (most - least + 1);
  }
  host::ModelSpec random_model() {
    host::ModelSpec m = model_preset("tiny-gpt");
    m.layers = pick(1, 12);
    m.heads = 1ULL << pick(0, 3);
    m.width = m.heads * pick(4, 24);
    m.attention_width = m.key_value_width = m.width;
    m.feed_forward = m.width * pick(1, 4);
    m.vocabulary = pick(20, 600);
    m.positions = pick(8, 96);
    m.tied_head = pick(0, 1) == 1;
    m.parallel_blocks = pick(0, 1) == 1;
    m.gated = pick(0, 1) == 1;
    return m;
  }
  Settings random_machine() {
    Settings s = machine_preset("tiny");
    s.machine.geometry.user_columns = static_cast<std::uint32_t>(pick(6, 36));
    s.machine.geometry.user_rows = static_cast<std::uint32_t>(pick(6, 36));
    s.machine.sram.size_bytes = 8 * pick(3'000, 20'000);
    return s;
  }
  static std::vector<tiles::StageConfig> stages(std::size_t n, Cycles forward, Cycles backward,
                                                std::uint64_t samples) {
    std::vector<tiles::StageConfig> all(n);
    for (std::size_t s = 0; s < n; ++s) {
      all[s].cycles.forward[0] = forward;
      all[s].cycles.backward[0] = backward;
      all[s].samples = samples;
      all[s].in_flight = std::min<std::uint64_t>(samples, n - s);
    }
    return all;
  }
  std::mt19937_64 random_{7};
};

TEST_F(PipelinePlanTest, StagesAreDisjointInsideTheMeshAndHoldTheWholeModel) {
  int planned = 0;
  for (int i = 0; i < 150; ++i) {
    const host::ModelSpec model = random_model();
    const Settings settings = random_machine();
    const auto plan = plan_pipeline(model, settings, pick(1, 20));
    if (!plan) continue;
    ++planned;
    ASSERT_EQ(plan->stages.size(), model.layers + 2) << i;
    const base::GeometryConfig& g = settings.machine.geometry;
    std::vector<int> owners(std::size_t{g.user_columns} * g.user_rows, 0);
    base::Bytes state = 0;
    for (const PipelineStage& stage : plan->stages) {
      const base::Rectangle& r = stage.rectangle;
      ASSERT_GT(r.tiles(), 0u);
      ASSERT_LE(r.columns.end, g.user_columns);
      ASSERT_LE(r.rows.end, g.user_rows);
      for (std::uint32_t y = r.rows.begin; y < r.rows.end; ++y) {
        for (std::uint32_t x = r.columns.begin; x < r.columns.end; ++x) {
          ASSERT_EQ(++owners[std::size_t{y} * g.user_columns + x], 1) << i << ": " << x << "," << y;
        }
      }
      ASSERT_LE(stage.tile_bytes, settings.machine.sram.size_bytes) << i;
      // The largest tile holds at least the mean.
      ASSERT_GE((stage.tile_bytes - settings.machine.tile.code_bytes) * r.tiles(),
                stage.config.state_bytes + stage.config.sample_bytes * stage.config.in_flight);
      state += stage.config.state_bytes;
    }
    const std::uint64_t table = model.tied_head ? model.vocabulary * model.width : 0;
    ASSERT_EQ(state, 16 * model.parameters() + 6 * table)
        << i;  // a copy and a gradient of the table
  }
  EXPECT_GT(planned, 75);
}

TEST_F(PipelinePlanTest, NeighboursInThePipelineTouch) {
  Settings settings;
  const auto plan = plan_pipeline(model_preset("bert-large"), settings, 8);
  ASSERT_TRUE(plan);
  for (std::size_t s = 1; s < plan->stages.size(); ++s) {
    const base::Rectangle& a = plan->stages[s - 1].rectangle;
    const base::Rectangle& b = plan->stages[s].rectangle;
    const bool beside =
        a.rows == b.rows && (a.columns.end == b.columns.begin || b.columns.end == a.columns.begin);
    const bool below = a.rows.end == b.rows.begin;
    EXPECT_TRUE(beside || below) << s;
  }
}

TEST_F(PipelinePlanTest, EqualStagesTakeTheClosedForm) {
  for (const std::size_t n : {1u, 2u, 3u, 8u, 21u}) {
    for (const std::uint64_t samples : {1u, 2u, 5u, 8u, 40u, 4'000u}) {
      for (const auto& [forward, backward] : {std::pair<Cycles, Cycles>{100, 200}, {70, 70}}) {
        EXPECT_EQ(pipeline_cycles(stages(n, forward, backward, samples)),
                  (samples + n - 1) * (forward + backward))
            << n << " " << samples;
      }
    }
  }
}

TEST_F(PipelinePlanTest, AStepIsNeverShorterThanItsBoundsAndNeverFasterWithAnotherStage) {
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t samples = pick(1, 30);
    std::vector<tiles::StageConfig> all = stages(pick(1, 12), 1, 1, samples);
    Cycles slowest = 0;
    Cycles sum = 0;
    for (tiles::StageConfig& s : all) {
      s.cycles.forward[0] = pick(1, 500);
      s.cycles.backward[0] = pick(1, 900);
      s.to_next = pick(0, 40);
      slowest = std::max(slowest, s.cycles.of_sample());
      sum += s.cycles.of_sample();
    }
    const Cycles step = pipeline_cycles(all);
    ASSERT_GE(step, samples * slowest) << i;
    ASSERT_GE(step, sum) << i;
    all.push_back(all.back());
    for (std::size_t s = 0; s < all.size(); ++s) {
      all[s].in_flight = std::min<std::uint64_t>(samples, all.size() - s);
    }
    ASSERT_GE(pipeline_cycles(all), slowest * samples) << i;
  }
}

TEST_F(PipelinePlanTest, FewerSamplesInFlightAreNeverFaster) {
  for (int i = 0; i < 60; ++i) {
    const std::uint64_t samples = pick(4, 30);
    std::vector<tiles::StageConfig> all = stages(pick(2, 10), pick(1, 300), pick(1, 300), samples);
    Cycles before = pipeline_cycles(all);
    for (std::uint64_t most = all.size(); most >= 1; --most) {
      for (tiles::StageConfig& s : all) s.in_flight = std::min(s.in_flight, most);
      const Cycles now = pipeline_cycles(all);
      ASSERT_GE(now, before) << i << ": " << most;
      before = now;
    }
    // One in flight: nothing overlaps.
    EXPECT_EQ(before, samples * all.size() * all[0].cycles.of_sample());
  }
}

// The shape of published compiler figures: flat while a layer has all the tiles that make it faster,
// then falling. Their sequence is not published; 256 tokens here.
TEST_F(PipelinePlanTest, TheRateIsFlatInTheNumberOfLayersUntilTilesRunOut) {
  constexpr std::uint64_t kSamples = 4096;
  Settings settings;
  settings.run.sequence = 256;
  std::vector<double> rates;
  for (const std::uint64_t layers : {6u, 12u, 18u, 24u, 36u, 48u, 72u}) {
    host::ModelSpec model = model_preset("gpt-2");
    model.layers = layers;
    const auto plan = plan_pipeline(model, settings, kSamples);
    ASSERT_TRUE(plan) << layers;
    rates.push_back(static_cast<double>(kSamples) / static_cast<double>(plan->estimated_cycles));
  }
  EXPECT_NEAR(rates[1] / rates[0], 1, 0.05);
  EXPECT_NEAR(rates[2] / rates[0], 1, 0.05);
  for (std::size_t i = 1; i < rates.size(); ++i) EXPECT_LT(rates[i], 1.001 * rates[i - 1]) << i;
  EXPECT_LT(rates.back(), 0.5 * rates.front());
}

// A larger rectangle waits longer for its sums: a layer has a number of tiles that suits it best.
TEST_F(PipelinePlanTest, MoreTilesDoNotMakeALayerFasterForEver) {
  const auto loads = stage_loads(model_preset("gpt-2"), 1024, false, tiles::Precision::kMixed);
  const auto cycles = [&loads](std::uint32_t columns, std::uint32_t rows) {
    return stage_cycles(loads[1], {{0, columns}, {0, rows}}, Settings{}).of_sample();
  };
  EXPECT_LT(cycles(400, 150), cycles(200, 100));
  EXPECT_LT(cycles(400, 150), cycles(750, 900));
}

TEST_F(PipelinePlanTest, WhatDoesNotFitSaysByHowMuchAndWhatWould) {
  Settings settings;
  settings.run.mode = "pipeline";
  try {
    refuse_pipeline(model_preset("gpt-neox-20b"), settings);
  } catch (const base::ConfigError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("run.mode = pipeline"), std::string::npos) << text;
    EXPECT_NE(text.find("329 GB"), std::string::npos) << text;
    EXPECT_NE(text.find("36.6 GB"), std::string::npos) << text;
    EXPECT_NE(text.find(" of 44 layers would fit"), std::string::npos) << text;
  }
}

// The number of layers that the message names fits, one more does not.
TEST_F(PipelinePlanTest, TheLayersThatWouldFitDoAndOneMoreDoesNot) {
  Settings settings = machine_preset("tiny");
  settings.run.mode = "pipeline";
  host::ModelSpec model = model_preset("tiny-gpt");
  model.width = model.attention_width = model.key_value_width = 128;
  model.feed_forward = 512;
  model.layers = 60;
  ASSERT_FALSE(plan_pipeline(model, settings, 4));
  std::uint64_t layers = 0;
  try {
    refuse_pipeline(model, settings);
  } catch (const base::ConfigError& error) {
    const std::string text = error.what();
    const std::size_t at = text.find(" of 60 layers would fit");
    ASSERT_NE(at, std::string::npos) << text;
    layers = std::stoul(text.substr(text.rfind(' ', at - 1) + 1));
  }
  ASSERT_GT(layers, 0u);
  model.layers = layers;
  EXPECT_TRUE(plan_pipeline(model, settings, 1));
  model.layers = layers + 1;
  EXPECT_FALSE(plan_pipeline(model, settings, 1));
}

TEST_F(PipelinePlanTest, AutoTakesAPipelineOnlyWhereItFitsAndIsFaster) {
  Settings settings;
  settings.run.mode = "auto";
  const auto choice = [&settings](const char* model, std::uint64_t batch, std::uint64_t sequence) {
    settings.run.batch = batch;
    settings.run.sequence = sequence;
    const host::ModelSpec spec = model_preset(model);
    return choose_mode(spec, settings, make_plan(spec, settings));
  };
  EXPECT_TRUE(choice("bert-large", 32, 128).pipeline);     // layers change often for little work
  EXPECT_FALSE(choice("bert-large", 4096, 128).pipeline);  // much work between two changes
  const ModeChoice neox = choice("gpt-neox-20b", 16, 2048);
  EXPECT_FALSE(neox.pipeline);
  EXPECT_NE(neox.reason.find("do not fit"), std::string::npos) << neox.reason;
  settings.run.mode = "stream";
  EXPECT_FALSE(choice("bert-large", 32, 128).pipeline);
  settings.run.mode = "pipeline";
  EXPECT_TRUE(choice("bert-large", 4096, 128).pipeline);
  EXPECT_THROW(choice("switch-c", 4, 512), base::ConfigError);
  settings.run.mode = "auto";
  settings.run.sparsity = 0.5;
  EXPECT_FALSE(choice("bert-large", 32, 128).pipeline);
}

}  // namespace
}  // namespace wse::model
