// SPDX-License-Identifier: Apache-2.0
// What a run that the lanes bind says would free it, does: the same run with that rate, with less, with more
// tokens.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/run_command.h"

namespace wse {
namespace {

using nlohmann::json;
using testing_support::run_command;
using testing_support::TemporaryFolder;

class IoBoundCommandTest : public ::testing::Test {
 protected:
  json train(const std::string& arguments) {
    const auto r = run_command(
        std::string(WSE_CLI) + " train " + arguments + " --cold-start --json --out out", folder_);
    EXPECT_EQ(r.status, 0) << r.err;
    return json::parse(r.out);
  }
  /// A model of a shape of its own.
  std::string model(const std::string& text) {
    std::ofstream(folder_.file("model.json")) << text;
    return folder_.file("model.json");
  }
  /// What tiles wait for lanes, a share of their own work: measured.
  static double waits(const json& run) {
    double work = 0;
    double waits = 0;
    for (const auto& [cause, share] : run["time_ledger"].items()) {
      const bool lanes = cause == "weight_wait" || cause == "gradient_wait";
      const bool other = cause == "result_wait" || cause == "update_wait";
      if (lanes) waits += share.get<double>();
      if (!lanes && !other) work += share.get<double>();
    }
    return waits / work;
  }

  /// The run says which rate frees it: with that the tiles wait for a tenth of their own work, with 10 % less
  /// the lanes bind.
  void expect_that_the_rate_frees(const std::string& name, const std::string& settings) {
    // The same plan, whatever the lanes.
    const std::string run = name + " --machine tiny --set run.copies=1 --set run.recompute=full" +
                            " --set run.micro_batches=1" + settings;
    const json slow = train(run);
    const json bound = slow["io_bound"];
    ASSERT_TRUE(bound["bound"]) << bound.dump(2);
    EXPECT_GT(waits(slow), 1);
    const double needed = bound["lanes_bits_per_second"].get<double>() / 4;  // lanes
    const auto again = [&](double share) {
      return train(run + fmt::format(" --set io.lane.bits_per_second={:.0f} --set "
                                     "io.lane.edge_ports={}",
                                     std::ceil(share * needed),
                                     bound["edge_ports_per_lane"].get<int>() + 1));
    };
    const json freed = again(1);
    EXPECT_FALSE(freed["io_bound"]["bound"]);
    EXPECT_NEAR(freed["io_bound"]["factor"].get<double>(), 1, 1e-3);
    EXPECT_NEAR(waits(freed), 0.1, 0.01);
    EXPECT_NEAR(freed["step_seconds"].get<double>(), bound["freed_step_seconds"].get<double>(),
                0.01 * freed["step_seconds"].get<double>());
    const json less = again(0.9);
    EXPECT_TRUE(less["io_bound"]["bound"]);
    EXPECT_GT(waits(less), 0.125);
  }

  TemporaryFolder folder_;
};

// Layers with experts wait, those between have lanes to spare.
TEST_F(IoBoundCommandTest, TheRateThatAMixtureOfExpertsNeedsFreesIt) {
  const std::string name =
      model(R"({"architectures": ["SwitchTransformersForConditionalGeneration"],
    "model_type": "switch_transformers", "num_layers": 4, "num_decoder_layers": 4,
    "num_sparse_encoder_layers": 2, "num_sparse_decoder_layers": 2, "d_model": 512, "d_ff": 2048,
    "d_kv": 64, "num_heads": 8, "num_experts": 16, "vocab_size": 4096, "n_positions": 64})");
  expect_that_the_rate_frees(name,
                             " --set run.batch=8 --set run.block_bytes=65536 --set "
                             "io.lane.bits_per_second=1000000000");
}

// Layers as wide as those of GPT-3 175B.
TEST_F(IoBoundCommandTest, TheRateThatWideLayersNeedFreesThem) {
  const std::string name = model(R"({"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2",
    "n_layer": 4, "n_embd": 12288, "n_head": 96, "n_positions": 64, "vocab_size": 50257})");
  expect_that_the_rate_frees(name, " --set run.batch=1 --set io.lane.bits_per_second=1000000000");
}

TEST_F(IoBoundCommandTest, TheSummaryOfARunThatLanesBindSaysWhatWouldFreeIt) {
  const std::string run = std::string(WSE_CLI) +
                          " train tiny-gpt --machine tiny --cold-start --out "
                          "out";
  const auto slow = run_command(run + " --set io.lane.bits_per_second=5000000", folder_);
  EXPECT_NE(slow.out.find("times the lanes ("), std::string::npos) << slow.out;
  const auto fast = run_command(run, folder_);
  EXPECT_EQ(fast.out.find("times the lanes ("), std::string::npos) << fast.out;
}

TEST_F(IoBoundCommandTest, BytesByNameAreAllBytes) {
  const json run = train("tiny-switch --machine tiny --set run.batch=60");
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  for (const auto& [phase, ways] : run["streamed"].items()) {
    for (const auto& [way, tensors] : ways.items()) {
      for (const auto& [tensor, bytes] : tensors.items()) {
        (way == "in" ? in : out) += bytes.get<std::uint64_t>();
      }
    }
  }
  EXPECT_EQ(in, run["bytes_in"].get<std::uint64_t>());
  EXPECT_EQ(out, run["bytes_out"].get<std::uint64_t>());
  EXPECT_GT(run["streamed"]["forward"]["in"]["experts"],
            run["streamed"]["forward"]["in"]["router"]);
  const json ledger = json::parse(testing_support::read_file(folder_.file("out/ledger.json")));
  EXPECT_EQ(ledger["streamed"], run["streamed"]);
}

}  // namespace
}  // namespace wse
