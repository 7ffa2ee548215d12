// SPDX-License-Identifier: Apache-2.0
#include "wse/power/load_power.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace wse::power {
namespace {

using base::EventCounts;
using base::EventKind;

constexpr std::uint64_t kCores = 850'000;
constexpr std::uint64_t kHz = 1'100'000'000;

EnergyTable table() { return EnergyTable::read(WSE_SOURCE_DIR "/configs/energy/n7.csv"); }

/// A thousand cycles of a core.
CoreLoad load_of(const EventCounts& counts) { return {counts, 1000.0 / kHz}; }
/// Dense fp16 AXPY, a vector step a cycle, a wavelet every third.
EventCounts dense_axpy() {
  EventCounts n{};
  at(n, EventKind::kFmacFp16) = 4000;
  at(n, EventKind::kSramRead64) = 2000;
  at(n, EventKind::kSramWrite64) = 1000;
  at(n, EventKind::kLocalCache) = 2000;
  at(n, EventKind::kControlCycle) = at(n, EventKind::kClockRunning) = 1000;
  at(n, EventKind::kRouterTraversal) = at(n, EventKind::kLinkHop) = at(n, EventKind::kRamp) = 333;
  return n;
}

TEST(LoadPowerTest, FullLoadByTableTimesCountsIsFifteenKilowatts) {
  const LoadPower p =
      load_power(load_of(dense_axpy()), kCores, kCores, kHz, table(), {}, ThermalConfig());
  EXPECT_NEAR(p.wafer_w(), 15'000, 150);
  EXPECT_NEAR(p.mean_c, 52.7, 0.5);
  EXPECT_NEAR(p.leakage_w, 1'615, 20);
  EXPECT_NEAR(p.system_w, 20'000, 200);
}

TEST(LoadPowerTest, AWaitingWaferWithGatedAndWithRunningClocks) {
  const LoadPower gated = load_power({}, 0, kCores, kHz, table(), {}, ThermalConfig());
  EXPECT_NEAR(gated.wafer_w(), 1'950, 30);
  EXPECT_NEAR(gated.mean_c, 28.6, 0.2);
  EXPECT_NEAR(gated.system_w, 3'100, 50);
  EventCounts clock{};
  at(clock, EventKind::kClockRunning) = 1000;
  const LoadPower running =
      load_power(load_of(clock), kCores, kCores, kHz, table(), {}, ThermalConfig());
  EXPECT_NEAR(running.wafer_w(), 3'720, 50);
  EXPECT_NEAR(running.mean_c, 31.8, 0.2);
}

// Everything at once: the vector step of every cycle, four links and a ramp busy.
TEST(LoadPowerTest, APowerVirusExceedsThePackage) {
  EventCounts virus = dense_axpy();
  at(virus, EventKind::kRouterTraversal) = 5000;
  at(virus, EventKind::kLinkHop) = 4000;
  at(virus, EventKind::kRamp) = 1000;
  const EnergyTable energies = table();
  const LoadPower p =
      load_power(load_of(virus), kCores, kCores, kHz, energies, {}, ThermalConfig());
  EXPECT_NEAR(p.wafer_w(), 22'000, 1'000);
  const double core_w = energies.joules(virus) / 1000 * kHz + leakage_w(energies, {}, 85);
  EXPECT_GT(core_w, 0.024);
  EXPECT_LT(core_w, 0.030);  // the published peak of a core
}

TEST(LoadPowerTest, LeakageThatGrowsFasterThanHeatLeavesIsSaid) {
  ThermalConfig hot;
  hot.convection_w_m2k = 1'500;
  EXPECT_THROW(load_power(load_of(dense_axpy()), kCores, kCores, kHz, table(), {}, hot),
               std::runtime_error);
  // Just before that it settles.
  hot.convection_w_m2k = 6'000;
  EXPECT_GT(load_power(load_of(dense_axpy()), kCores, kCores, kHz, table(), {}, hot).mean_c, 90);
}

}  // namespace
}  // namespace wse::power
