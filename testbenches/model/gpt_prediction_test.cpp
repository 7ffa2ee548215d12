// SPDX-License-Identifier: Apache-2.0
// The cost terms of the transaction level against the kernels of a training step, and the wafer around
// the mesh that runs it.
#include "wse/model/gpt_prediction.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "wse/base/config_errors.h"
#include "wse/model/gpt_training.h"
#include "wse/model/mesh_power.h"

namespace wse::model {
namespace {

GptTrainingResult step_of(const GptMesh& on) {
  GptTraining training;
  training.on = on;
  const host::TextTokens text = host::read_text(
      std::string(WSE_SOURCE_DIR) + "/configs/texts/coriolanus.txt", on.shape.vocabulary);
  GptStep step(on, tiles::MeshConfig());
  return train_gpt(training, step, text);
}

double relative(base::Cycles predicted, base::Cycles cycles) {
  return static_cast<double>(predicted) / static_cast<double>(cycles) - 1;
}

class GptPredictionTest : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(GptPredictionTest, CostTermsAreWithinTenPercentOfTheKernels) {
  GptMesh on;
  on.mesh = {GetParam(), GetParam()};
  const GptTrainingResult result = step_of(on);
  EXPECT_LT(std::abs(relative(predicted_cycles(result.plans), result.cycles)), 0.10);
  const host::ModelSpec model =
      host::read_model(std::string(WSE_SOURCE_DIR) + "/configs/models/tiny-gpt.json", "tiny-gpt");
  const ScheduledStep scheduled = scheduled_step(model, on, tiles::TileConfig());
  EXPECT_LT(std::abs(relative(scheduled.cycles, result.cycles)), 0.10);
  const power::EnergyTable table =
      power::EnergyTable::read(std::string(WSE_SOURCE_DIR) + "/configs/energy/n7.csv");
  const double joules = table.joules(result.events());
  EXPECT_NEAR(table.joules(scheduled.events), joules, 0.05 * joules);
  for (const base::EventKind kind : {base::EventKind::kLinkHop, base::EventKind::kRouterTraversal,
                                     base::EventKind::kLocalCache}) {
    EXPECT_NEAR(static_cast<double>(at(scheduled.events, kind)),
                static_cast<double>(at(result.events(), kind)),
                0.10 * static_cast<double>(at(result.events(), kind)))
        << name_of(kind);
  }

  // What most cycles go to agrees one by one; smaller kernels also fill and drain (docs/training.md).
  ASSERT_EQ(result.plans.size(), result.costs.size());
  std::size_t compared = 0;
  for (std::size_t i = 0; i < result.plans.size(); ++i) {
    const GptOperationPlan& plan = result.plans[i];
    ASSERT_EQ(plan.name, result.costs[i].name);
    EXPECT_EQ(plan.runs, result.costs[i].runs) << plan.name;
    const auto deviation = deviation_of(plan, result.plans, result.costs, 1);
    if (!deviation || 50 * result.costs[i].cycles < result.cycles) continue;
    ++compared;
    EXPECT_LT(std::abs(*deviation), 0.12) << plan.name;
  }
  EXPECT_GE(compared, 10U);

  std::uint64_t hops = 0;
  for (const tiles::OperationCost& cost : result.costs) {
    hops += cost.wavelet_hops;
    EXPECT_LE(cost.issue_cycles, cost.active_cycles) << cost.name;
    EXPECT_LE(cost.issue_cycles, cost.busy_cycles) << cost.name;
  }
  EXPECT_EQ(
      std::accumulate(result.hops_by_tile.begin(), result.hops_by_tile.end(), std::uint64_t{0}),
      hops);
}

INSTANTIATE_TEST_SUITE_P(Meshes, GptPredictionTest, ::testing::Values(8U, 16U));

/// Weights go in twice, but for biases, norms and tables; gradients go out once.
TEST(GptPredictionTest, WordsThroughTheLanesAreThoseOfTheModel) {
  GptMesh on;
  on.mesh = {8, 8};
  const GptStep step(on, tiles::MeshConfig());
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  for (const GptOperationPlan& plan : step.plan(tiles::TileConfig())) {
    in += plan.weight_words;
    out += plan.gradient_words;
  }
  const std::uint64_t matrices = 2 * 12 * 64 * 64 + 96 * 64;  // and the head
  const std::uint64_t biases = 2 * 9 * 64;
  const std::uint64_t norms = 5 * 2 * 64;
  const std::uint64_t tables = (96 + 64) * 64;
  EXPECT_EQ(in, 2 * matrices + biases + 2 * norms + tables);
  EXPECT_EQ(out, matrices + biases + norms + tables);
}

TEST(MeshPowerTest, WattsAddUpAndHeatTheDiesOfTheMesh) {
  const MachineConfig machine;
  const power::EnergyTable table =
      power::EnergyTable::read(std::string(WSE_SOURCE_DIR) + "/configs/energy/n7.csv");
  const fabric::Mesh mesh{66, 154};
  const MeshPower idle = mesh_power(machine, table, 0, mesh);
  const MeshPower load = mesh_power(machine, table, 100, mesh);
  for (const MeshPower& power : {idle, load}) {
    EXPECT_NEAR(std::accumulate(power.die_w.begin(), power.die_w.end(), 0.0), power.wafer_w(),
                1e-9 * power.wafer_w());
  }
  // All of the load, and what warmer silicon leaks more.
  EXPECT_NEAR(load.wafer_w() - idle.wafer_w(), 100 + load.leakage_w - idle.leakage_w, 1e-9);
  EXPECT_GT(load.leakage_w, idle.leakage_w);
  EXPECT_GT(load.die_c.front(), idle.die_c.front() + 1);
  EXPECT_LT(load.die_c.back(), idle.die_c.back() + 1);
  EXPECT_GE(load.hottest_c, load.die_c.front());
  const base::GeometryConfig& g = machine.geometry;
  const double cores = 84.0 * g.die_tiles_columns * g.die_tiles_rows;
  const double gated =
      static_cast<double>(machine.core_hz) * table.joules(base::EventKind::kClockGated);
  EXPECT_NEAR(load.others_w, (cores - mesh.tiles()) * gated, 1e-9 * cores * gated);
}

}  // namespace
}  // namespace wse::model
