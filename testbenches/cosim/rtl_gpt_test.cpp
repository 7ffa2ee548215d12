// SPDX-License-Identifier: Apache-2.0
// A GPT that is trained on tiles of which one has a router of RTL: the same losses in the same cycles.
#include <gtest/gtest.h>

#include "wse/cosim/router_twins.h"
#include "wse/model/gpt_training.h"

namespace wse::cosim {
namespace {

TEST(RtlGptTest, ARouterOfRtlChangesNothing) {
  if (router_twins().empty()) GTEST_SKIP() << "this program was built without Verilator";
  const tiles::MeshConfig config;
  std::string letters;
  for (char c = 'a'; c <= 'z'; ++c) letters += c;
  const host::TextTokens text(letters, 26, "letters");
  model::GptTraining training;
  training.on.shape = {1, 16, 2, 32, 26, 12};
  training.on.mesh = {4, 3};
  training.steps = 2;
  const auto train = [&] {
    model::GptStep step(training.on, config);
    return model::train_gpt(training, step, text);
  };
  const model::GptTrainingResult plain = train();
  const RouterTwinKind& kind = router_twin("router", "test");
  std::uint64_t routers = 0;
  training.before = [&](const std::string&, tiles::TileMesh& mesh, std::uint32_t first_row) {
    const std::uint32_t tile = mesh.kernel().mesh().tile(1, 2 - first_row);
    fabric::EngineConfig fabric = config.fabric;
    fabric.receiver_depth = tiles::receiver_depths(mesh.kernel(), config.compute);
    const RouterSetup setup = fabric::router_setup(mesh.kernel().routes, tile, fabric);
    mesh.fabric().set_twin(tile, make_router_twin(kind, setup));
    ++routers;
  };
  const model::GptTrainingResult rtl = train();
  EXPECT_EQ(routers, 2 * plain.operations);
  EXPECT_EQ(rtl.loss, plain.loss);
  EXPECT_EQ(rtl.cycles, plain.cycles);
  EXPECT_EQ(rtl.result_hash, plain.result_hash);
  EXPECT_TRUE(rtl.events() == plain.events());
  EXPECT_LT(plain.loss[1], plain.loss[0]);
  EXPECT_LT(plain.max_rel_error(), 1e-5);
}

}  // namespace
}  // namespace wse::cosim
