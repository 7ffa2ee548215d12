// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/stage_core.h"

#include <gtest/gtest.h>

namespace wse::tiles {
namespace {

using base::Cycles;
using Pass = StageCore::Pass;

StageConfig config(Cycles forward, Cycles backward, Cycles update, std::uint64_t samples,
                   std::uint64_t in_flight) {
  StageConfig c;
  c.cycles.forward[static_cast<std::size_t>(Cause::kMultiplyAdd)] = forward;
  c.cycles.backward[static_cast<std::size_t>(Cause::kMultiplyAdd)] = backward;
  c.cycles.update[static_cast<std::size_t>(Cause::kVector)] = update;
  c.samples = samples;
  c.in_flight = in_flight;
  return c;
}

TEST(StageCoreTest, GoesForwardAsFarAsItMayThenOneBackwardOneForward) {
  StageCore core(config(10, 20, 5, 4, 2));
  core.begin_step(100);
  for (int i = 0; i < 4; ++i) core.receive_activations(100);
  std::vector<std::pair<Pass, std::uint64_t>> order;
  const auto run = [&] {
    while (const auto done = core.next_done()) order.emplace_back(done->pass, done->sample);
  };
  run();
  EXPECT_EQ(order.size(), 2u);  // two in flight: waits for a gradient
  for (int i = 0; i < 4; ++i) core.receive_gradients(130);
  run();
  const std::vector<std::pair<Pass, std::uint64_t>> expected{
      {Pass::kForward, 0},  {Pass::kForward, 1},  {Pass::kBackward, 0},
      {Pass::kForward, 2},  {Pass::kBackward, 1}, {Pass::kForward, 3},
      {Pass::kBackward, 2}, {Pass::kBackward, 3}, {Pass::kUpdate, 4}};
  EXPECT_EQ(order, expected);
  EXPECT_EQ(core.most_in_flight(), 2u);
}

TEST(StageCoreTest, EveryCycleOfAStepHasACause) {
  StageCore core(config(10, 20, 5, 2, 1));
  core.begin_step(0);
  core.receive_activations(3);
  core.receive_activations(4);
  while (core.next_done()) {
  }
  core.receive_gradients(50);
  core.receive_gradients(90);
  Cycles end = 0;
  while (const auto done = core.next_done()) end = done->finish;
  EXPECT_EQ(end, 90u + 20 + 5);
  core.end_step(130);
  Cycles waited = 0;
  Cycles all = 0;
  for (const Cycles until : {7u, 60u, 200u}) {  // windows cut passes
    for (const CauseCycles& phase : core.take_until(until)) {
      all += total(phase);
      waited += phase[static_cast<std::size_t>(Cause::kPipelineWait)];
    }
  }
  EXPECT_EQ(all, 130u);
  EXPECT_EQ(waited, 130u - 2 * 30 - 5);
}

TEST(StageCoreTest, PassesRepeatFromStepToStep) {
  StageCore core(config(10, 20, 5, 1, 1));
  for (int step = 0; step < 2; ++step) {
    core.begin_step(static_cast<Cycles>(1'000 * step));
    core.receive_activations(static_cast<Cycles>(1'000 * step));
    core.receive_gradients(static_cast<Cycles>(1'000 * step + 40));
    Cycles end = 0;
    while (const auto done = core.next_done()) end = done->finish;
    EXPECT_EQ(end, static_cast<Cycles>(1'000 * step + 65));
    core.end_step(end);
  }
}

}  // namespace
}  // namespace wse::tiles
