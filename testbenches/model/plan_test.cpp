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

}  // namespace
}  // namespace wse::model
