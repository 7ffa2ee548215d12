// SPDX-License-Identifier: Apache-2.0
#include "wse/model/binding.h"

#include <gtest/gtest.h>

namespace wse::model {
namespace {

TEST(BindingTest, EveryCauseHasAResourceAndTheLargestBinds) {
  std::array<double, tiles::kNumCauses> ledger{};
  double sum = 0;
  for (std::size_t c = 0; c < ledger.size(); ++c) sum += ledger[c] = static_cast<double>(c + 1);
  for (double& share : ledger) share /= sum;
  const Binding even = binding_of(ledger);
  EXPECT_NEAR(even.compute + even.io + even.sram + even.latency, 1, 1e-12);

  ledger = {};
  ledger[static_cast<std::size_t>(tiles::Cause::kAttention)] = 0.3;
  ledger[static_cast<std::size_t>(tiles::Cause::kWeightWait)] = 0.2;
  ledger[static_cast<std::size_t>(tiles::Cause::kGradientWait)] = 0.25;
  ledger[static_cast<std::size_t>(tiles::Cause::kRecompute)] = 0.25;
  const Binding binding = binding_of(ledger);
  EXPECT_EQ(binding.by(), "io");
  EXPECT_DOUBLE_EQ(binding.io, 0.45);
  EXPECT_DOUBLE_EQ(binding.sram, 0.25);
}

TEST(BindingTest, WhatResidesFillsTheMemoryOfAProgramToTheByte) {
  const Settings settings;
  for (const char* name : {"dalle-12b", "gpt-neox-20b"}) {
    const auto model =
        host::read_model(WSE_SOURCE_DIR "/configs/models/" + std::string(name) + ".json", name);
    const Residency r = residency_of(model, settings, make_plan(model, settings));
    EXPECT_EQ(r.activations + r.free + r.weights_in_flight + r.gradients_waiting + r.code_and_sums,
              r.sram_program);
    EXPECT_EQ(r.sram_program, 745'500ull * 49'152);
    EXPECT_EQ(r.sram_built, 853'776ull * 49'152);
    EXPECT_EQ(r.parameter_state, model.parameters() * 16);
    EXPECT_LT(r.parameter_state, r.parameter_capacity);
    EXPECT_GT(r.activations, r.free);
  }
}

}  // namespace
}  // namespace wse::model
