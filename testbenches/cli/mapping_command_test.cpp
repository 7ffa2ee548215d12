// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/run_command.h"

namespace wse {
namespace {

using nlohmann::json;

class MappingCommandTest : public ::testing::Test {
 protected:
  testing_support::CommandResult wse(const std::string& arguments) {
    return testing_support::run_command(std::string(WSE_CLI) + " train " + arguments + " --out out",
                                        folder_);
  }
  json train(const std::string& arguments) {
    const auto r = wse(arguments + " --json --quiet");
    EXPECT_EQ(r.status, 0) << r.err;
    return json::parse(r.out);
  }
  testing_support::TemporaryFolder folder_;
};

TEST_F(MappingCommandTest, TheChoiceIsPrintedAndCanBePinned) {
  const json chosen = train("gpt-2 --set run.batch=2");
  const json pinned = train("gpt-2 --set run.batch=2 --set run.layer_copies=0-4:2,5-11:3,head:1");
  ASSERT_EQ(pinned["mapping"].size(), 3U);
  EXPECT_EQ(pinned["mapping"][0]["layers"], json({0, 4}));
  EXPECT_EQ(pinned["mapping"][0]["features_a_tile"], 3);  // 768 over 375 columns
  EXPECT_EQ(pinned["mapping"][0]["tokens_a_tile"], 2);    // 2,048 over 2 x 994 rows
  EXPECT_EQ(pinned["mapping"][1]["copies"], 3);
  EXPECT_EQ(pinned["mapping"][2]["head"], true);
  EXPECT_GE(chosen["tokens_per_second"].get<double>(), pinned["tokens_per_second"].get<double>());
  EXPECT_EQ(chosen["bytes_in"], pinned["bytes_in"]);
  EXPECT_EQ(chosen["executed_fmac"], pinned["executed_fmac"]);
  const auto r =
      wse("gpt-2 --set run.batch=2 --set "
          "run.layer_copies=0-4:2,5-11:3,head:1");
  EXPECT_NE(r.out.find("layers 5 .. 11: 3 copies of the features, 1 tokens x 4 features a tile"),
            std::string::npos)
      << r.out;
}

TEST_F(MappingCommandTest, ActivationsThatMoveCostTimeHopsAndEnergyWhateverTheCut) {
  const std::string layers = "gpt-2 --set run.batch=2 --set run.layer_copies=";
  const json turns = train(layers + "0:2,1:3,2:2,3:3,4:2,5:3,6:2,7:3,8:2,9:3,10:2,11:3,head:2");
  const json halves = train(layers + "0-5:2,6-11:3,head:2");
  EXPECT_GT(turns["step_seconds"].get<double>(), halves["step_seconds"].get<double>());
  EXPECT_GT(turns["energy_j"].get<double>(), halves["energy_j"].get<double>());
  const json cut = train(layers +
                         "0-5:2,6-11:3,head:2 --set wafer.regions.columns=5 --set "
                         "wafer.regions.rows=3");
  EXPECT_EQ(cut["result_hash"], halves["result_hash"]);
}

TEST_F(MappingCommandTest, LayersAreKeptWhereTheSramHasRoom) {
  const json some = train("gpt-3-xl --set run.batch=8");
  const std::uint64_t kept = some["kept_layers"];
  ASSERT_GT(kept, 0U);
  const json full = train("gpt-3-xl --set run.batch=8 --set run.recompute=full");
  EXPECT_EQ(full["kept_layers"], 0);
  EXPECT_GT(some["tokens_per_second"].get<double>(),
            1.01 * full["tokens_per_second"].get<double>());
  const std::uint64_t layer = 2 * (12 * 2048 * 2048 + 13 * 2048);
  EXPECT_EQ(full["bytes_in"].get<std::uint64_t>() - some["bytes_in"].get<std::uint64_t>(),
            kept * layer);
}

// Blocks are the granularity of the simulation, not of the machine.
TEST_F(MappingCommandTest, BlocksLargerThanTheBuffersChangeLittle) {
  const std::string slow =
      "bert-large --set run.batch=64 --set io.lanes=2 --set io.buffer_bytes=8388608 --set "
      "run.block_bytes=";
  const double fine = train(slow + "4194304")["tokens_per_second"];
  for (const char* block : {"8388608", "16777216", "67108864"}) {
    EXPECT_NEAR(train(slow + block)["tokens_per_second"].get<double>() / fine, 1, 0.03) << block;
  }
}

TEST_F(MappingCommandTest, WhatDoesNotFitSaysByHowMuchAndWhatWould) {
  const auto r = wse("gpt-neox-20b --set run.recompute=none --set run.sequence=4096");
  EXPECT_EQ(r.status, 2);
  for (const char* text :
       {"run.sequence = 4096: needs ", " fit beside code, ", " too many: at most ",
        "tile.sram.size_bytes = ", "or run.recompute = full"}) {
    EXPECT_NE(r.err.find(text), std::string::npos) << text << ": " << r.err;
  }
  const auto kept = wse("gpt-neox-20b --set run.recompute=full --set run.kept_layers=44");
  EXPECT_EQ(kept.status, 2);
  EXPECT_NE(kept.err.find("run.kept_layers = 44: must be below the model's layers, 44"),
            std::string::npos)
      << kept.err;
  const auto layer = wse("gpt-neox-20b --set run.layer_copies=44:2");
  EXPECT_EQ(layer.status, 2);
  EXPECT_NE(layer.err.find("run.layer_copies = 44:2: layers must be 0 .. 43"), std::string::npos)
      << layer.err;
}

}  // namespace
}  // namespace wse
