// SPDX-License-Identifier: Apache-2.0
// A GPT whose steps run on tiles, cycle by cycle: losses and gradients are those of double precision on
// any mesh, and what does not fit is refused with what does.
#include "wse/model/gpt_step.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/fabric_case.h"
#include "wse/base/config_errors.h"
#include "wse/base/random.h"
#include "wse/fabric/router_setup.h"
#include "wse/host/adam.h"
#include "wse/memory/bank_model.h"
#include "wse/memory/banked_sram.h"
#include "wse/tiles/tile_model.h"

namespace wse::model {
namespace {

/// Losses of some steps, of the tiles and of double precision, each with its own parameters.
struct Losses {
  std::vector<double> tiles, reference;
  double gradient_error = 0;  ///< of the first step, relative to the largest gradient
  base::Cycles cycles = 0;
};

double error_of(const std::vector<double>& numbers, const std::vector<double>& expected) {
  double largest = 0;
  double error = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    const double e = std::abs(numbers[i] - expected[i]);
    if (!(e <= error)) error = e;  // not a number is as wrong as can be
  }
  return error / largest;
}

Losses train(const GptMesh& on, std::uint64_t steps, std::uint32_t threads = 1,
             const tiles::ChainHooks& hooks = {}) {
  const host::TextTokens text = host::read_text(
      std::string(WSE_SOURCE_DIR) + "/configs/texts/coriolanus.txt", on.shape.vocabulary);
  host::TextBatches batches(text, on.sequences, on.shape.positions, 1);
  GptStep step(on, tiles::MeshConfig(), threads);
  std::vector<double> parameters = host::initial_parameters(on.shape, 1);
  std::vector<double> exact = parameters;
  host::Adam adam({});
  host::Adam exact_adam({});
  Losses losses;
  for (std::uint64_t s = 0; s < steps; ++s) {
    const host::TokenBatch batch = batches.next();
    const host::GptResult result = step.run(parameters, batch, hooks);
    const host::GptResult reference = host::reference_step(on.shape, exact, batch);
    losses.tiles.push_back(result.loss);
    losses.reference.push_back(reference.loss);
    if (s == 0) losses.gradient_error = error_of(result.gradients, reference.gradients);
    adam.step(parameters, result.gradients);
    exact_adam.step(exact, reference.gradients);
  }
  losses.cycles = step.chain().cycles();
  return losses;
}

void expect_equal(const std::vector<double>& losses, const std::vector<double>& expected,
                  double error) {
  ASSERT_EQ(losses.size(), expected.size());
  for (std::size_t s = 0; s < losses.size(); ++s) {
    EXPECT_NEAR(losses[s], expected[s], error * expected[s]) << "step " << s;
  }
}

TEST(GptStepTest, ThreeStepsOnTilesAreThoseOfDoublePrecision) {
  GptMesh on;
  on.mesh = {8, 8};
  const Losses losses = train(on, testing::case_count(3, 1));
  EXPECT_LT(losses.gradient_error, 1e-5);
  expect_equal(losses.tiles, losses.reference, 1e-5);
  EXPECT_NEAR(losses.tiles.front(), std::log(96), 0.1);
  if (losses.tiles.size() > 1) {
    EXPECT_LT(losses.tiles.back(), losses.tiles.front() - 0.2);
  }
}

/// One layer; features of the feed-forward block and words that are no multiple of the columns.
GptMesh small(fabric::Mesh mesh, std::uint32_t sequences) {
  GptMesh on;
  on.shape = {1, 16, 2, 36, 61, 12};
  on.sequences = sequences;
  on.mesh = mesh;
  return on;
}

TEST(GptStepTest, LossesAreTheSameOnAnyMesh) {
  for (const std::uint32_t sequences : {1U, 3U}) {
    std::vector<double> expected;
    std::vector<fabric::Mesh> meshes{{2, 2}, {2, 12}, {4, 3}, {8, 1}, {16, 6}, {4, 4}};
    meshes.resize(testing::case_count(meshes.size(), 3));
    for (const fabric::Mesh mesh : meshes) {
      const GptMesh on = small(mesh, sequences);
      const Losses losses = train(on, testing::case_count(6, 3));
      const std::string where = std::to_string(mesh.columns) + " x " + std::to_string(mesh.rows) +
                                ", " + std::to_string(sequences) + " sequences";
      SCOPED_TRACE(where);
      EXPECT_LT(losses.gradient_error, 1e-5);
      expect_equal(losses.tiles, losses.reference, 1e-5);
      if (expected.empty()) expected = losses.tiles;
      expect_equal(losses.tiles, expected, 1e-5);
      EXPECT_LT(losses.tiles.back(), losses.tiles.front());
    }
  }
}

std::unique_ptr<memory::BankedSram> banked_sram(const memory::SramConfig& config) {
  const auto words = static_cast<std::uint32_t>(config.size_bytes / config.banks / 4);
  std::vector<std::unique_ptr<memory::BankTwin>> banks;
  for (std::uint32_t b = 0; b < config.banks; ++b) {
    banks.push_back(std::make_unique<memory::BankModel>(words));
  }
  return std::make_unique<memory::BankedSram>(config, std::move(banks));
}

/// A router, a tile and an SRAM of the chain that are simulated elsewhere, by their models.
TEST(GptStepTest, TwinsChangeNothing) {
  const GptMesh on = small({4, 3}, 1);
  const fabric::Mesh mesh = on.with_lanes();
  const tiles::MeshConfig config;
  std::uint64_t kernels = 0;
  tiles::ChainHooks hooks;
  hooks.before = [&](const std::string& name, tiles::TileMesh& tiles, std::uint32_t first_row) {
    EXPECT_FALSE(name.empty());
    ++kernels;
    fabric::EngineConfig fabric = config.fabric;
    fabric.receiver_depth = tiles::receiver_depths(tiles.kernel(), config.compute);
    const auto tile = [&](std::uint32_t x, std::uint32_t y) { return mesh.tile(x, y - first_row); };
    tiles.fabric().set_twin(tile(1, 2), fabric::model_of(fabric::router_setup(tiles.kernel().routes,
                                                                              tile(1, 2), fabric)));
    tiles.set_tile(tile(2, 1), std::make_unique<tiles::TileModel>(tiles.setup_of(tile(2, 1))));
    tiles.set_sram(tile(0, 3), banked_sram(config.sram));
  };
  const Losses plain = train(on, 2);
  const Losses twins = train(on, 2, 1, hooks);
  EXPECT_EQ(twins.tiles, plain.tiles);
  EXPECT_EQ(twins.cycles, plain.cycles);
  EXPECT_EQ(kernels, 2 * GptStep(on, config).operations());
}

/// Begins of the tensors of a shape, and the end.
std::vector<std::size_t> tensors_of(const host::GptShape& shape) {
  const host::GptOffsets at(shape);
  std::vector<std::size_t> begins{at.words(), at.positions()};
  for (std::uint32_t l = 0; l < shape.layers; ++l) {
    const auto& layer = at.layer(l);
    begins.insert(begins.end(), {layer.norm_1, layer.norm_1 + shape.width, layer.qkv,
                                 layer.qkv_bias, layer.projection, layer.projection_bias,
                                 layer.norm_2, layer.norm_2 + shape.width, layer.up, layer.up_bias,
                                 layer.down, layer.down_bias});
  }
  begins.insert(begins.end(), {at.final_norm(), at.final_norm() + shape.width, at.count()});
  return begins;
}

TEST(GptStepTest, GradientsOfEachTensorAreRight) {
  for (const fabric::Mesh mesh : {fabric::Mesh{2, 3}, {8, 4}}) {
    GptMesh on = small(mesh, 2);
    on.shape.layers = 2;
    // Far from the start, where no bias is zero and no scale one.
    std::vector<double> parameters = host::initial_parameters(on.shape, 3);
    base::Random random(4);
    for (double& p : parameters) p += 0.004 * random.between(0, 100) - 0.2;
    host::TokenBatch batch;
    batch.sequences = on.sequences;
    for (std::uint32_t i = 0; i < on.all_tokens(); ++i) {
      batch.tokens.push_back(random.between(0, on.shape.vocabulary - 1));
      batch.targets.push_back(random.between(0, on.shape.vocabulary - 1));
    }
    GptStep step(on, tiles::MeshConfig());
    // Numbers of fp32, as the lanes bring them: the reference gets no others.
    for (double& p : parameters) p = static_cast<float>(p);
    const host::GptResult result = step.run(parameters, batch);
    const host::GptResult reference = host::reference_step(on.shape, parameters, batch);
    EXPECT_NEAR(result.loss, reference.loss, 1e-6 * reference.loss);
    const std::vector<std::size_t> begins = tensors_of(on.shape);
    for (std::size_t t = 0; t + 1 < begins.size(); ++t) {
      const auto part = [&](const std::vector<double>& g) {
        return std::vector<double>(g.begin() + static_cast<std::ptrdiff_t>(begins[t]),
                                   g.begin() + static_cast<std::ptrdiff_t>(begins[t + 1]));
      };
      EXPECT_LT(error_of(part(result.gradients), part(reference.gradients)), 1e-5)
          << "tensor " << t;
    }
  }
}

TEST(GptStepTest, ThreadsChangeNothing) {
  const GptMesh on = small({4, 6}, 2);
  const Losses one = train(on, 2);
  const Losses three = train(on, 2, 3);
  EXPECT_EQ(one.tiles, three.tiles);
  EXPECT_EQ(one.cycles, three.cycles);
}

std::string error_of(const GptMesh& on) {
  try {
    const GptStep step(on, tiles::MeshConfig());
  } catch (const base::ConfigError& error) {
    return error.what();
  }
  return {};
}

TEST(GptStepTest, MeshesThatDoNotDivideTheModelAreRefused) {
  const std::string rule =
      ": must have 2, 4, 8, 16 columns, a multiple of 2 heads that divides the width, and 1, 2, 3, "
      "4, 6, 12 rows, which divide a sequence of 12 tokens; 2x1 is the least that holds the model";
  EXPECT_EQ(error_of(small({5, 3}, 1)), "--mesh = 5x3" + rule);
  EXPECT_EQ(error_of(small({4, 7}, 1)), "--mesh = 4x7" + rule);
  EXPECT_EQ(error_of(small({1, 20}, 1)), "--mesh = 1x20" + rule);
  EXPECT_EQ(error_of(small({4, 6}, 1)), "");
}

TEST(GptStepTest, AMeshTooSmallSaysTheLeastThatFits) {
  GptMesh on;
  on.mesh = {4, 4};
  const std::string text = error_of(on);
  EXPECT_NE(text.find("--mesh = 4x4: does not hold the model"), std::string::npos) << text;
  EXPECT_NE(text.find("8x4 is the least that holds the model"), std::string::npos) << text;
  on.mesh = {8, 4};
  EXPECT_EQ(error_of(on), "");
  for (const fabric::Mesh fewer : {fabric::Mesh{16, 1}, {8, 2}, {4, 4}}) {
    on.mesh = fewer;
    EXPECT_NE(error_of(on), "") << fewer.columns << " x " << fewer.rows;
  }
  on.sequences = 1000;
  EXPECT_NE(error_of(on).find("no mesh holds the model"), std::string::npos) << error_of(on);
}

}  // namespace
}  // namespace wse::model
