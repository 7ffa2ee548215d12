// SPDX-License-Identifier: Apache-2.0
#include "wse/model/plan.h"

#include <gtest/gtest.h>

namespace wse::model {
namespace {

host::ModelSpec preset(const std::string& name) {
  return host::read_model(WSE_SOURCE_DIR "/configs/models/" + name + ".json", name);
}

// 70 % of 745,500 x 48 KiB is 25.65 GB; 2 L d + 34 d bytes a token with recomputation.
TEST(PlanTest, TheBatchIsWhatTheSramHolds) {
  Settings settings;
  settings.run.recompute = "full";
  EXPECT_EQ(make_plan(preset("gpt-neox-20b"), settings).capacity, 16u);
  EXPECT_EQ(make_plan(preset("gpt-3-13b"), settings).capacity, 21u);
  EXPECT_EQ(make_plan(preset("gpt-3-6.7b"), settings).capacity, 31u);
  settings.run.recompute = "none";
  EXPECT_EQ(make_plan(preset("gpt-neox-20b"), settings).capacity, 1u);
}

TEST(PlanTest, ALargeModelRecomputesAndABatchIsCutEvenly) {
  Settings settings;
  settings.run.batch = 128;
  const TrainingPlan plan = make_plan(preset("gpt-3-6.7b"), settings);
  EXPECT_TRUE(plan.schedule.recompute);
  EXPECT_EQ(plan.schedule.micro_batches, (std::vector<std::uint64_t>{25, 26, 25, 26, 26}));
  EXPECT_EQ(plan.tokens(), 128u * 2048);
}

TEST(PlanTest, OneSequenceThatDoesNotFitIsRefusedWithWhatWould) {
  Settings settings;
  settings.machine.sram.size_bytes = 2048;
  try {
    make_plan(preset("gpt-neox-20b"), settings);
    FAIL();
  } catch (const base::ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("at most 1425 tokens"), std::string::npos)
        << error.what();
  }
}

TEST(PlanTest, PinnedCopiesAreKept) {
  Settings settings;
  settings.run.copies = 3;
  EXPECT_EQ(make_plan(preset("gpt-3-xl"), settings).mapping.copies(), 3u);
}

TEST(PlanTest, ABatchIsCutIntoTheCheapestNumberOfMicroBatchesOrThePinnedOne) {
  Settings settings;
  settings.run.batch = 256;
  const host::ModelSpec model = preset("gpt-3-20b");
  const TrainingPlan chosen = make_plan(model, settings);
  const std::size_t fewest = 16;  // 256 sequences of which 16 fit
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

// A layer of the decoder sees the encoder too; routing keeps a probability an expert.
TEST(PlanTest, AnEncoderAndADecoderKeepWhatTheyNeed) {
  const host::ModelSpec model = preset("switch-c");
  constexpr std::uint64_t d = 2080;
  constexpr std::uint64_t encoder = 18 * d + 4 * 6144 + 2 * 2048;
  EXPECT_EQ(activation_bytes_per_token(model, false), 15 * (2 * encoder + 13 * d));
  EXPECT_EQ(activation_bytes_per_token(model, true), 2 * 30 * d + encoder + 13 * d);
}

}  // namespace
}  // namespace wse::model
