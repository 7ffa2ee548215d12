// SPDX-License-Identifier: Apache-2.0
// Synthetic traffic against counts and times worked out by hand or in closed form.
#include "wse/fabric/noc_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "wse/fabric/noc_sweep.h"
#include "wse/fabric/offers.h"

namespace wse::fabric {
namespace {

/// To the east end of the row and to the south end of the column in turn; in the last row eastwards
/// only, in the last column southwards only.
OwnRoutes two_ways(Mesh mesh) {
  OwnRoutes own;
  own.routes = RouteTable(mesh);
  for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
    for (const auto& [port, color] : {std::pair(Port::kEast, 3), std::pair(Port::kSouth, 17)}) {
      const auto c = static_cast<std::uint8_t>(color);
      const bool last = mesh.neighbour(tile, port) == Mesh::kNone;
      const bool first = mesh.neighbour(tile, facing(port)) == Mesh::kNone;
      if (last && first) continue;
      const PortSet from = last    ? PortSet(facing(port))
                           : first ? PortSet(Port::kRamp)
                                   : facing(port) | Port::kRamp;
      own.routes.set(tile, c, {from, last ? PortSet(Port::kRamp) : PortSet(port)});
      if (!last) own.sources.push_back({tile, c, false});
    }
  }
  return own;
}

NocConfig config(Pattern pattern, Mesh mesh, double rate, std::uint64_t cycles) {
  NocConfig c;
  c.traffic.pattern = pattern;
  c.traffic.mesh = mesh;
  c.traffic.rate = rate;
  c.traffic.cycles = cycles;
  if (!info_of(pattern).color) c.traffic.routing = Routing::kXy;
  if (pattern == Pattern::kRoutes) c.traffic.own = std::make_shared<OwnRoutes>(two_ways(mesh));
  return c;
}

TEST(NocRunTest, AHopIsOneCycleAndARampTwo) {
  const NocResult r = run_noc(config(Pattern::kNeighbor, {8, 4}, 0.05, 1000));
  EXPECT_EQ(r.mean_latency(), 5.0);  // two ramps and a hop
  EXPECT_EQ(r.latency_max, 5u);
  EXPECT_EQ(r.hops, r.injected);
  NocConfig slow = config(Pattern::kNeighbor, {8, 4}, 0.05, 1000);
  slow.engine.hop_cycles = 3;
  slow.engine.ramp_cycles = 4;
  EXPECT_EQ(run_noc(slow).mean_latency(), 11.0);
}

TEST(NocRunTest, AStreamOfBroadcastsHasTheClosedForm) {
  // Tile 0 gives a wavelet in each of B cycles: the last one reaches the end of the row of P tiles
  // after 2 ramps and P - 1 hops.
  const std::uint32_t tiles = 37;
  const std::uint64_t words = 100;
  const NocResult r = run_noc(config(Pattern::kRowBroadcast, {tiles, 1}, 1, words));
  EXPECT_EQ(r.cycles, (words - 1) + 4 + (tiles - 1) + 1);
  EXPECT_EQ(r.delivered, words * (tiles - 1));
  EXPECT_EQ(r.hops, words * (tiles - 1));
  EXPECT_EQ(r.latency_max, 4u + tiles - 1);
  EXPECT_DOUBLE_EQ(r.mean_latency(), 4 + tiles / 2.0);
}

TEST(NocRunTest, EveryPatternKeepsItsCounts) {
  for (const PatternInfo& info : patterns()) {
    for (const Routing routing : {Routing::kColor, Routing::kXy}) {
      if (routing == Routing::kColor ? !info.color : !info.xy) continue;
      for (const std::uint32_t packet : {1U, 3U}) {
        NocConfig c = config(info.pattern, {9, 7}, 0.1, 300);
        c.traffic.routing = routing;
        c.traffic.packet = packet;
        c.traffic.distance = 3;
        c.traffic.radius = 2;
        const NocResult r = run_noc(c);
        EXPECT_EQ(r.offered, r.injected + r.refused) << info.name;
        EXPECT_EQ(r.offered % packet, 0u) << info.name;
        EXPECT_GT(r.delivered, 0u) << info.name;
        if (info.pattern != Pattern::kRowBroadcast && info.pattern != Pattern::kColumnBroadcast &&
            info.pattern != Pattern::kHalo) {
          EXPECT_EQ(r.delivered, r.injected) << info.name;
        }
        EXPECT_EQ(r.latencies.total(), r.delivered) << info.name;
      }
    }
  }
}

TEST(NocRunTest, AHaloReachesTheTilesWithinItsRadius) {
  // In a mesh of 5 x 5 and radius 2 a tile in the middle reaches 8 tiles with its four turns; all
  // turns of all tiles together reach as many as there are pairs within distance 2 along an axis.
  NocConfig c = config(Pattern::kHalo, {5, 5}, 1, 400);
  c.traffic.radius = 2;
  const NocResult r = run_noc(c);
  // Of 4 turns in a row or column of 5: 4 + 3 pairs each way, from 4 senders each way.
  EXPECT_EQ(r.senders, 25u);
  const double copies_a_wavelet =
      static_cast<double>(r.delivered) / static_cast<double>(r.injected);
  EXPECT_NEAR(copies_a_wavelet, 7.0 / 4.0, 0.02);
  EXPECT_EQ(r.hops, r.delivered);
}

TEST(NocRunTest, SaturationIsBoundByTheLinkIntoTheHotspot) {
  // One wavelet a cycle leaves the router of the centre by the ramp.
  const NocResult r = run_noc(config(Pattern::kHotspot, {9, 9}, 0.5, 2000));
  EXPECT_GT(r.refused, 0u);
  EXPECT_GE(r.cycles, r.delivered);  // at most one a cycle
  EXPECT_NEAR(static_cast<double>(r.delivered) / static_cast<double>(r.cycles), 1.0, 0.02);
}

TEST(NocRunTest, FlowsAndThreadsGiveTheSameResult) {
  for (const PatternInfo& info : patterns()) {
    if (!info.color) continue;
    for (const double rate : {0.003, 0.05, 1.0}) {
      NocConfig c = config(info.pattern, {13, 11}, rate, 300);
      c.traffic.radius = 2;
      c.traffic.distance = 4;
      c.traffic.packet = rate == 0.05 ? 5 : 1;
      const std::string hash = run_noc(c).result_hash;
      NocConfig flow = c;
      flow.kind = EngineKind::kFlow;
      EXPECT_EQ(run_noc(flow).result_hash, hash) << info.name << " " << rate;
      NocConfig threads = c;
      threads.threads = 3;
      threads.engine.copies_a_thread = 0;
      EXPECT_EQ(run_noc(threads).result_hash, hash) << info.name << " " << rate;
      for (const std::uint32_t ramp : {1U, 2U, 3U, 5U}) {
        NocConfig ahead = c;
        ahead.engine.ramp_cycles = ramp;
        const std::string expected = run_noc(ahead).result_hash;
        ahead.engine.copies_to_run_ahead = 1;
        ahead.engine.near_records = 64;
        EXPECT_EQ(run_noc(ahead).result_hash, expected) << info.name << " " << rate << " " << ramp;
      }
    }
  }
}

TEST(NocRunTest, ThreadsThatRunAheadGiveTheSameResult) {
  for (const PatternInfo& info : patterns()) {
    if (!info.color) continue;
    for (const double rate : {0.05, 0.7}) {
      NocConfig c = config(info.pattern, {23, 70}, rate, 60);
      c.traffic.radius = 2;
      c.traffic.distance = 4;
      c.traffic.packet = rate > 0.1 ? 3 : 1;
      const std::string hash = run_noc(c).result_hash;
      c.engine.copies_to_run_ahead = 1;
      for (const std::uint32_t near : {64U, 1000U}) {
        c.engine.near_records = near;
        for (const std::uint32_t threads : {1U, 2U, 3U}) {
          if (threads == 3 && info.pattern != Pattern::kHalo) continue;  // slow on two cores
          c.threads = threads;
          EXPECT_EQ(run_noc(c).result_hash, hash)
              << info.name << " " << rate << " " << near << " " << threads;
        }
      }
    }
  }
}

TEST(NocRunTest, TheSeedDecides) {
  NocConfig c = config(Pattern::kUniform, {8, 8}, 0.05, 500);
  const std::string first = run_noc(c).result_hash;
  EXPECT_EQ(run_noc(c).result_hash, first);
  c.traffic.seed = 2;
  EXPECT_NE(run_noc(c).result_hash, first);
}

TEST(NocRunTest, LongPausesChangeNothing) {
  // Hundreds of millions of cycles between two wavelets: stamps of slots have gone round.
  for (const Routing routing : {Routing::kColor, Routing::kXy}) {
    for (const std::uint64_t seed : {3U, 4U, 5U}) {
      NocConfig c = config(Pattern::kNeighbor, {2, 1}, 3e-9, 1'000'000'000);
      c.traffic.routing = routing;
      c.traffic.seed = seed;
      const NocResult r = run_noc(c);
      EXPECT_GT(r.delivered, 0u);
      EXPECT_EQ(r.latency_max, 5u);
    }
  }
}

TEST(NocRunTest, LowLoadHasTheZeroLoadLatency) {
  // Two ramps and the mean distance of two different tiles: (2/3)(k^2 - 1)/k x k^2 / (k^2 - 1).
  const NocResult r = run_noc(config(Pattern::kUniform, {8, 8}, 0.001, 400'000));
  EXPECT_NEAR(r.mean_latency(), 4 + 2.0 * 8 / 3, 0.05);
}

TEST(NocSweepTest, TheHotspotSaturatesWhereItsRampIsFull) {
  // 80 tiles share a ramp that takes one wavelet a cycle.
  const Saturation found = find_saturation(config(Pattern::kHotspot, {9, 9}, 1, 4000));
  EXPECT_NEAR(found.rate, 1.0 / 80, 0.1 / 80);
  EXPECT_TRUE(
      std::is_sorted(found.tried.begin(), found.tried.end(),
                     [](const RatePoint& a, const RatePoint& b) { return a.rate < b.rate; }));
}

TEST(NocSweepTest, LargePacketsHaveAnIdleLatencyToo) {
  NocConfig c = config(Pattern::kNeighbor, {8, 8}, 1, 1000);
  c.traffic.packet = 1000;
  EXPECT_GT(find_saturation(c).zero_load_latency, 5);
}

TEST(NocSweepTest, NeighboursNeverSaturate) {
  const Saturation found = find_saturation(config(Pattern::kNeighbor, {8, 8}, 1, 500));
  EXPECT_EQ(found.rate, 1);
  EXPECT_EQ(found.zero_load_latency, 5);
}

TEST(NocSweepTest, RatesAreThoseAskedForAndLatencyRises) {
  const auto points = sweep_rates(config(Pattern::kUniform, {8, 8}, 1, 2000), 0.02, 0.3, 8);
  ASSERT_EQ(points.size(), 8u);
  EXPECT_DOUBLE_EQ(points.front().rate, 0.02);
  EXPECT_DOUBLE_EQ(points.back().rate, 0.3);
  for (std::size_t i = 1; i < points.size(); ++i) {
    EXPECT_GT(points[i].result.mean_latency(), points[i - 1].result.mean_latency());
  }
}

TEST(OffersTest, HaveTheirRate) {
  for (const double rate : {0.001, 0.05, 0.3, 0.9, 1.0}) {
    const base::Cycles cycles = static_cast<base::Cycles>(200'000 / rate / 100);
    Offers offers(rate, 100, 7);
    std::uint64_t count = 0;
    std::map<std::uint64_t, std::uint64_t> by_sender;
    for (; offers.cycle() < cycles; offers.next()) {
      ++count;
      ++by_sender[offers.sender()];
    }
    const double expected = rate * static_cast<double>(cycles) * 100;
    EXPECT_NEAR(static_cast<double>(count), expected, 5 * std::sqrt(expected) + 0.5) << rate;
    EXPECT_EQ(by_sender.size(), 100u);
  }
}

TEST(OffersTest, GapsAreGeometric) {
  const double p = 0.2;
  Offers offers(p, 1, 3);
  std::map<std::uint64_t, double> gaps;
  base::Cycles last = offers.cycle();
  const int draws = 100'000;
  for (int i = 0; i < draws; ++i) {
    offers.next();
    ++gaps[offers.cycle() - last];
    last = offers.cycle();
  }
  for (std::uint64_t gap = 1; gap <= 10; ++gap) {
    const double expected = draws * p * std::pow(1 - p, static_cast<double>(gap) - 1);
    EXPECT_NEAR(gaps[gap], expected, 5 * std::sqrt(expected)) << gap;
  }
}

TEST(LatencyHistogramTest, BucketsFollowEachOther) {
  for (std::size_t bucket = 0; bucket + 1 < LatencyHistogram::kBuckets; ++bucket) {
    const std::uint64_t first = LatencyHistogram::first_of(bucket);
    const std::uint64_t last = LatencyHistogram::first_of(bucket + 1) - 1;
    ASSERT_LE(first, last);
    if (last > 0xffffffff) break;
    ASSERT_EQ(LatencyHistogram::bucket_of(static_cast<std::uint32_t>(first)), bucket);
    ASSERT_EQ(LatencyHistogram::bucket_of(static_cast<std::uint32_t>(last)), bucket);
  }
  LatencyHistogram histogram;
  for (std::uint32_t i = 1; i <= 100; ++i) histogram.add(i);
  EXPECT_EQ(histogram.percentile(0.5), 50u);
  EXPECT_EQ(histogram.percentile(0.99), 99u);
}

}  // namespace
}  // namespace wse::fabric
