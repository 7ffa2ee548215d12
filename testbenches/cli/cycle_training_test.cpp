// SPDX-License-Identifier: Apache-2.0
// `wse train tiny-gpt --fidelity cycle`: a GPT that is trained for real, and what is refused.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "support/run_command.h"

namespace wse {
namespace {

using testing_support::read_file;
using testing_support::run_command;
using testing_support::TemporaryFolder;

class CycleTrainingTest : public ::testing::Test {
 protected:
  testing_support::CommandResult train(const std::string& arguments) {
    return run_command(
        std::string(WSE_CLI) + " train tiny-gpt --fidelity cycle --out out " + arguments, folder_);
  }
  void refuses(const std::string& arguments, const std::string& message) {
    const auto r = train(arguments);
    EXPECT_EQ(r.status, 2) << arguments;
    EXPECT_NE(r.err.find(message), std::string::npos) << arguments << "\n" << r.err;
    EXPECT_EQ(r.out, "") << arguments;
  }
  TemporaryFolder folder_;
};

TEST_F(CycleTrainingTest, ThreeStepsAreThoseOfDoublePrecision) {
  const auto r = train("--mesh 8x8 --steps 3 --json");
  ASSERT_EQ(r.status, 0) << r.err;
  const auto j = nlohmann::json::parse(r.out);
  EXPECT_EQ(j["fidelity"], "cycle");
  ASSERT_EQ(j["loss"].size(), 3U);
  ASSERT_EQ(j["reference_loss"].size(), 3U);
  for (std::size_t s = 0; s < 3; ++s) {
    const double expected = j["reference_loss"][s];
    EXPECT_NEAR(j["loss"][s], expected, 1e-5 * expected) << s;
  }
  EXPECT_NEAR(j["loss"][0], std::log(96), 0.1);
  EXPECT_LT(j["loss"][2], j["loss"][0].get<double>() - 0.2);
  EXPECT_LE(j["max_rel_loss_error"], 1e-5);
  // The same wherever it was built; set when this test was written.
  EXPECT_EQ(j["result_hash"], "4c58d20030cfbe2a");
  // 2 layers of 12 x 64 x 64 weights, 13 x 64 biases and numbers of norms; tables; the last norm.
  EXPECT_EQ(j["parameters"], 2 * (12 * 64 * 64 + 13 * 64) + (96 + 64) * 64 + 2 * 64);
  std::uint64_t cycles = 0;
  std::uint64_t runs = 0;
  for (const auto& operation : j["operations"]) {
    cycles += operation["cycles"].get<std::uint64_t>();
    runs += operation["count"].get<std::uint64_t>();
  }
  EXPECT_EQ(j["simulated_cycles"], cycles);
  EXPECT_EQ(runs, 3 * j["kernels_per_step"].get<std::uint64_t>());
  EXPECT_GT(j["dynamic_energy_j"], 0.0);
  const auto stats = nlohmann::json::parse(read_file(folder_.file("out/stats.json")));
  EXPECT_EQ(stats["result_hash"], j["result_hash"]);
  const std::string csv = read_file(folder_.file("out/loss.csv"));
  EXPECT_EQ(csv.substr(0, csv.find('\n')), "step,loss,reference_loss");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 4);
}

TEST_F(CycleTrainingTest, TheOwnTextAndModelAreTrained) {
  folder_.write(
      "model.json",
      R"({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_layer": 1, "n_embd": 8,
           "n_head": 2, "n_positions": 4, "vocab_size": 3})");
  const std::string text = folder_.write("a.txt", "abcabcabcabcabcabc");
  const auto r = run_command(
      std::string(WSE_CLI) + " train model.json --fidelity cycle --mesh 4x2" +
          " --steps 60 --json --out out --text " + text + " --set run.batch=2 --set run.seed=4",
      folder_);
  ASSERT_EQ(r.status, 0) << r.err;
  const auto j = nlohmann::json::parse(r.out);
  EXPECT_EQ(j["characters"], 3);
  EXPECT_EQ(j["tokens_per_step"], 8);
  EXPECT_EQ(j["seed"], 4);
  EXPECT_NEAR(j["loss"][0], std::log(3), 0.05);
  EXPECT_LT(j["loss"][59], 0.6);
}

TEST_F(CycleTrainingTest, ThreadsAndRegionsChangeNothing) {
  folder_.write("model.json",
                R"({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_layer": 1,
                    "n_embd": 16, "n_head": 2, "n_positions": 12, "vocab_size": 96})");
  const auto hash = [this](const std::string& more) {
    const auto r = run_command(
        std::string(WSE_CLI) + " train model.json --fidelity cycle --mesh 8x6 --json " + more,
        folder_);
    EXPECT_EQ(r.status, 0) << r.err;
    return nlohmann::json::parse(r.out)["result_hash"];
  };
  const auto one = hash("");
  EXPECT_EQ(hash("--threads 3"), one);
  EXPECT_EQ(hash("--set wafer.regions.columns=5 --set wafer.regions.rows=7"), one);
  EXPECT_NE(hash("--set run.seed=2"), one);
}

TEST_F(CycleTrainingTest, WhatCannotBeIsRefused) {
  refuses("--mesh 3x3", "--mesh = 3x3: must have 4, 8, 16, 32, 64 columns");
  refuses("--mesh 3x3", "; 8x4 is the least that holds the model");
  refuses("--mesh 4x4", "8x4 is the least that holds the model");
  refuses("--mesh 8", "--mesh = 8: must be WxH");
  refuses("--mesh 64x64 --machine tiny", "must fit 36x35");
  refuses("--text " + folder_.write("empty.txt", ""), "text = empty");
  refuses("--text " + folder_.write("short.txt", "short"), "must have at least 65");
  refuses("--text " + folder_.write("binary.txt", std::string("abc\0", 4)), "byte 3 is 0");
  refuses("--text nowhere.txt", "text = nowhere.txt: cannot be read");
  std::string many;
  for (int i = 0; i < 97; ++i)
    many += fmt::format("{}{}", '\xc3', static_cast<char>(0x80 + i % 64));
  for (char c = ' '; c <= '~'; ++c) many += c;
  refuses("--text " + folder_.write("many.txt", many), "vocab_size = 96: must be at least 159");
  refuses("--set run.precision=mixed", "must be fp32");
  refuses("--set run.systems=2", "run.systems = 2: must be 1");
  refuses("--set run.sequence=32", "must be 64");
  refuses("--set run.mode=pipeline", "run.mode = pipeline: must be stream");
  refuses("--set run.recompute=full", "run.recompute = full: must be none");
  refuses("--set tile.layer_change_cycles=9", "tile.layer_change_cycles = 9: must be 0");
  refuses("--set run.copies=2", "run.copies = 2: must be 1");
  refuses("--wave-tiles 1..2,1..2", "--wave-tiles = given: needs --wave FILE or --timeline FILE");
  refuses("--timeline t.json", "needs --wave-tiles");
  refuses("--mesh 8x8 --wave a.vcd --wave-tiles 0..8,0..1", "must lie in the mesh of 8 x 9 tiles");
  refuses("--wave a.vcd --wave-from 5 --wave-to 4", "--wave-to = 4: must not be before");
  refuses("--mesh 8x8 --twin router@8,1=rtl:router", "within 8x9 tiles");
  refuses("--window 0..1,0..1=cycle", "--window = given: cannot be with --fidelity cycle");
  refuses("--tornado", "--tornado = given: cannot be with --fidelity cycle");
  refuses("--steps 0", "--steps = 0");
  refuses("--threads 2 --twin router@1,1=rtl:router", "--threads = 2: must be 1 with --twin");
  refuses("--threads 0", "--threads = 0: must be 1 .. 256");
}

TEST_F(CycleTrainingTest, OptionsOfTheCycleLevelNeedIt) {
  const auto r = run_command(
      std::string(WSE_CLI) + " train tiny-gpt --twin router@1,1=rtl:router --text x --out out",
      folder_);
  EXPECT_EQ(r.status, 2);
  EXPECT_NE(r.err.find("--twin = given: needs --fidelity cycle"), std::string::npos) << r.err;
  EXPECT_NE(r.err.find("--text = given: needs --fidelity cycle"), std::string::npos) << r.err;
}

TEST_F(CycleTrainingTest, OtherModelsAreRefused) {
  const auto r =
      run_command(std::string(WSE_CLI) + " train gpt-neox-20b --fidelity cycle --out out", folder_);
  EXPECT_EQ(r.status, 2);
  EXPECT_NE(r.err.find("model_type = gpt_neox: must be gpt2"), std::string::npos) << r.err;
}

}  // namespace
}  // namespace wse
