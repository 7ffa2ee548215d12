// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/deadlock.h"

#include <gtest/gtest.h>

#include "wse/fabric/channel_fabric.h"

namespace wse::fabric {
namespace {

class Nowhere final : public EngineSink {
 public:
  void deliver(base::Cycles, const Delivery*, const Delivery*) override {}
};

/// Runs until nothing can move and explains what is left.
std::string stuck(ChannelFabric& fabric) {
  Nowhere sink;
  for (int cycle = 0; cycle < 100 && fabric.can_move(); ++cycle) fabric.step(sink);
  EXPECT_FALSE(fabric.can_move());
  EXPECT_GT(fabric.held(), 0u);
  return explain_deadlock(fabric.graph().routes(), fabric.held_queues(), fabric.now());
}

TEST(DeadlockTest, NamesTheComputeEngineThatDoesNotRead) {
  RouteTable routes({3, 1});
  routes.set(0, 4, {Port::kRamp, Port::kEast});
  routes.set(1, 4, {Port::kWest, Port::kEast});
  routes.set(2, 4, {Port::kWest, Port::kRamp});
  EngineConfig config;
  config.receiver_depth.assign(3 * kNumColors, 1);
  ChannelFabric fabric(routes, config);
  // Three slots behind the ramp, two in router 2, two in router 1: the eighth cannot leave.
  Nowhere sink;
  for (std::uint32_t i = 0; i < 8; ++i) {
    ASSERT_TRUE(fabric.inject(fabric.source(0, 4), {i, 4, false, false}));
    fabric.step(sink);
  }
  EXPECT_EQ(stuck(fabric),
            "deadlock in cycle 10: 5 wavelets cannot move\n"
            "  router (0, 0), color 4 from ramp (1 wavelet) waits in the east for a slot of router "
            "(1, 0)\n"
            "  router (1, 0), color 4 from west (2 wavelets) waits in the east for a slot of "
            "router (2, 0)\n"
            "  router (2, 0), color 4 from west (2 wavelets) waits for the compute engine of tile "
            "(2, 0) to "
            "read color 4\n");
}

/// Two routers whose switches wait for each other: each takes its neighbour first, and each
/// neighbour's wavelet is behind the other's switch.
TEST(DeadlockTest, PrintsTheCycleOfWaits) {
  RouteTable routes({2, 1});
  ColorRoute left;
  left.position_count = 2;
  left.positions[0] = {Port::kEast, Port::kRamp};
  left.positions[1] = {Port::kRamp, Port::kEast};
  ColorRoute right;
  right.position_count = 2;
  right.positions[0] = {Port::kWest, Port::kRamp};
  right.positions[1] = {Port::kRamp, Port::kWest};
  routes.set(0, 0, left);
  routes.set(1, 0, right);
  base::ConfigErrors errors;
  check_routes(routes, errors);
  ASSERT_TRUE(errors.empty());
  ChannelFabric fabric(routes, {});
  for (std::uint32_t tile = 0; tile < 2; ++tile) {
    ASSERT_TRUE(fabric.inject(fabric.source(tile, 0), {tile, 0, false, true}));
  }
  EXPECT_EQ(stuck(fabric),
            "deadlock in cycle 3: 2 wavelets cannot move\n"
            "  router (0, 0), color 0 from ramp (1 wavelet) waits for the switch, which stands at "
            "position 0 "
            "and takes east\n"
            "  router (1, 0), color 0 from ramp (1 wavelet) waits for the switch, which stands at "
            "position 0 "
            "and takes west\n"
            "  which is where this began, 2 lines above: the wait is closed\n");
}

TEST(DeadlockTest, SaysWhatWasTornDown) {
  RouteTable routes({2, 1});
  routes.set(0, 7, {Port::kRamp, Port::kEast});
  routes.set(1, 7, {Port::kWest, Port::kRamp});
  ChannelFabric fabric(routes, {});
  const std::uint32_t teardown = static_cast<std::uint32_t>(Command::kTeardown);
  Nowhere sink;
  ASSERT_TRUE(fabric.inject(fabric.source(0, 7), {teardown, 7, true, false}));
  fabric.step(sink);
  ASSERT_TRUE(fabric.inject(fabric.source(0, 7), {1, 7, false, false}));
  EXPECT_EQ(stuck(fabric),
            "deadlock in cycle 5: 1 wavelet cannot move\n"
            "  router (0, 0), color 7 from ramp (1 wavelet): the color was torn down here and "
            "waits to be "
            "routed anew\n");
}

}  // namespace
}  // namespace wse::fabric
