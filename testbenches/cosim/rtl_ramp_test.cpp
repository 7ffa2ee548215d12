// SPDX-License-Identifier: Apache-2.0
// Verilated RTL behind the pins of a ramp: every wavelet is back, in the cycle that latencies say.
#include <gtest/gtest.h>
#include <tlm_utils/simple_target_socket.h>

#include <algorithm>
#include <deque>

#include "rtl_echo.h"
#include "support/systemc_test.h"
#include "wse/base/random.h"
#include "wse/cosim/ramp_pin_bridge.h"

namespace wse::cosim {
namespace {

constexpr std::uint8_t kThere = 3, kBack = 2;
constexpr std::uint32_t kWavelets = 400;

/// A clocked module with the pins of a ramp.
struct ClockedTile : sc_core::sc_module {
  sc_core::sc_in<bool> clk{"clk"};
  sc_core::sc_out<bool> busy{"busy"};
  RampPorts<sc_core::sc_in> in{"in"};
  RampPorts<sc_core::sc_out> out{"out"};

  explicit ClockedTile(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    SC_HAS_PROCESS(ClockedTile);
    SC_METHOD(edge);
    sensitive << clk.pos();
    dont_initialize();
  }
  virtual void edge() = 0;
};

/// RTL that does not say when it is done: it is after some clocks without anything.
struct EchoTile final : ClockedTile {
  using ClockedTile::ClockedTile;
  void edge() override {
    const tiles::RampPins taken = in.read();
    const EchoPins answer = rtl->clock({taken.link.valid, taken.link.wavelet, taken.credits});
    const tiles::RampPins given{{answer.valid, answer.wavelet}, answer.credits};
    out.write(given);
    const bool moves = taken.link.valid || taken.credits != 0 || given.link.valid;
    quiet = moves ? 0 : quiet + 1;
    busy.write(quiet < 16);
  }
  std::unique_ptr<RtlEcho> rtl = make_rtl_echo();
  std::uint32_t quiet = 0;
};

/// Sends wavelets as credits allow and takes what comes back, at once or when it likes to.
struct SourceTile final : ClockedTile {
  SourceTile(const sc_core::sc_module_name& name, std::uint32_t percent)
      : ClockedTile(name), percent_(percent) {
    busy.initialize(true);
  }
  void edge() override {
    const tiles::RampPins taken = in.read();
    credits_ += taken.credits >> kThere & 1;
    if (taken.link.valid) held_.push_back(taken.link.wavelet);
    tiles::RampPins given;
    if (!held_.empty() && random_.below(100) < percent_) {
      back.push_back(held_.front());
      held_.pop_front();
      given.credits = 1U << kBack;
    }
    if (sent.size() < kWavelets && credits_ > 0 && random_.below(100) < percent_) {
      --credits_;
      const bool control = random_.below(2) == 0;
      // As commands to the switches on the way the low half would have to make sense.
      const auto data = static_cast<std::uint32_t>(random_.next()) & (control ? ~0xffffU : ~0U);
      given.link = {true, {data, kThere, control, random_.below(2) == 0}};
      sent.push_back(given.link.wavelet);
    }
    out.write(given);
    busy.write(back.size() < kWavelets);
  }
  std::vector<fabric::Wavelet> sent, back;

 private:
  const std::uint32_t percent_;
  base::Random random_{5};
  std::uint32_t credits_ = 4;
  std::deque<fabric::Wavelet> held_;
};

/// Cycles in which router 1 sends to the ramp, and in which it is given something.
struct RampTimes final : fabric::RouterWatch {
  base::Rectangle tiles() const override { return {{0, 2}, {0, 1}}; }
  bool watches(base::Cycles) override { return true; }
  void see(base::Cycles cycle, const std::vector<fabric::QueueFill>&,
           const std::vector<fabric::LinkEvent>& events) override {
    for (const fabric::LinkEvent& e : events) {
      if (e.tile == 1 && e.port == fabric::Port::kRamp) (e.given ? given : left).push_back(cycle);
    }
  }
  std::vector<base::Cycles> given, left;
};

/// A module behind its bridge.
struct Place {
  Place(const std::string& name, std::uint32_t x, const fabric::RouteTable& routes,
        const fabric::EngineConfig& engine, const base::ClockEpochs& epochs,
        const base::WindowTicker& ticker, ClockedTile& tile, fabric::CycleFabric& fabric)
      : clk((name + "_clk").c_str()),
        start((name + "_start").c_str()),
        busy((name + "_busy").c_str()),
        cycle((name + "_cycle").c_str()),
        down(name + "_down"),
        up(name + "_up"),
        bridge((name + "_bridge").c_str(), RampPinConfig::of(routes, {x, 0}, engine), epochs,
               ticker) {
    bridge.clk(clk);
    bridge.start(start);
    bridge.cycle(cycle);
    bridge.busy(busy);
    bridge.to_tile.bind(down);
    bridge.to_router.bind(up);
    tile.clk(clk);
    tile.busy(busy);
    tile.in.bind(down);
    tile.out.bind(up);
    bridge.ramp_out_socket.bind(fabric.ramp_in_socket[x]);
    fabric.ramp_out_socket[x].bind(bridge.ramp_in_socket);
  }
  sc_core::sc_signal<bool> clk, start, busy;
  sc_core::sc_signal<std::uint64_t> cycle;
  RampSignals down, up;
  RampPinBridge bridge;
};

struct NoActivity : sc_core::sc_module {
  tlm_utils::simple_target_socket<NoActivity> socket{"socket"};
  explicit NoActivity(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {}
};

class RtlRampTest : public testing_support::SystemCTest {
 protected:
  void SetUp() override {
    if (make_rtl_echo() == nullptr) GTEST_SKIP() << "this program was built without Verilator";
  }
  void run(std::uint32_t percent) {
    fabric::RouteTable routes({2, 1});
    using fabric::Port;
    routes.set(0, kThere, {Port::kRamp, Port::kEast});
    routes.set(1, kThere, {Port::kWest, Port::kRamp});
    routes.set(1, kBack, {Port::kRamp, Port::kWest});
    routes.set(0, kBack, {Port::kEast, Port::kRamp});
    fabric::EngineConfig engine;
    engine.receiver_depth.assign(2 * fabric::kNumColors, 6);  // eight slots, as the RTL has
    fabric::FabricLayout layout;
    layout.mesh = {2, 1};
    layout.regions = {{{0, 1}, {0, 1}}, {{1, 2}, {0, 1}}};
    const base::ClockEpochs epochs(1'100'000'000);
    base::WindowTicker ticker("ticker", 1'000'000'000);
    fabric::CycleFabric fabric("fabric", routes, engine, layout, epochs, ticker);
    NoActivity activity("activity");
    fabric.activity_socket.bind(activity.socket);
    fabric.set_watch(times_);
    SourceTile source("source", percent);
    EchoTile echo("echo");
    Place first("first", 0, routes, engine, epochs, ticker, source, fabric);
    Place second("second", 1, routes, engine, epochs, ticker, echo, fabric);
    sc_core::sc_start();
    for (fabric::Wavelet& w : source.sent) {
      ++w.data;
      w.color = kBack;
    }
    EXPECT_EQ(source.sent.size(), kWavelets);
    EXPECT_TRUE(source.back == source.sent);
    EXPECT_EQ(fabric.core().held(), 0u);
    EXPECT_EQ(times_.left.size(), kWavelets);
    EXPECT_EQ(times_.given.size(), kWavelets);
  }
  RampTimes times_;
};

TEST_F(RtlRampTest, AnswersTakeTheLatencyOfTheRamp) {
  run(100);
  for (std::size_t i = 0; i < times_.given.size(); ++i) {
    EXPECT_EQ(times_.given[i], times_.left[i] + 2) << i;
  }
}

TEST_F(RtlRampTest, NothingIsLostWhereCreditsRunOut) {
  run(40);
  std::size_t waited = 0;
  for (std::size_t i = 0; i < times_.given.size(); ++i) {
    EXPECT_GE(times_.given[i], times_.left[i] + 2) << i;
    if (times_.given[i] > times_.left[i] + 2) ++waited;
  }
  EXPECT_GT(waited, 10u);
}

}  // namespace
}  // namespace wse::cosim
