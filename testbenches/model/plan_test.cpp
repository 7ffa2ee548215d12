// SPDX-License-Identifier: Apache-2.0
#include "wse/model/plan.h"

#include <gtest/gtest.h>

#include "wse/base/random.h"
#include "wse/model/activations.h"

namespace wse::model {
namespace {

host::ModelSpec preset(const std::string& name) {
  return host::read_model(WSE_SOURCE_DIR "/configs/models/" + name + ".json", name);
}

// 40,960 bytes of a tile are not code. With two copies NeoX has 17 features of the width and 66 of the
// feed-forward block in a tile: 2 x 44 x 17 bytes a token are kept, 18 x 17 + 4 x 66 live, 2 x 66 of
// gradients and 8 of sums beside them: 2,206 bytes, 18 tokens, 17 sequences in 994 rows of two copies.
TEST(PlanTest, TheBatchIsWhatTheFullestTileHolds) {
  Settings settings;
  settings.run.recompute = "full";
  settings.run.copies = 2;
  const auto capacity = [&](const char* model) {
    return make_plan(preset(model), settings).capacity;
  };
  EXPECT_EQ(capacity("gpt-neox-20b"), 18 * 994 * 2 / 2048);
  EXPECT_EQ(capacity("gpt-3-13b"), 23 * 994 * 2 / 2048);  // 14 and 55 features: 1,710 bytes
  settings.run.copies = 1;
  EXPECT_EQ(capacity("gpt-neox-20b"), 35 * 994 / 2048);  // 9 and 33: 1,160 bytes
  EXPECT_EQ(capacity("gpt-3-6.7b"), 64 * 994 / 2048);    // 6 and 22: 632 bytes
  settings.run.recompute = "none";
  EXPECT_EQ(capacity("gpt-neox-20b"), 1u);
}

TEST(PlanTest, ALargeModelRecomputesAndABatchIsCutEvenly) {
  Settings settings;
  settings.run.batch = 100;
  const TrainingPlan plan = make_plan(preset("gpt-neox-20b"), settings);
  EXPECT_TRUE(plan.schedule.recompute);
  EXPECT_EQ(plan.schedule.micro_batches, (std::vector<std::uint64_t>{16, 17, 17, 16, 17, 17}));
  EXPECT_EQ(plan.tokens(), 100u * 2048);
}

TEST(PlanTest, OneSequenceThatDoesNotFitIsRefusedWithTheLimitAndWhatWouldFit) {
  Settings settings;
  settings.machine.sram.size_bytes = 10'240;
  const host::ModelSpec model = preset("gpt-neox-20b");
  const auto refused = [&]() -> std::string {
    try {
      make_plan(model, settings);
    } catch (const base::ConfigError& error) {
      return error.what();
    }
    return "";
  };
  // Nine features: 1,178 bytes a token, of which 2048 sequences are three in a row of 994.
  EXPECT_NE(refused().find("run.sequence = 2048: needs"), std::string::npos) << refused();
  EXPECT_NE(refused().find("bytes of activations in a tile for one sequence, 2048 fit beside code"),
            std::string::npos)
      << refused();
  const std::string text = refused();
  const std::string sized = "tile.sram.size_bytes = ";
  settings.machine.sram.size_bytes = std::stoull(text.substr(text.find(sized) + sized.size()));
  EXPECT_EQ(refused(), "");
  --settings.machine.sram.size_bytes;
  EXPECT_NE(refused(), "");
  const std::string most = "at most ";
  settings.run.sequence = std::stoull(text.substr(text.find(most) + most.size()));
  settings.machine.sram.size_bytes = 10'240;
  EXPECT_EQ(refused(), "");
  ++settings.run.sequence;
  EXPECT_NE(refused(), "");
}

TEST(PlanTest, PinnedCopiesAreKept) {
  Settings settings;
  settings.run.copies = 3;
  const host::ModelSpec model = preset("gpt-3-xl");
  EXPECT_EQ(make_plan(model, settings).mapping.copies(), 3u);
  settings.run.layer_copies = "0-3:5,7:1,head:2";
  const std::vector<MappedLayers> runs = mapped_layers(model, make_plan(model, settings));
  ASSERT_EQ(runs.size(), 5U);
  const std::uint32_t copies[] = {5, 3, 1, 3, 2};
  const std::uint64_t last[] = {3, 6, 7, 23, 24};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    EXPECT_EQ(runs[i].copies, copies[i]);
    EXPECT_EQ(runs[i].last, last[i]);
    EXPECT_EQ(runs[i].head, i == 4);
  }
}

TEST(PlanTest, CopiesOfLayersThatSayNothingAreRefused) {
  Settings settings;
  const host::ModelSpec model = preset("gpt-3-xl");
  for (const auto& [text, rule] : std::vector<std::pair<std::string, std::string>>{
           {"0-24:2", "layers must be 0 .. 23"},
           {"5-3:2", "layers must be 0 .. 23, in order"},
           {"3:0", "copies must be 1 .. 64"},
           {"3:65", "copies must be 1 .. 64"},
           {"3", "must be auto, or layers and their copies"},
           {"tail:2", "must be auto, or layers and their copies"},
           {"0-3:2,2:1", "names a layer again"}}) {
    settings.run.layer_copies = text;
    try {
      make_plan(model, settings);
      ADD_FAILURE() << text;
    } catch (const base::ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(rule), std::string::npos) << error.what();
    }
  }
}

/// Seconds of every mapping of one kind for the head and another for the layers.
TEST(PlanTest, CopiesLayerByLayerAreNeverWorseThanThoseThatArePinned) {
  Settings settings;
  settings.run.batch = 30;
  for (const char* name : {"gpt-3-xl", "bert-large", "switch-c"}) {
    const host::ModelSpec model = preset(name);
    const TrainingPlan chosen = make_plan(model, settings);
    Settings pinned = settings;
    pinned.run.recompute = chosen.schedule.recompute ? "full" : "none";
    pinned.run.micro_batches = chosen.schedule.micro_batches.size();
    pinned.run.kept_layers = chosen.schedule.kept_layers;
    for (const char* copies : {"head:1", "head:4", "0:2", "0-11:3"}) {
      pinned.run.layer_copies = copies;
      EXPECT_GE(make_plan(model, pinned).estimated_step_seconds,
                chosen.estimated_step_seconds * 0.998)
          << name << " " << copies;
    }
  }
}

TEST(PlanTest, LayersThatNeedNotBeRecomputedAreKeptWhileTheyFit) {
  Settings settings;
  settings.run.batch = 4;  // of 17 that would fit
  const host::ModelSpec model = preset("gpt-neox-20b");
  const TrainingPlan plan = make_plan(model, settings);
  const std::uint64_t kept = plan.schedule.kept_layers;
  EXPECT_GT(kept, 4U);
  EXPECT_LE(plan.tile_bytes, plan.tile_limit);
  EXPECT_EQ(mapped_layers(model, plan).front().recompute, true);
  settings.run.recompute = "full";
  EXPECT_EQ(make_plan(model, settings).schedule.kept_layers, 0U);
  EXPECT_GT(make_plan(model, settings).estimated_step_seconds, plan.estimated_step_seconds);
  settings.run.copies = plan.mapping.copies();
  settings.run.kept_layers = kept;
  EXPECT_EQ(make_plan(model, settings).estimated_step_seconds, plan.estimated_step_seconds);
  settings.run.kept_layers = kept + 1;
  settings.run.micro_batches = 1;
  EXPECT_THROW(make_plan(model, settings), base::ConfigError);
}

TEST(PlanTest, ABatchIsCutIntoTheCheapestNumberOfMicroBatchesOrThePinnedOne) {
  Settings settings;
  settings.run.batch = 256;
  const host::ModelSpec model = preset("gpt-3-20b");
  const TrainingPlan chosen = make_plan(model, settings);
  const std::size_t fewest = 16;  // 256 sequences of which 17 fit
  EXPECT_GE(chosen.schedule.micro_batches.size(), fewest);
  for (std::uint64_t parts = fewest; parts <= fewest + 4; ++parts) {
    settings.run.micro_batches = parts;
    const TrainingPlan pinned = make_plan(model, settings);
    EXPECT_EQ(pinned.schedule.micro_batches.size(), parts);
    EXPECT_GE(pinned.estimated_step_seconds, chosen.estimated_step_seconds);
  }
  settings.run.micro_batches = fewest - 1;
  try {
    make_plan(model, settings);
    FAIL();
  } catch (const base::ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("run.micro_batches = 15: must be 16 .. 256"),
              std::string::npos)
        << error.what();
  }
}

TEST(PlanTest, WindowsAndBlocksGrowWithTheStepAndNotWhereTheyAreSet) {
  Settings settings;
  const TrainingPlan neox = make_plan(preset("gpt-neox-20b"), settings);
  EXPECT_DOUBLE_EQ(neox.window_s, 0.001);
  EXPECT_EQ(neox.schedule.block_bytes, 16u << 20);
  const TrainingPlan switch_c = make_plan(preset("switch-c"), settings);
  EXPECT_DOUBLE_EQ(switch_c.window_s, 0.010);  // the mean over which the cap is held
  EXPECT_GT(switch_c.schedule.block_bytes, 64u << 20);
  settings.machine.power.window_s = settings.machine.power.longest_window_s = 0.0005;
  settings.run.block_bytes = 1 << 20;
  const TrainingPlan set = make_plan(preset("gpt-3-175b"), settings);
  EXPECT_DOUBLE_EQ(set.window_s, 0.0005);
  EXPECT_EQ(set.schedule.block_bytes, 1u << 20);
}

// A layer of the decoder sees the encoder too; routing keeps a probability an expert. The gradient of the
// widest intermediate lies beside all that.
TEST(PlanTest, AnEncoderAndADecoderKeepWhatTheyNeed) {
  const host::ModelSpec model = preset("switch-c");
  constexpr std::uint64_t d = 2080;
  constexpr std::uint64_t wide = 6144;
  constexpr std::uint64_t encoder = 18 * d + 4 * wide + 2 * 2048;
  host::ScheduleConfig schedule;
  EXPECT_EQ(activation_bytes_per_token(model, schedule), 15 * (2 * encoder + 13 * d) + 2 * wide);
  schedule.recompute = true;
  EXPECT_EQ(activation_bytes_per_token(model, schedule), 2 * 30 * d + encoder + 13 * d + 2 * wide);
}

// Counted tile by tile from where features and tokens are.
TEST(PlanTest, NoTileHoldsMoreThanTheFullestOne) {
  const host::ModelSpec model = preset("gpt-3-xl");
  base::Random random(5);
  for (int i = 0; i < 20; ++i) {
    const auto columns = static_cast<std::uint32_t>(10 + random.below(60));
    const auto rows = static_cast<std::uint32_t>(10 + random.below(60));
    const base::Mapping mapping(columns, rows, static_cast<std::uint32_t>(1 + random.below(5)));
    host::ScheduleConfig schedule;
    schedule.sequence = 1 + random.below(300);
    schedule.recompute = random.below(2) == 0;
    const std::uint64_t sequences = 1 + random.below(20);
    std::uint64_t tokens = 0;
    std::uint64_t features = 0;
    for (std::uint32_t copy = 0; copy < mapping.copies(); ++copy) {
      for (std::uint32_t row = 0; row < rows; ++row) {
        tokens = std::max(
            tokens, mapping.tokens_in(copy, {row, row + 1}, sequences * schedule.sequence).size());
      }
      const base::Span own = mapping.columns_of_copy(copy);
      for (std::uint32_t c = own.begin; c < own.end; ++c) {
        features = std::max(features, mapping.feature_begin(copy, c + 1, model.width) -
                                          mapping.feature_begin(copy, c, model.width));
      }
    }
    const base::Bytes kept = schedule.recompute ? 2 * model.layers : 34 * model.layers;
    const base::Bytes live = schedule.recompute ? 34 : 0;
    EXPECT_GE(activation_bytes_of_tile(model, schedule, sequences, mapping),
              tokens * features * (kept + live));
    EXPECT_LE(activation_bytes_of_tile(model, schedule, sequences, mapping),
              tokens * (features * (kept + live + 8) + 8) + tokens * 4 * (kept + live + 8));
  }
}

}  // namespace
}  // namespace wse::model
