// SPDX-License-Identifier: Apache-2.0
// Result hashes of small runs, kept in result_hashes.json: the same on every compiler and build
// type. WSE_WRITE_GOLDEN=1 rewrites the file; say in the commit why a hash changed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/presets.h"
#include "support/systemc_test.h"
#include "wse/model/gpt_training.h"
#include "wse/model/training.h"

namespace wse::model {
namespace {

const std::string kFile = WSE_SOURCE_DIR "/testbenches/golden/result_hashes.json";

class GoldenHashTest : public testing_support::SystemCTest {
 protected:
  GoldenHashTest() { settings_ = testing_support::machine_preset("tiny"); }
  void expect_golden(const std::string& model, std::uint32_t steps = 2) {
    TrainingOptions options;
    options.steps = steps;
    compare(train(testing_support::model_preset(model), settings_, testing_support::energy_preset(),
                  options)
                .result_hash);
  }
  static void compare(const std::string& hash) {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    nlohmann::json golden = nlohmann::json::parse(std::ifstream(kFile));
    if (std::getenv("WSE_WRITE_GOLDEN") != nullptr) {
      golden[name] = hash;
      std::ofstream(kFile) << golden.dump(2) << "\n";
    }
    EXPECT_EQ(hash, golden.value(name, "none"));
  }
  Settings settings_;
};

TEST_F(GoldenHashTest, MixedPrecision) { expect_golden("tiny-gpt"); }

TEST_F(GoldenHashTest, Fp16OnRegionsAcrossDies) {
  settings_.run.precision = "fp16";
  settings_.machine.region_columns = 3;
  settings_.machine.region_rows = 5;
  expect_golden("tiny-gpt");
}

TEST_F(GoldenHashTest, RecomputedMicroBatches) {
  settings_.run.recompute = "full";
  settings_.run.batch = 100;
  expect_golden("tiny-gpt", 1);
}

TEST_F(GoldenHashTest, ExpertsInAnEncoderAndADecoder) { expect_golden("tiny-switch"); }

TEST_F(GoldenHashTest, APipeline) {
  settings_.run.mode = "pipeline";
  settings_.run.batch = 20;
  expect_golden("tiny-gpt");
}

TEST_F(GoldenHashTest, SparseWeights) {
  settings_.run.sparsity = 0.75;
  expect_golden("tiny-gpt");
}

TEST_F(GoldenHashTest, AThrottledClock) {
  settings_.machine.power.cap_w = 225;
  expect_golden("tiny-gpt", 30);
}

TEST_F(GoldenHashTest, StepsAtTheCycleLevel) {
  GptTraining training;
  training.on.shape = {1, 16, 2, 32, 60, 12};
  training.on.mesh = {4, 3};
  training.steps = 3;
  const host::TextTokens text =
      host::read_text(std::string(WSE_SOURCE_DIR) + "/configs/texts/coriolanus.txt", 60);
  GptStep step(training.on, tiles::MeshConfig());
  compare(train_gpt(training, step, text).result_hash);
}

}  // namespace
}  // namespace wse::model
