// SPDX-License-Identifier: Apache-2.0
// What holds in every run, of each engine by itself: random meshes, routes, streams, stalls.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>

#include "support/fabric_case.h"
#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/flow_fabric.h"
#include "wse/fabric/reference_fabric.h"

namespace wse::fabric {
namespace {

using testing::FabricCase;
using testing::FabricDriver;
using testing::FabricLog;

constexpr std::uint64_t kCases = testing::case_count(1000, 200);

/// Calls test(case, engine, name) for each engine of many cases.
template <class Test>
void for_engines(Test&& test) {
  for (std::uint64_t seed = 20'001; seed <= 20'000 + kCases; ++seed) {
    const FabricCase c = testing::random_fabric_case(seed);
    const std::string name = fmt::format(", seed {}", seed);
    ReferenceFabric reference(c.routes, c.config);
    test(c, reference, "reference" + name);
    ChannelFabric channels(c.routes, c.config);
    test(c, channels, "channels" + name);
    FlowFabric flows(c.routes, c.config);
    test(c, flows, "flows" + name);
    if (::testing::Test::HasFailure()) return;
  }
}

template <class Holds>
bool any_route(const FabricCase& c, Holds&& holds) {
  for (std::size_t k = 1; k < c.routes.kinds(); ++k) {
    if (holds(c.routes.route_of(static_cast<std::uint16_t>(k)))) return true;
  }
  return false;
}
bool has_switches(const FabricCase& c) {
  return any_route(c, [](const ColorRoute& r) { return r.position_count > 1; });
}
bool has_control(const FabricCase& c) {
  for (const testing::Stream& stream : c.streams) {
    for (const Wavelet& w : stream.wavelets) {
      if (w.control) return true;
    }
  }
  return false;
}

/// Copies that a wavelet makes from an input of a router on, without switches.
std::uint64_t copies_from(const FabricCase& c, std::uint32_t tile, std::uint8_t color) {
  std::uint64_t sum = 0;
  const PortSet outputs = c.routes.find(tile, color)->outputs();
  for (const Port port : kPorts) {
    if (!outputs.contains(port)) continue;
    sum += port == Port::kRamp ? 1 : copies_from(c, c.routes.mesh().neighbour(tile, port), color);
  }
  return sum;
}

/// Ways from a router to a leaf, 0, 1 or 2 for several, without switches; `known` by tile.
unsigned ways(const FabricCase& c, std::uint32_t tile, std::uint32_t leaf,
              std::map<std::uint32_t, unsigned>& known) {
  const auto it = known.find(tile);
  if (it != known.end()) return it->second;
  unsigned sum = 0;
  const PortSet outputs = c.routes.find(tile, color_of(leaf))->outputs();
  for (const Port port : kPorts) {
    if (!outputs.contains(port)) continue;
    sum += port == Port::kRamp ? (tile == tile_of(leaf) ? 1 : 0)
                               : ways(c, c.routes.mesh().neighbour(tile, port), leaf, known);
  }
  return known[tile] = std::min(sum, 2U);
}

TEST(EngineInvariantsTest, EveryCopyArrivesOrIsFiltered) {
  std::uint64_t seen = 0;
  for_engines([&](const FabricCase& c, Engine& engine, const std::string& name) {
    if (has_switches(c) || has_control(c)) return;
    const FabricLog log = FabricDriver(c, engine).run();
    if (!log.idle) return;
    std::uint64_t copies = 0, wavelets = 0;
    for (const testing::Stream& stream : c.streams) {
      for (const Wavelet& w : stream.wavelets) copies += copies_from(c, stream.tile, w.color);
      wavelets += stream.wavelets.size();
    }
    EXPECT_EQ(log.counts.injected, wavelets) << name;
    EXPECT_EQ(log.counts.delivered + log.counts.filtered, copies) << name;
    seen += copies;
  });
  EXPECT_GT(seen, kCases);
}

TEST(EngineInvariantsTest, OrderIsKeptForEachColorAndPath) {
  std::uint64_t seen = 0;
  for_engines([&](const FabricCase& c, Engine& engine, const std::string& name) {
    if (has_control(c)) return;  // their data may change on the way
    // Streams of a tile are given in their order.
    std::map<std::uint32_t, std::pair<std::uint32_t, std::uint64_t>> sent;  // by data
    std::uint64_t number = 0;
    for (const testing::Stream& stream : c.streams) {
      for (const Wavelet& w : stream.wavelets) sent[w.data] = {stream.tile, number++};
    }
    if (sent.size() != number) return;  // data that is not unique
    const FabricLog log = FabricDriver(c, engine).run();
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> last;  // by leaf and source
    for (const FabricLog::Entry& entry : log.entries) {                     // by cycle
      if (entry.flags == 4) continue;
      const auto& [source, n] = sent.at(entry.data);
      std::map<std::uint32_t, unsigned> known;
      if (ways(c, source, entry.leaf, known) != 1) continue;  // copies by several ways overtake
      const auto [it, is_first] = last.emplace(std::pair(entry.leaf, source), n);
      EXPECT_TRUE(is_first || it->second < n) << name << ", leaf " << entry.leaf;
      it->second = n;
      ++seen;
    }
  });
  EXPECT_GT(seen, kCases);
}

TEST(EngineInvariantsTest, AnIdleFabricIsAsNew) {
  // All slots and credits are home and all arbiters at their start: the same traffic again does the
  // same again, cycle by cycle.
  std::uint64_t seen = 0;
  for_engines([&](const FabricCase& c, Engine& engine, const std::string& name) {
    const auto filtered = [](const ColorRoute& r) {
      return r.filter.kind != RampFilter::Kind::kNone;
    };
    if (has_switches(c) || has_control(c) || any_route(c, filtered)) return;
    if (c.config.arbitration == Arbitration::kPlainRoundRobin) return;
    const FabricLog first = FabricDriver(c, engine).run();
    if (!first.idle || engine.can_move()) return;
    // Far enough that the stamps of slots go round, now and then.
    engine.skip_to(engine.now() + (seen % 3) * (base::Cycles{1} << 28) + seen % 7);
    const FabricLog second = FabricDriver(c, engine).run();
    EXPECT_EQ(first.entries, second.entries) << name;
    EXPECT_EQ(first.counts, second.counts) << name;
    EXPECT_EQ(first.injections, second.injections) << name;
    EXPECT_TRUE(second.idle) << name;
    seen += first.entries.size();
  });
  EXPECT_GT(seen, kCases);
}

/// Of a whole mesh: no two wavelets on a link in a cycle, no queue beyond its slots.
class LinkWatch final : public RouterWatch {
 public:
  explicit LinkWatch(Mesh mesh) : tiles_{{0, mesh.columns}, {0, mesh.rows}} {}
  base::Rectangle tiles() const override { return tiles_; }
  bool watches(base::Cycles) override { return true; }
  void see(base::Cycles cycle, const std::vector<QueueFill>& queues,
           const std::vector<LinkEvent>& events) override {
    std::set<std::tuple<std::uint32_t, Port, bool>> links;
    for (const LinkEvent& e : events) {
      EXPECT_TRUE(links.insert({e.tile, e.port, e.given}).second)
          << "cycle " << cycle << " tile " << e.tile << " " << name_of(e.port);
      hops += e.port != Port::kRamp ? 1 : 0;
    }
    for (const QueueFill& q : queues) EXPECT_LE(q.wavelets, q.slots);
  }
  std::uint64_t hops = 0;

 private:
  const base::Rectangle tiles_;
};

TEST(EngineInvariantsTest, OneWaveletALinkAndCycle) {
  for (std::uint64_t seed = 30'001; seed <= 30'000 + kCases; ++seed) {
    const FabricCase c = testing::random_fabric_case(seed);
    LinkWatch watch(c.routes.mesh());
    ChannelFabric fabric(c.routes, c.config);
    fabric.set_watch(watch);
    const FabricLog log = FabricDriver(c, fabric).run();
    EXPECT_EQ(watch.hops, log.counts.hops);
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace wse::fabric
