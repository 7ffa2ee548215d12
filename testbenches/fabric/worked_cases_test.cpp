// SPDX-License-Identifier: Apache-2.0
// Small cases worked out by hand from docs/timing.md, with the work beside them, against all engines:
// the reference is not right because it says so. r = 2 (ramp), h = 1 (hop), two slots a link.
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/flow_fabric.h"
#include "wse/fabric/reference_fabric.h"

namespace wse::fabric {
namespace {

using base::Cycles;

constexpr std::uint8_t kColor = 7;

/// Deliveries as "cycle@tile:data".
class Log final : public EngineSink {
 public:
  void deliver(Cycles cycle, const Delivery* begin, const Delivery* end) override {
    for (const Delivery* d = begin; d != end; ++d) {
      seen_.insert({{cycle, tile_of(d->leaf)}, d->data});
    }
  }
  std::string text() const {
    std::string text;
    for (const auto& [key, data] : seen_) {
      text += fmt::format("{}{}@{}:{}", text.empty() ? "" : " ", key.first, key.second, data);
    }
    return text;
  }

 private:
  std::multimap<std::pair<Cycles, std::uint32_t>, std::uint32_t> seen_;
};

/// What a tile gives, one wavelet a cycle as slots allow, from a cycle on: numbered data.
struct Stream {
  std::uint32_t tile;
  std::uint32_t first_data;
  std::uint32_t wavelets;
  Cycles start = 0;
  bool control = false;
};

std::string run(Engine& engine, const std::vector<Stream>& streams, Cycles cycles) {
  Log log;
  std::vector<std::uint32_t> given(streams.size(), 0);
  while (engine.now() < cycles) {
    for (std::size_t i = 0; i < streams.size(); ++i) {
      const Stream& s = streams[i];
      if (engine.now() < s.start || given[i] == s.wavelets) continue;
      const Wavelet w{s.first_data + given[i], kColor, s.control, false};
      if (engine.inject(engine.source(s.tile, kColor), w)) ++given[i];
    }
    engine.step(log);
  }
  return log.text();
}

void expect(const RouteTable& routes, const EngineConfig& config,
            const std::vector<Stream>& streams, const std::string& deliveries, Cycles cycles = 60) {
  base::ConfigErrors errors;
  check_routes(routes, errors);
  ASSERT_TRUE(errors.empty());
  ReferenceFabric reference(routes, config);
  EXPECT_EQ(run(reference, streams, cycles), deliveries) << "reference";
  ChannelFabric channels(routes, config);
  EXPECT_EQ(run(channels, streams, cycles), deliveries) << "channels";
  FlowFabric flows(routes, config);
  EXPECT_EQ(run(flows, streams, cycles), deliveries) << "flows";
}

TEST(WorkedCasesTest, AWaveletAlongARow) {
  // Given in 0: leaves router 0 in 0 + r = 2, router 1 in 3, router 2 in 4 by the ramp, and can be
  // used in 4 + r = 6.
  RouteTable routes({3, 1});
  routes.set(0, kColor, {Port::kRamp, Port::kEast});
  routes.set(1, kColor, {Port::kWest, Port::kEast});
  routes.set(2, kColor, {Port::kWest, Port::kRamp});
  expect(routes, {}, {{0, 1, 1}}, "6@2:1");
  // With h = 3, r = 4: leaves in 4, 7, 10; used in 14.
  EngineConfig slow;
  slow.hop_cycles = 3;
  slow.ramp_cycles = 4;
  expect(routes, slow, {{0, 1, 1}}, "14@2:1");
  // Full rate whatever the latency: three in a row stay in a row.
  expect(routes, slow, {{0, 1, 3}}, "14@2:1 15@2:2 16@2:3");
}

TEST(WorkedCasesTest, QueuesOfDepthOneHalveTheRate) {
  // D = 1 and h = 1: one slot behind a link. Router 0 sends 1 in cycle 2; router 1 passes it on in 3
  // and so frees its slot in 3, which router 0 can use from 4 on. The ramp has 1 + 2 (r - 1) = 3
  // slots and does not bind: 2 leaves in 4, 3 in 6, each used 4 cycles later.
  RouteTable routes({3, 1});
  routes.set(0, kColor, {Port::kRamp, Port::kEast});
  routes.set(1, kColor, {Port::kWest, Port::kEast});
  routes.set(2, kColor, {Port::kWest, Port::kRamp});
  EngineConfig shallow;
  shallow.queue_depth = 1;
  expect(routes, shallow, {{0, 1, 3}}, "6@2:1 8@2:2 10@2:3");
}

TEST(WorkedCasesTest, TwoStreamsMergeInTurns) {
  // Rows y = 0, 1 of one column: tile 1 takes the color from the north and from its ramp and sends it
  // to the south, tile 2, which reads. Heads that want the south output of router 1:
  //   north: 11 leaves router 0 in 2, is in the queue from 3 on; 12 from 4 on; 13 from 5 on
  //   ramp : 21 from 2 on, 22 from 3 on, 23 from 4 on
  // Pointer 0 is before north (queue 7) and ramp (4 x 24 + 7).
  //   2: only 21 wants: taken, pointer behind ramp
  //   3: 11, 22: from behind ramp round to north: 11     4: 12, 22: pointer behind north: 22
  //   5: 12, 23: round to north: 12                      6: 13, 23: 23
  //   7: 13
  // Each leaves router 2 by the ramp a cycle later and can be used r = 2 after that.
  RouteTable routes({1, 3});
  routes.set(0, kColor, {Port::kRamp, Port::kSouth});
  routes.set(1, kColor, {Port::kNorth | Port::kRamp, Port::kSouth});
  routes.set(2, kColor, {Port::kNorth, Port::kRamp});
  expect(routes, {}, {{0, 11, 3}, {1, 21, 3}}, "5@2:21 6@2:11 7@2:22 8@2:12 9@2:23 10@2:13");
}

TEST(WorkedCasesTest, APointerReturnsAfterACycleWithoutWant) {
  // As above, one wavelet each: 21 leaves router 1 in 2, 11 in 3, the pointer is behind north. In 4
  // nothing wants the output: it is back at 0.
  RouteTable routes({1, 3});
  routes.set(0, kColor, {Port::kRamp, Port::kSouth});
  routes.set(1, kColor, {Port::kNorth | Port::kRamp, Port::kSouth});
  routes.set(2, kColor, {Port::kNorth, Port::kRamp});
  // 22, given in 19, leaves router 1 in 21; 12, given in 20, leaves router 0 in 22 and router 1 in 23.
  const std::vector<Stream> twice{{0, 11, 1}, {1, 21, 1}, {0, 12, 1, 20}, {1, 22, 1, 19}};
  expect(routes, {}, twice, "5@2:21 6@2:11 24@2:22 26@2:12");
  // Given so that both want in the same cycle, 23: north is first from pointer 0. With the pointer
  // where 11 left it, behind north, the ramp is first.
  const std::vector<Stream> together{{0, 11, 1}, {0, 12, 1, 20}, {1, 22, 1, 21}};
  expect(routes, {}, together, "6@2:11 26@2:12 27@2:22");
  EngineConfig plain;
  plain.arbitration = Arbitration::kPlainRoundRobin;
  expect(routes, plain, together, "6@2:11 26@2:22 27@2:12");
}

TEST(WorkedCasesTest, CopiesOfAMulticastLeaveAlone) {
  // Tile 1 of a row of three multicasts to its own ramp and to the east; its ramp is read at once, the
  // ramp of tile 2 never (depth 1: 1 + 2 (r - 1) = 3 slots).
  //   Wavelets 1, 2, 3 leave router 2 in 4, 5, 6 and fill its ramp. 4 and 5 lie in the two slots of
  //   router 2. 6 is the head of router 1 in 7: its copy to the ramp leaves in 7, the one to the
  //   east never. 7 waits behind it.
  // At tile 1: leaves in 2 + n for wavelet n + 1 .. by the ramp, used 2 later: 5, 6, .. 10. The west
  // queue: given in 0 .. by tile 0, leave router 0 in 2, 3, .., are in router 1 from 3 on.
  RouteTable routes({3, 1});
  routes.set(0, kColor, {Port::kRamp, Port::kEast});
  routes.set(1, kColor, {Port::kWest, Port::kEast | Port::kRamp});
  routes.set(2, kColor, {Port::kWest, Port::kRamp});
  EngineConfig config;
  config.receiver_depth.assign(3 * kNumColors, 200);
  config.receiver_depth[leaf_of(2, kColor)] = 1;
  expect(routes, config, {{0, 1, 9}}, "5@1:1 6@1:2 6@2:1 7@1:3 7@2:2 8@1:4 8@2:3 9@1:5 10@1:6");
}

TEST(WorkedCasesTest, ASwitchMovesAfterTheWaveletThatTellsItTo) {
  // Router 1 sends what comes from the west to its ramp, and after an advance to the east. The
  // control wavelet, data 1 = advance, is given after 10 and 11: it leaves router 1 in 5 by the ramp
  // still; the switch stands at position 1 from cycle 6 on, and 20, in router 1 from 6 on, goes east.
  RouteTable routes({3, 1});
  routes.set(0, kColor, {Port::kRamp, Port::kEast});
  ColorRoute route;
  route.position_count = 2;
  route.positions[0] = {Port::kWest, Port::kRamp};
  route.positions[1] = {Port::kWest, Port::kEast};
  routes.set(1, kColor, route);
  routes.set(2, kColor, {Port::kWest, Port::kRamp});
  expect(routes, {}, {{0, 10, 2}, {0, 1, 1, 2, true}, {0, 20, 1, 3}}, "5@1:10 6@1:11 7@1:1 9@2:20");
}

TEST(WorkedCasesTest, ACounterPassesSomeOfEach) {
  // Numbers modulo 3 of what reaches the ramp of router 1: 0, 1, 2, 0; only number 1 passes.
  RouteTable routes({2, 1});
  routes.set(0, kColor, {Port::kRamp, Port::kEast});
  ColorRoute route(Port::kWest, Port::kRamp);
  route.filter.kind = RampFilter::Kind::kCounter;
  route.filter.period = 3;
  route.filter.first = route.filter.last = 1;
  routes.set(1, kColor, route);
  // Wavelet n (from 0) leaves router 0 in 2 + n and router 1 in 3 + n.
  expect(routes, {}, {{0, 50, 6}}, "6@1:51 9@1:54");
}

}  // namespace
}  // namespace wse::fabric
