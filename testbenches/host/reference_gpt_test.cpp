// SPDX-License-Identifier: Apache-2.0
// The double-precision GPT: its gradients are those of its loss, and Adam learns a text by them.
#include "wse/host/reference_gpt.h"

#include <gtest/gtest.h>

#include <cmath>

#include "wse/base/config_errors.h"
#include "wse/base/random.h"
#include "wse/host/adam.h"

namespace wse::host {
namespace {

constexpr GptShape kSmall{2, 8, 2, 12, 11, 5};

TokenBatch batch_of(const GptShape& shape, std::uint32_t sequences) {
  base::Random random(3);
  TokenBatch batch;
  batch.sequences = sequences;
  for (std::uint32_t i = 0; i < sequences * shape.positions; ++i) {
    batch.tokens.push_back(static_cast<std::uint32_t>(random.below(shape.vocabulary)));
    batch.targets.push_back(static_cast<std::uint32_t>(random.below(shape.vocabulary)));
  }
  return batch;
}

/// Far from the start, where nothing is one or zero.
std::vector<double> parameters_of(const GptShape& shape) {
  std::vector<double> parameters = initial_parameters(shape, 1);
  base::Random random(2);
  for (double& p : parameters) {
    p = 8 * p + 0.01 * static_cast<double>(random.between(0, 40)) - 0.2;
  }
  return parameters;
}

TEST(ReferenceGptTest, GradientsAreDifferencesOfTheLoss) {
  const TokenBatch batch = batch_of(kSmall, 2);
  const std::vector<double> parameters = parameters_of(kSmall);
  const GptResult result = reference_step(kSmall, parameters, batch);
  ASSERT_EQ(result.gradients.size(), parameters.size());
  EXPECT_EQ(result.loss, reference_loss(kSmall, parameters, batch));
  double largest = 0;
  for (const double g : result.gradients) largest = std::max(largest, std::abs(g));
  constexpr double kStep = 1e-4;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto loss = [&](double steps) {
      std::vector<double> moved = parameters;
      moved[i] += steps * kStep;
      return reference_loss(kSmall, moved, batch);
    };
    // Of fourth order.
    const double slope = (8 * (loss(1) - loss(-1)) - (loss(2) - loss(-2))) / (12 * kStep);
    ASSERT_NEAR(result.gradients[i], slope, 1e-9 * largest) << i;
  }
}

TEST(ReferenceGptTest, ATokenSeesNoneBehindIt) {
  const std::vector<double> parameters = parameters_of(kSmall);
  TokenBatch batch = batch_of(kSmall, 1);
  const auto first_loss = [&] {
    // The loss of one token: differences of targets cancel all others.
    TokenBatch other = batch;
    other.targets[0] = (batch.targets[0] + 1) % kSmall.vocabulary;
    return reference_loss(kSmall, parameters, other) - reference_loss(kSmall, parameters, batch);
  };
  const double before = first_loss();
  batch.tokens[4] = (batch.tokens[4] + 1) % kSmall.vocabulary;
  EXPECT_NEAR(first_loss(), before, 1e-12);
  batch.tokens[0] = (batch.tokens[0] + 1) % kSmall.vocabulary;
  EXPECT_GT(std::abs(first_loss() - before), 1e-6);
}

TEST(ReferenceGptTest, TheFirstLossIsThatOfAGuessAndAdamLowersIt) {
  const TokenBatch batch = batch_of(kSmall, 2);
  std::vector<double> parameters = initial_parameters(kSmall, 1);
  Adam adam(AdamConfig{});
  double loss = 0;
  for (int step = 0; step < 60; ++step) {
    const GptResult result = reference_step(kSmall, parameters, batch);
    if (step == 0) {
      EXPECT_NEAR(result.loss, std::log(11), 0.01);
    }
    loss = result.loss;
    adam.step(parameters, result.gradients);
  }
  EXPECT_LT(loss, 1.9);
}

TEST(ReferenceGptTest, AdamMovesByTheRateAgainstTheSign) {
  std::vector<double> parameters{1, 1, 1};
  Adam adam(AdamConfig{});
  adam.step(parameters, {5, -1e-3, 0});
  EXPECT_NEAR(parameters[0], 1 - 3e-3, 1e-8);
  EXPECT_NEAR(parameters[1], 1 + 3e-3, 1e-7);
  EXPECT_EQ(parameters[2], 1);
  // Means 0.9 x 0.5 - 0.1 x 5 over 0.19, of squares 25 in both steps.
  adam.step(parameters, {-5, 0, 0});
  EXPECT_NEAR(parameters[0], 1 - 3e-3 - 3e-3 * ((0.45 - 0.5) / 0.19) / 5, 1e-8);
}

TEST(ReferenceGptTest, TensorsFillTheParameters) {
  const GptShape shape;
  const GptOffsets at(shape);
  const std::size_t layer = 12 * 64 * 64 + 13 * 64;  // weights; biases and norms
  EXPECT_EQ(at.count(), 96U * 64 + 64 * 64 + 2 * layer + 2 * 64);
  EXPECT_EQ(at.layer(1).norm_1 - at.layer(0).norm_1, layer);
  EXPECT_EQ(initial_parameters(shape, 5), initial_parameters(shape, 5));
  EXPECT_NE(initial_parameters(shape, 5), initial_parameters(shape, 6));
}

TEST(ReferenceGptTest, OtherModelsAreRefused) {
  ModelSpec spec;
  spec.type = "llama";
  spec.layers = spec.width = spec.heads = spec.feed_forward = spec.vocabulary = 8;
  spec.positions = 8;
  spec.attention_width = 8;
  try {
    GptShape::of(spec);
    FAIL();
  } catch (const base::ConfigError& error) {
    const std::string text = error.what();
    for (const char* key : {"model_type = llama", "tie_word_embeddings", "n_positions"}) {
      EXPECT_NE(text.find(key), std::string::npos) << text;
    }
  }
  spec.type = "gpt2";
  spec.tied_head = spec.learned_positions = true;
  EXPECT_EQ(GptShape::of(spec).feed_forward, 8U);
}

}  // namespace
}  // namespace wse::host
