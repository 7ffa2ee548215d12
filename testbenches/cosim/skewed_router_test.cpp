// SPDX-License-Identifier: Apache-2.0
// Routers that are pipelined in another way keep the order, and those that do not are caught.
#include "wse/cosim/skewed_router.h"

#include <gtest/gtest.h>

#include "wse/cosim/lockstep.h"

namespace wse::cosim {
namespace {

using fabric::ColorRoute;
using fabric::Port;
using fabric::PortSet;
using fabric::RouterModel;
using fabric::RouterPins;
using fabric::RouterSetup;
using fabric::RouterTwin;

/// The model with a register behind its outputs, and a fault.
class DelayedRouter final : public RouterTwin {
 public:
  using Fault = std::function<void(RouterPins&)>;
  explicit DelayedRouter(const RouterSetup& setup, Fault fault = {})
      : model_(fabric::model_of(setup)), fault_(std::move(fault)) {}

  RouterPins outputs() const override { return given_; }
  void clock(const RouterPins& inputs) override {
    given_ = model_->outputs();
    if (fault_) fault_(given_);
    model_->clock(inputs);
  }

 private:
  std::unique_ptr<RouterModel> model_;
  const Fault fault_;
  RouterPins given_;
};

/// Color 0 from the west to east and ramp, color 1 merges from north and south to the east.
RouterSetup setup_of_two() {
  RouterSetup setup;
  setup.routes[0] = ColorRoute(Port::kWest, Port::kEast | PortSet(Port::kRamp));
  setup.routes[1] = ColorRoute(Port::kNorth | PortSet(Port::kSouth), Port::kEast);
  for (auto& port : setup.slots) port.fill(8);
  setup.own_slots = 8;
  return setup;
}

/// Sends a few wavelets of both colors, then nothing.
void run(SkewedRouter& router) {
  for (std::uint32_t clock = 0; clock < 40; ++clock) {
    RouterPins in;
    if (clock < 6) {
      in.links[index_of(Port::kWest)] = {true, {100 + clock, 0, false, false}};
      in.links[index_of(Port::kNorth)] = {true, {200 + clock / 2, 1, false, false}};
    }
    if (clock < 2) in.links[index_of(Port::kSouth)] = {true, {300 + clock, 1, false, false}};
    router.clock(in);
  }
  router.finish();
}

std::string mismatch_of(const DelayedRouter::Fault& fault) {
  const RouterSetup setup = setup_of_two();
  SkewReport report;
  SkewedRouter router("router", std::make_unique<DelayedRouter>(setup, fault), setup, report);
  try {
    run(router);
  } catch (const Mismatch& mismatch) {
    return mismatch.what();
  }
  return {};
}

TEST(SkewedRouterTest, ALaterRouterIsRightAndItsLatencyIsCounted) {
  const RouterSetup setup = setup_of_two();
  for (const bool delayed : {false, true}) {
    SkewReport report;
    std::unique_ptr<RouterTwin> twin;
    if (delayed) {
      twin = std::make_unique<DelayedRouter>(setup);
    } else {
      twin = fabric::model_of(setup);
    }
    SkewedRouter router("router", std::move(twin), setup, report);
    run(router);
    EXPECT_EQ(report.checked, 6U * 2 + 8);
    EXPECT_EQ(report.waiting, 0U);
    EXPECT_EQ(report.unordered, 0U);
    // The ramp takes one wavelet a clock and nobody else wants it.
    EXPECT_EQ(report.latencies.begin()->first, delayed ? 2U : 1U);
  }
}

TEST(SkewedRouterTest, ACopyOutOfOrderIsNamed) {
  const std::string text = mismatch_of([](RouterPins& pins) {
    fabric::LinkPins& ramp = pins.links[index_of(Port::kRamp)];
    if (!ramp.valid || ramp.wavelet.data > 103) return;
    if (ramp.wavelet.data == 102)
      ramp.wavelet.data = 103;  // 102 and 103 change places
    else if (ramp.wavelet.data == 103)
      ramp.wavelet.data = 102;
  });
  EXPECT_NE(text.find("router breaks the order in clock"), std::string::npos) << text;
  EXPECT_NE(text.find("ramp gives 00000067 color 0; next is 00000066 from west"), std::string::npos)
      << text;
}

TEST(SkewedRouterTest, ALostCopyIsNamedAtTheEnd) {
  const std::string text = mismatch_of([](RouterPins& pins) {
    fabric::LinkPins& ramp = pins.links[index_of(Port::kRamp)];
    if (ramp.valid && ramp.wavelet.data == 105) ramp = {};
  });
  EXPECT_NE(text.find("has kept 1 copies after 40 clocks"), std::string::npos) << text;
  EXPECT_NE(text.find("00000069 color 0 from west to ramp"), std::string::npos) << text;
}

TEST(SkewedRouterTest, ACopyTooManyAndASlotTooManyAreNamed) {
  unsigned clocks = 0;
  const std::string twice = mismatch_of([&clocks](RouterPins& pins) {
    if (++clocks == 30) pins.links[index_of(Port::kEast)] = {true, {105, 0, false, false}};
  });
  EXPECT_NE(twice.find("next is nothing"), std::string::npos) << twice;
  clocks = 0;
  const std::string slot = mismatch_of([&clocks](RouterPins& pins) {
    if (++clocks == 30) pins.credits[index_of(Port::kSouth)] = 2;
  });
  EXPECT_NE(slot.find("frees a slot of color 1, south, that is empty"), std::string::npos) << slot;
}

TEST(SkewedRouterTest, OrderIsAMatterOfTimingWhereInputsMergeIntoASwitchOrACounter) {
  ColorRoute merging(Port::kNorth | PortSet(Port::kSouth), Port::kEast);
  EXPECT_TRUE(keeps_order(merging));
  merging.filter.kind = fabric::RampFilter::Kind::kRange;
  EXPECT_TRUE(keeps_order(merging));
  merging.filter.kind = fabric::RampFilter::Kind::kCounter;
  EXPECT_FALSE(keeps_order(merging));
  merging.filter.kind = fabric::RampFilter::Kind::kNone;
  merging.position_count = 2;
  merging.positions[1] = {Port::kNorth, Port::kWest};
  EXPECT_FALSE(keeps_order(merging));
  merging.positions[0] = {Port::kNorth, Port::kEast};
  EXPECT_TRUE(keeps_order(merging));
}

}  // namespace
}  // namespace wse::cosim
