// SPDX-License-Identifier: Apache-2.0
// A training step at the cycle level on SystemC modules: every kernel of it, with the numbers that it had, takes
// the same cycles and leaves the same bytes, however the mesh is cut into regions.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/systemc_test.h"
#include "wse/model/gpt_training.h"
#include "wse/model/kernel_machine.h"

namespace wse::model {
namespace {

using Image = std::vector<std::uint8_t>;

/// A kernel of a step, and the memories of its tiles before and after it.
struct Played {
  const tiles::Kernel* kernel = nullptr;
  Image before, after;
  base::Cycles cycles = 0;
};

Image image_of(const tiles::TileMesh& mesh, std::size_t tile_bytes) {
  const std::uint32_t tiles = mesh.kernel().mesh().tiles();
  Image image(tile_bytes * tiles);
  for (std::uint32_t tile = 0; tile < tiles; ++tile) {
    mesh.read(tile, 0, &image[tile * tile_bytes], tile_bytes);
  }
  return image;
}

/// What lies beside the datapath is nobody's but the kernel's.
void clear_near(Image& image, const tiles::Kernel& kernel, std::size_t tile_bytes) {
  for (std::uint32_t tile = 0; tile < kernel.mesh().tiles(); ++tile) {
    const tiles::Program* program = kernel.program(tile);
    if (program == nullptr) continue;
    for (const auto& [name, array] : program->arrays) {
      if (!array.near) continue;
      const auto begin =
          image.begin() + static_cast<std::ptrdiff_t>(tile * tile_bytes + array.address);
      std::fill(begin, begin + static_cast<std::ptrdiff_t>(array.bytes()), std::uint8_t{0});
    }
  }
}

class GptMachineTest : public testing_support::SystemCTest {
 protected:
  static std::vector<Played> play(GptStep& step, const GptMesh& on, std::size_t tile_bytes) {
    std::string letters;
    for (char c = 'a'; c <= 'z'; ++c) letters += c;
    const host::TextTokens text(letters, 26, "letters");
    std::vector<Played> played;
    GptTraining training;
    training.on = on;
    training.before = [&](const std::string&, tiles::TileMesh& mesh, std::uint32_t) {
      played.push_back({&mesh.kernel(), image_of(mesh, tile_bytes), {}, 0});
    };
    training.after = [&](const tiles::TileMesh& mesh) {
      played.back().after = image_of(mesh, tile_bytes);
      played.back().cycles = mesh.cycles();
    };
    train_gpt(training, step, text);
    return played;
  }
};

TEST_F(GptMachineTest, AStepOnModulesIsTheSame) {
  GptMesh on;
  on.shape = {1, 8, 2, 16, 26, 6};
  on.mesh = {4, 2};
  const tiles::MeshConfig config;
  const std::size_t tile_bytes = config.sram.size_bytes;
  GptStep step(on, config);
  std::vector<Played> played = play(step, on, tile_bytes);
  ASSERT_EQ(played.size(), step.operations());
  // Modules are made before the first of them runs.
  std::vector<std::unique_ptr<KernelMachine>> machines;
  for (std::uint32_t i = 0; i < played.size(); ++i) {
    KernelMachineConfig cut;
    cut.region_columns = 1 + i % 4;
    cut.region_rows = 1 + i % 3;
    machines.push_back(std::make_unique<KernelMachine>(("kernel_" + std::to_string(i)).c_str(),
                                                       *played[i].kernel, cut));
  }
  std::size_t changed = 0;
  for (std::size_t i = 0; i < played.size(); ++i) {
    Played& p = played[i];
    SCOPED_TRACE(p.kernel->name);
    const fabric::Mesh mesh = p.kernel->mesh();
    const base::Rectangle all{{0, mesh.columns}, {0, mesh.rows}};
    machines[i]->copy_to(all, 0, p.before.data(), tile_bytes);
    machines[i]->launch();
    machines[i]->wait_for_end();
    EXPECT_EQ(machines[i]->cycles(), p.cycles);
    Image after(p.after.size());
    machines[i]->copy_from(all, 0, after.data(), tile_bytes);
    clear_near(after, *p.kernel, tile_bytes);
    clear_near(p.after, *p.kernel, tile_bytes);
    EXPECT_TRUE(after == p.after);
    changed += p.after != p.before ? 1 : 0;
  }
  EXPECT_GT(4 * changed, 3 * played.size());  // the same scales come down for each norm
}

}  // namespace
}  // namespace wse::model
