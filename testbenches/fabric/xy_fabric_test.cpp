// SPDX-License-Identifier: Apache-2.0
// The network with destinations does in every cycle what a slow and plain one does.
#include "wse/fabric/xy_fabric.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <set>
#include <tuple>

#include "wse/base/random.h"
#include "wse/fabric/noc_run.h"

namespace wse::fabric {
namespace {

using base::Cycles;

/// Routers with a queue an input and credits, written down as docs/timing.md says: decisions of all
/// routers first, from the state at the start of the cycle, then what follows from them.
class PlainXy {
 public:
  PlainXy(Mesh mesh, const EngineConfig& config) : mesh_(mesh), config_(config) {
    routers_.resize(mesh.tiles());
    for (Router& router : routers_) {
      router.slots.fill(config.link_slots());
      router.slots[index_of(Port::kRamp)] = config.ramp_slots();
    }
  }

  bool inject(std::uint32_t tile, std::uint32_t destination, std::uint32_t data) {
    std::uint32_t& slots = routers_[tile].slots[index_of(Port::kRamp)];
    if (slots == 0) return false;
    --slots;
    arrivals_.push_back({now_ + config_.ramp_cycles, tile, Port::kRamp, {destination, data}});
    return true;
  }

  void step(EngineSink& sink) {
    for (auto it = arrivals_.begin(); it != arrivals_.end();) {
      if (it->cycle > now_) {
        ++it;
        continue;
      }
      routers_[it->tile].queues[index_of(it->input)].push_back(it->parcel);
      it = arrivals_.erase(it);
    }
    struct Grant {
      std::uint32_t tile;
      Port output;
      Port input;
    };
    std::vector<Grant> grants;
    for (std::uint32_t tile = 0; tile < mesh_.tiles(); ++tile) {
      Router& router = routers_[tile];
      for (const Port output : kPorts) {
        std::vector<Port> wanting;
        for (const Port input : kPorts) {
          const auto& queue = router.queues[index_of(input)];
          if (!queue.empty() && output_of(tile, queue.front().destination) == output) {
            wanting.push_back(input);
          }
        }
        std::size_t& pointer = router.pointer[index_of(output)];
        if (wanting.empty()) {
          if (config_.arbitration == Arbitration::kRoundRobin) pointer = 0;
          continue;
        }
        const bool free =
            output == Port::kRamp ||
            routers_[mesh_.neighbour(tile, output)].slots[index_of(facing(output))] > 0;
        if (!free) continue;
        const auto turn = std::min_element(wanting.begin(), wanting.end(), [&](Port a, Port b) {
          return (index_of(a) + kNumPorts - pointer) % kNumPorts <
                 (index_of(b) + kNumPorts - pointer) % kNumPorts;
        });
        pointer = (index_of(*turn) + 1) % kNumPorts;
        grants.push_back({tile, output, *turn});
      }
    }
    for (const Grant& grant : grants) {
      auto& queue = routers_[grant.tile].queues[index_of(grant.input)];
      const Parcel parcel = queue.front();
      queue.pop_front();
      const Cycles back = grant.input == Port::kRamp ? config_.ramp_cycles : config_.hop_cycles;
      credits_.push_back({now_ + back, grant.tile, grant.input, {}});
      if (grant.output == Port::kRamp) {
        const Delivery delivery{leaf_of(grant.tile, 0), parcel.data, 0};
        sink.deliver(now_ + config_.ramp_cycles, &delivery, &delivery + 1);
      } else {
        const std::uint32_t other = mesh_.neighbour(grant.tile, grant.output);
        --routers_[other].slots[index_of(facing(grant.output))];
        arrivals_.push_back({now_ + config_.hop_cycles, other, facing(grant.output), parcel});
        ++hops_;
      }
    }
    ++now_;
    for (auto it = credits_.begin(); it != credits_.end();) {
      if (it->cycle > now_) {
        ++it;
        continue;
      }
      ++routers_[it->tile].slots[index_of(it->input)];
      it = credits_.erase(it);
    }
  }
  Cycles now() const { return now_; }
  std::uint64_t hops() const { return hops_; }

 private:
  struct Parcel {
    std::uint32_t destination;
    std::uint32_t data;
  };
  struct Event {
    Cycles cycle;
    std::uint32_t tile;
    Port input;
    Parcel parcel;
  };
  struct Router {
    std::array<std::deque<Parcel>, kNumPorts> queues;
    std::array<std::uint32_t, kNumPorts> slots{};  ///< free ones behind those who feed the input
    std::array<std::size_t, kNumPorts> pointer{};
  };
  Port output_of(std::uint32_t tile, std::uint32_t destination) const {
    const base::Coordinate at = mesh_.at(tile), to = mesh_.at(destination);
    if (to.x != at.x) return to.x > at.x ? Port::kEast : Port::kWest;
    if (to.y != at.y) return to.y > at.y ? Port::kSouth : Port::kNorth;
    return Port::kRamp;
  }
  const Mesh mesh_;
  const EngineConfig config_;
  std::vector<Router> routers_;
  std::vector<Event> arrivals_, credits_;
  std::uint64_t hops_ = 0;
  Cycles now_ = 0;
};

class Log final : public EngineSink {
 public:
  void deliver(Cycles cycle, const Delivery* begin, const Delivery* end) override {
    for (const Delivery* d = begin; d != end; ++d) entries.emplace_back(cycle, d->leaf, d->data);
  }
  std::vector<std::tuple<Cycles, std::uint32_t, std::uint32_t>> entries;
};

template <class Fabric>
Log run(Fabric& fabric, Mesh mesh, std::uint64_t seed) {
  base::Random random(seed);
  const std::uint64_t rate = random.below(40) + 2;
  std::vector<std::deque<std::pair<std::uint32_t, std::uint32_t>>> backlog(mesh.tiles());
  Log log;
  for (std::uint32_t cycle = 0; cycle < 150; ++cycle) {
    for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
      if (cycle < 60 && random.below(100) < rate) {
        backlog[tile].emplace_back(random.below(mesh.tiles()), cycle << 16 | tile);
      }
      if (backlog[tile].empty()) continue;
      const auto [destination, data] = backlog[tile].front();
      if (fabric.inject(tile, destination, data)) backlog[tile].pop_front();
    }
    fabric.step(log);
  }
  std::sort(log.entries.begin(), log.entries.end());
  return log;
}

TEST(XyFabricTest, EqualsThePlainOne) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    base::Random random(seed ^ 0xabcdef);
    const Mesh mesh{static_cast<std::uint32_t>(random.below(7) + 1),
                    static_cast<std::uint32_t>(random.below(7) + 1)};
    EngineConfig config;
    if (random.below(2) == 0) config.hop_cycles = static_cast<std::uint32_t>(random.below(3) + 1);
    if (random.below(2) == 0) config.ramp_cycles = static_cast<std::uint32_t>(random.below(3) + 1);
    if (random.below(2) == 0) config.queue_depth = static_cast<std::uint32_t>(random.below(4) + 1);
    if (random.below(4) == 0) config.arbitration = Arbitration::kPlainRoundRobin;
    PlainXy plain(mesh, config);
    XyFabric fast(mesh, config);
    const Log expected = run(plain, mesh, seed);
    ASSERT_EQ(run(fast, mesh, seed).entries, expected.entries) << "seed " << seed;
    ASSERT_EQ(fast.counts().hops, plain.hops()) << "seed " << seed;
    ASSERT_GT(expected.entries.size(), 0u);
  }
}

/// Keeps all that leaves the routers of a rectangle; no two wavelets on a link in a cycle.
class EventLog final : public RouterWatch {
 public:
  explicit EventLog(const base::Rectangle& tiles) : tiles_(tiles) {}
  base::Rectangle tiles() const override { return tiles_; }
  bool watches(base::Cycles) override { return true; }
  void see(base::Cycles cycle, const std::vector<QueueFill>& queues,
           const std::vector<LinkEvent>& events) override {
    for (const LinkEvent& e : events) {
      EXPECT_TRUE(seen_.insert({cycle, e.tile, e.port, e.given}).second);
      log.push_back(
          fmt::format("{} tile {} {}{}", cycle, e.tile, e.given ? "given " : "", name_of(e.port)));
      hops += !e.given && e.port != Port::kRamp ? 1 : 0;
    }
    for (const QueueFill& q : queues) EXPECT_LE(q.wavelets, q.slots);
  }
  std::vector<std::string> log;
  std::uint64_t hops = 0;

 private:
  const base::Rectangle tiles_;
  std::set<std::tuple<base::Cycles, std::uint32_t, Port, bool>> seen_;
};

TEST(XyFabricTest, AWatchSeesAWaveletOnItsWay) {
  const Mesh mesh{3, 2};
  EventLog watch({{0, 3}, {0, 2}});
  XyFabric fabric(mesh, {});
  fabric.set_watch(watch);
  LatencyStats stats;
  EXPECT_TRUE(fabric.inject(0, 5, 0));  // from (0, 0) to (2, 1)
  while (fabric.can_move()) fabric.step(stats);
  EXPECT_EQ(watch.log,
            (std::vector<std::string>{"0 tile 0 given ramp", "2 tile 0 east", "3 tile 1 east",
                                      "4 tile 2 south", "5 tile 5 ramp"}));
}

TEST(XyFabricTest, AWatchSeesEveryHopAndChangesNothing) {
  NocConfig config;
  config.traffic.mesh = {7, 6};
  config.traffic.pattern = Pattern::kUniform;
  config.traffic.routing = Routing::kXy;
  config.traffic.rate = 0.4;
  const NocResult alone = run_noc(config);
  EventLog watch({{0, 7}, {0, 6}});
  config.watch = &watch;
  const NocResult watched = run_noc(config);
  EXPECT_EQ(watched.result_hash, alone.result_hash);
  EXPECT_EQ(watch.hops, alone.hops);
}

}  // namespace
}  // namespace wse::fabric
