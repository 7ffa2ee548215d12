// SPDX-License-Identifier: Apache-2.0
// run.sparsity: real masks in a training step.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/run_command.h"

namespace wse {
namespace {

using nlohmann::json;
using testing_support::run_command;
using testing_support::TemporaryFolder;

class SparsityTest : public ::testing::Test {
 protected:
  SparsityTest() {
    std::ofstream(folder_.file("model.json"))
        << R"({"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_layer": 3,
               "n_embd": 512, "n_head": 8, "n_positions": 128, "vocab_size": 4096})";
  }
  json train(const std::string& settings) {
    const auto r = run_command(std::string(WSE_CLI) + " train " + folder_.file("model.json") +
                                   " --machine tiny --cold-start --set "
                                   "run.copies=1 --set run.recompute=full --set run.batch=8 "
                                   "--json --out out" +
                                   settings,
                               folder_);
    EXPECT_EQ(r.status, 0) << r.err;
    return json::parse(r.out);
  }
  /// Seconds in which the tiles work.
  static double work(const json& run) {
    double share = 1;
    for (const char* wait : {"weight_wait", "gradient_wait", "result_wait", "update_wait"}) {
      share -= run["time_ledger"][wait].get<double>();
    }
    return share * run["step_seconds"].get<double>();
  }
  TemporaryFolder folder_;
};

TEST_F(SparsityTest, MoreZerosNeverGiveTheTilesMoreWork) {
  double before = 1e9;
  for (const char* sparsity : {"0", "0.01", "0.1", "0.3", "0.5", "0.8", "0.9", "0.95"}) {
    const json run = train(std::string(" --set run.sparsity=") + sparsity);
    EXPECT_LE(work(run), before * (1 + 1e-9)) << sparsity;
    before = work(run);
    const double imbalance = run["time_ledger"]["mask_imbalance"];
    EXPECT_EQ(imbalance > 0, std::string(sparsity) != "0") << sparsity;
  }
}

TEST_F(SparsityTest, TheMaskIsThatOfTheSeedHoweverTheWaferIsCut) {
  const auto hash = [this](const std::string& settings) {
    return train(" --set run.sparsity=0.8" + settings)["result_hash"].get<std::string>();
  };
  const std::string whole = hash("");
  EXPECT_EQ(hash(" --set wafer.regions.columns=3 --set wafer.regions.rows=5"), whole);
  EXPECT_EQ(hash(" --construction-order reverse"), whole);
  EXPECT_NE(hash(" --set run.seed=2"), whole);
}

}  // namespace
}  // namespace wse
