// SPDX-License-Identifier: Apache-2.0
// What the waves of routers show is what the routers of the reference do, wavelet by wavelet.
#include "wse/report/fabric_waves.h"

#include <gtest/gtest.h>

#include <map>

#include "support/fabric_case.h"
#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/reference_fabric.h"

namespace wse::report {
namespace {

using base::Cycles;
using fabric::Port;

constexpr std::uint64_t kHz = 1'000'000'000;  // a cycle is 1000 ps

/// Keeps the value of every signal at every time.
class MemorySink final : public base::WaveSink {
 public:
  struct Contents {
    std::vector<std::string> names;
    std::map<Cycles, std::map<std::string, std::uint64_t>> changes;  ///< by cycle

    /// Value at the end of a cycle; -1 while unknown.
    std::int64_t at(const std::string& name, Cycles cycle) const {
      for (auto it = changes.upper_bound(cycle); it != changes.begin();) {
        const auto found = (--it)->second.find(name);
        if (found != it->second.end()) return static_cast<std::int64_t>(found->second);
      }
      return -1;
    }
  };
  explicit MemorySink(Contents& contents) : contents_(contents) {}
  Id add(const base::WaveSignal& signal) override {
    contents_.names.push_back(signal.scope + "." + signal.name);
    return static_cast<Id>(contents_.names.size() - 1);
  }
  void time(base::Picoseconds now) override {
    EXPECT_TRUE(contents_.changes.empty() || now / 1000 > contents_.changes.rbegin()->first);
    contents_.changes[now / 1000];
  }
  void set(Id signal, std::uint64_t value) override {
    contents_.changes.rbegin()->second[contents_.names[signal]] = value;
  }
  void set_bits(Id, const std::string&) override { FAIL(); }
  void set_real(Id, double) override { FAIL(); }
  void flush() override {}
  void close() override {}

 private:
  Contents& contents_;
};

/// A router of the reference that remembers what left it.
class LoggingRouter final : public fabric::RouterTwin {
 public:
  using Log = std::vector<fabric::RouterPins>;  ///< by cycle
  LoggingRouter(std::unique_ptr<fabric::RouterTwin> router, Log& log)
      : router_(std::move(router)), log_(log) {}
  fabric::RouterPins outputs() const override { return router_->outputs(); }
  void clock(const fabric::RouterPins& inputs) override {
    log_.push_back(router_->outputs());
    router_->clock(inputs);
  }

 private:
  std::unique_ptr<fabric::RouterTwin> router_;
  Log& log_;
};

testing::FabricCase busy_case(std::uint64_t seed) {
  testing::FabricCase c = testing::random_fabric_case(seed);
  c.limit = 80;
  return c;
}

TEST(FabricWavesTest, ShowWhatTheReferenceDoes) {
  std::uint64_t wavelets = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const testing::FabricCase c = busy_case(seed);
    const fabric::Mesh mesh = c.routes.mesh();
    fabric::ReferenceFabric reference(c.routes, c.config);
    std::vector<LoggingRouter::Log> logs(mesh.tiles());
    for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
      auto log = [&](std::unique_ptr<fabric::RouterTwin> router) {
        return std::make_unique<LoggingRouter>(std::move(router), logs[tile]);
      };
      reference.wrap_router(tile, log);
    }
    testing::FabricDriver(c, reference).run();

    MemorySink::Contents waves;
    FabricWaveSelection selection;
    selection.tiles = {{0, mesh.columns}, {0, mesh.rows}};
    fabric::ChannelFabric channels(c.routes, c.config);
    FabricWaves watch(std::make_unique<MemorySink>(waves), c.routes, selection, kHz);
    channels.set_watch(watch);
    testing::FabricDriver(c, channels).run();
    watch.close();

    for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
      const base::Coordinate at = mesh.at(tile);
      for (const Port port : fabric::kPorts) {
        const std::string name =
            fmt::format("fabric.router_{}_{}.{}_", at.x, at.y, fabric::name_of(port));
        for (Cycles cycle = 0; cycle < c.limit; ++cycle) {
          const fabric::LinkPins& pins = logs[tile][cycle].links[fabric::index_of(port)];
          const std::int64_t valid = waves.at(name + "valid", cycle);
          ASSERT_EQ(pins.valid, valid == 1) << name << " cycle " << cycle << " seed " << seed;
          if (!pins.valid) continue;
          ++wavelets;
          ASSERT_EQ(waves.at(name + "color", cycle), pins.wavelet.color);
          ASSERT_EQ(waves.at(name + "data", cycle), pins.wavelet.data);
          ASSERT_EQ(waves.at(name + "control", cycle), pins.wavelet.control ? 1 : 0);
        }
      }
    }
  }
  EXPECT_GT(wavelets, 5000u);
}

/// A row of two tiles, four wavelets from the west to the east, one a cycle.
struct Row {
  fabric::RouteTable routes{fabric::Mesh{2, 1}};
  fabric::EngineConfig config;
  MemorySink::Contents waves;

  class Nowhere final : public fabric::EngineSink {
    void deliver(Cycles, const fabric::Delivery*, const fabric::Delivery*) override {}
  };

  FabricWaves run(const FabricWaveSelection& selection, bool reads, Cycles idle = 1) {
    routes.set(0, 3, {Port::kRamp, Port::kEast});
    routes.set(1, 3, {Port::kWest, Port::kRamp});
    if (!reads) config.receiver_depth.assign(2 * fabric::kNumColors, 1);
    fabric::ChannelFabric fabric(routes, config);
    FabricWaves watch(std::make_unique<MemorySink>(waves), routes, selection, kHz);
    fabric.set_watch(watch);
    Nowhere sink;
    for (std::uint32_t i = 0; i < 6; ++i) {
      EXPECT_TRUE(fabric.inject(fabric.source(0, 3), {i, 3, false, false}));
      fabric.step(sink);
    }
    while (fabric.can_move()) fabric.step(sink);
    fabric.skip_to(fabric.now() + idle);
    if (fabric.held() > 0) watch.deadlock(fabric.now());
    watch.close();
    return watch;
  }
};

FabricWaveSelection whole_row() {
  FabricWaveSelection selection;
  selection.tiles = {{0, 2}, {0, 1}};
  return selection;
}

TEST(FabricWavesTest, AWindowHoldsItsCyclesOnly) {
  FabricWaveSelection selection = whole_row();
  selection.from = 4;
  selection.to = 6;
  Row row;
  row.run(selection, true);
  ASSERT_EQ(row.waves.changes.begin()->first, 4u);
  EXPECT_EQ(row.waves.changes.rbegin()->first, 7u);  // where everything ends
  // Wavelet i leaves router 0 in cycle 2 + i and router 1 a cycle later.
  EXPECT_EQ(row.waves.at("fabric.router_0_0.east_data", 4), 2);
  EXPECT_EQ(row.waves.at("fabric.router_1_0.ramp_data", 4), 1);
  EXPECT_EQ(row.waves.at("fabric.router_1_0.ramp_data", 6), 3);
  EXPECT_EQ(row.waves.at("fabric.router_0_0.given_data", 5), 5);
}

TEST(FabricWavesTest, AColorOnALinkTriggersWithWhatWasBefore) {
  FabricWaveSelection selection = whole_row();
  selection.trigger = FabricWaveSelection::Trigger::kColor;
  selection.color = 3;
  selection.before = 0;
  selection.after = 4;
  Row row;
  const FabricWaves waves = row.run(selection, true);
  EXPECT_EQ(waves.triggered(), Cycles{0});  // given by the compute engine
  EXPECT_EQ(waves.cycles(), 4u);
}

TEST(FabricWavesTest, AFullQueueTriggersAfterItsCycles) {
  FabricWaveSelection selection = whole_row();
  selection.trigger = FabricWaveSelection::Trigger::kQueueFull;
  selection.full_cycles = 2;
  selection.before = 3;
  Row row;
  const FabricWaves waves = row.run(selection, false);
  // Three slots behind the ramp take wavelets 0 to 2; 3 and 4 fill the queue from cycle 7 on.
  EXPECT_EQ(waves.triggered(), Cycles{8});
  EXPECT_EQ(row.waves.changes.begin()->first, 5u);
  EXPECT_EQ(row.waves.at("fabric.router_1_0.queue_west_c3", 6), 1);
  EXPECT_EQ(row.waves.at("fabric.router_1_0.queue_west_c3", 7), 2);
}

TEST(FabricWavesTest, CyclesInWhichWaveletsOnlyWaitCount) {
  FabricWaveSelection selection = whole_row();
  selection.trigger = FabricWaveSelection::Trigger::kQueueFull;
  selection.full_cycles = 1000;
  selection.before = 3;
  Row row;
  const FabricWaves waves = row.run(selection, false, 5000);
  EXPECT_EQ(waves.triggered(), Cycles{7 + 999});  // full from 7 on
  EXPECT_EQ(waves.cycles(), 3u + 64);
}

TEST(FabricWavesTest, ADeadlockKeepsTheCyclesBeforeIt) {
  FabricWaveSelection selection = whole_row();
  selection.trigger = FabricWaveSelection::Trigger::kDeadlock;
  selection.before = 2;
  Row row;
  const FabricWaves waves = row.run(selection, false);
  EXPECT_TRUE(waves.triggered().has_value());
  EXPECT_EQ(waves.cycles(), 3u);
  EXPECT_EQ(row.waves.at("fabric.router_1_0.queue_west_c3", *waves.triggered()), 2);
}

}  // namespace
}  // namespace wse::report
