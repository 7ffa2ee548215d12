// SPDX-License-Identifier: Apache-2.0
// What a fabric does with a router that is simulated elsewhere and breaks its contract, or stands
// still. That a good one makes no difference is in engines_test.cpp.
#include "wse/fabric/router_twin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/latency_stats.h"

namespace wse::fabric {
namespace {

using ::testing::HasSubstr;

/// Gives in each clock what a function says.
class Scripted final : public RouterTwin {
 public:
  explicit Scripted(std::function<RouterPins(unsigned)> script) : script_(std::move(script)) {}
  RouterPins outputs() const override { return script_(clock_); }
  void clock(const RouterPins& inputs) override {
    ++clock_;
    for (const LinkPins& link : inputs.links) came_ += link.valid ? 1 : 0;
  }
  unsigned came() const { return came_; }

 private:
  std::function<RouterPins(unsigned)> script_;
  unsigned clock_ = 0;
  unsigned came_ = 0;
};

/// A row of three tiles, color 5 from the west to the east, and the router in the middle elsewhere.
struct Row {
  explicit Row(std::function<RouterPins(unsigned)> script) {
    RouteTable routes({3, 1});
    routes.set(0, 5, {Port::kRamp, Port::kEast});
    routes.set(1, 5, {Port::kWest, Port::kEast});
    routes.set(2, 5, {Port::kWest, Port::kRamp});
    fabric = std::make_unique<ChannelFabric>(std::move(routes), EngineConfig{});
    auto owned = std::make_unique<Scripted>(std::move(script));
    twin = owned.get();
    fabric->set_twin(1, std::move(owned));
  }
  std::string run() {
    LatencyStats stats;
    try {
      while (fabric->can_move() && fabric->now() < 1000) fabric->step(stats);
    } catch (const TwinError& error) {
      return error.what();
    }
    return "";
  }
  std::unique_ptr<ChannelFabric> fabric;
  Scripted* twin = nullptr;
};

RouterPins east(std::uint8_t color) {
  RouterPins pins;
  pins.links[index_of(Port::kEast)] = {true, {7, color, false, false}};
  return pins;
}

TEST(RouterTwinTest, AWaveletACycleIsFine) {
  Row row([](unsigned) { return east(5); });
  EXPECT_EQ(row.run(), "");
  EXPECT_EQ(row.fabric->counts().hops, 1000u);
}

TEST(RouterTwinTest, OneThatSendsWithoutARouteIsNamed) {
  Row stuck([](unsigned clock) { return clock == 3 ? east(6) : RouterPins{}; });
  EXPECT_THAT(stuck.run(), HasSubstr("cycle 3: the router at (1,0), port east, color 6: has no "
                                     "route there"));
}

TEST(RouterTwinTest, OneThatOverrunsAQueueIsNamed) {
  RouteTable routes({3, 1});
  routes.set(0, 5, {Port::kRamp, Port::kEast});
  routes.set(1, 5, {Port::kWest, Port::kEast});
  routes.set(2, 5, {Port::kWest, Port::kRamp});
  EngineConfig config;
  config.receiver_depth.assign(3 * kNumColors, 1);  // 3 slots behind the ramp, never freed
  ChannelFabric fabric(std::move(routes), config);
  fabric.set_twin(1, std::make_unique<Scripted>([](unsigned) { return east(5); }));
  LatencyStats stats;
  try {
    for (int i = 0; i < 20; ++i) fabric.step(stats);
    FAIL() << "no error";
  } catch (const TwinError& error) {
    // Slots: 3 behind the ramp and 2 of the router; the sixth wavelet has none.
    EXPECT_EQ(std::string(error.what()),
              "cycle 5: the router at (1,0), port east, color 5: has no slot there");
  }
}

TEST(RouterTwinTest, OneThatOverrunsTheComputeEngineIsNamed) {
  RouteTable routes({2, 1});
  routes.set(0, 5, {Port::kRamp, Port::kEast});
  routes.set(1, 5, {Port::kWest, Port::kRamp});
  EngineConfig config;
  config.receiver_depth.assign(2 * kNumColors, 1);  // 3 slots behind the ramp
  ChannelFabric fabric(std::move(routes), config);
  const auto ramp = [](unsigned) {
    RouterPins pins;
    pins.links[index_of(Port::kRamp)] = {true, {0, 5, false, false}};
    return pins;
  };
  fabric.set_twin(1, std::make_unique<Scripted>(ramp));
  LatencyStats stats;
  try {
    for (int i = 0; i < 20; ++i) {
      if (i == 1) fabric.return_credit(leaf_of(1, 5));  // one of them, seen two cycles later
      fabric.step(stats);
    }
    FAIL() << "no error";
  } catch (const TwinError& error) {
    EXPECT_EQ(std::string(error.what()),
              "cycle 4: the router at (1,0), port ramp, color 5: has no slot there");
  }
}

TEST(RouterTwinTest, OneThatFreesWhatItDoesNotHoldIsNamed) {
  const auto frees = [](Port port) {
    return [port](unsigned clock) {
      RouterPins pins;
      if (clock == 2) pins.credits[index_of(port)] = 1U << 5;
      return pins;
    };
  };
  EXPECT_THAT(Row(frees(Port::kWest)).run(),
              HasSubstr("cycle 2: the router at (1,0), port west, color 5: frees a slot that is "
                        "empty"));
  EXPECT_THAT(Row(frees(Port::kSouth)).run(), HasSubstr("port south, color 5: has no queue there"));
}

TEST(RouterTwinTest, OneThatStandsStillIsADeadlock) {
  Row row([](unsigned) { return RouterPins{}; });
  EXPECT_TRUE(row.fabric->inject(row.fabric->source(0, 5), {1, 5, false, false}));
  EXPECT_EQ(row.run(), "");
  EXPECT_LT(row.fabric->now(), 100u);
  EXPECT_EQ(row.twin->came(), 1u);
  EXPECT_EQ(row.fabric->held(), 1u);  // in the router
  const std::vector<HeldQueue> held = row.fabric->held_queues();
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(tile_of(held[0].leaf), 1u);
}

}  // namespace
}  // namespace wse::fabric
