// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "wse/base/random.h"
#include "wse/fabric/engine.h"

namespace wse::testing {

/// Cases of a test, fewer where every access of memory is checked.
constexpr std::uint64_t case_count([[maybe_unused]] std::uint64_t plain,
                                   [[maybe_unused]] std::uint64_t checked) {
#if defined(__SANITIZE_ADDRESS__)
  return checked;
#else
  return plain;
#endif
}

/// Wavelets that a compute engine gives to its ramp, one a cycle from `start` on as slots allow.
struct Stream {
  std::uint32_t tile = 0;
  base::Cycles start = 0;
  std::vector<fabric::Wavelet> wavelets;
};

/// A mesh, legal routes, streams, and compute engines that sometimes do not read: all from a seed.
struct FabricCase {
  fabric::RouteTable routes{fabric::Mesh{1, 1}};
  fabric::EngineConfig config;
  std::vector<Stream> streams;
  unsigned read_percent = 100;  ///< chance a cycle that a queue is read
  std::uint64_t seed = 0;
  base::Cycles limit = 400;  ///< cycles to run at most
};

/// Makes legal routes at random. Every color goes in at most two perpendicular directions, so that
/// no route closes; routers fork, merge and switch as they like.
class RandomRoutes {
 public:
  RandomRoutes(fabric::Mesh mesh, base::Random& random) : mesh_(mesh), random_(random) {}

  fabric::RouteTable make(unsigned colors, bool switches, bool filters) {
    using fabric::Port;
    fabric::RouteTable table(mesh_);
    for (unsigned i = 0; i < colors; ++i) {
      add_color(table, static_cast<std::uint8_t>(random_.below(fabric::kNumColors)), switches,
                filters);
    }
    return table;
  }

 private:
  bool chance(unsigned percent) { return random_.below(100) < percent; }

  void add_color(fabric::RouteTable& table, std::uint8_t color, bool switches, bool filters) {
    using fabric::Port;
    const bool east = chance(50), south = chance(50);
    const unsigned axes = static_cast<unsigned>(random_.below(3));  // both, rows only, columns only
    const unsigned fork = static_cast<unsigned>(random_.below(60)) + 20;
    const unsigned ramp_in = static_cast<unsigned>(random_.below(70)) + 5;
    const unsigned ramp_out = static_cast<unsigned>(random_.below(90)) + 5;
    const unsigned gaps = static_cast<unsigned>(random_.below(40));
    for (std::uint32_t row = 0; row < mesh_.rows; ++row) {
      for (std::uint32_t column = 0; column < mesh_.columns; ++column) {
        const std::uint32_t x = east ? column : mesh_.columns - 1 - column;
        const std::uint32_t y = south ? row : mesh_.rows - 1 - row;
        const std::uint32_t tile = mesh_.tile(x, y);
        fabric::PortSet inputs, outputs;
        for (const Port port : {Port::kNorth, Port::kEast, Port::kSouth, Port::kWest}) {
          const std::uint32_t other = mesh_.neighbour(tile, port);
          if (other == fabric::Mesh::kNone) continue;
          const bool forwards = port == (east ? Port::kEast : Port::kWest) ||
                                port == (south ? Port::kSouth : Port::kNorth);
          const bool horizontal = port == Port::kEast || port == Port::kWest;
          if (forwards) {
            if ((axes != 1 || horizontal) && (axes != 2 || !horizontal) && chance(fork)) {
              outputs = outputs | port;
            }
          } else if (pending(table, other, color, fabric::facing(port))) {
            inputs = inputs | port;
          }
        }
        if (inputs.empty() && chance(gaps)) continue;
        if (chance(ramp_in)) inputs = inputs | Port::kRamp;
        if (inputs.empty()) continue;
        if (outputs.empty() || chance(ramp_out)) outputs = outputs | Port::kRamp;
        table.set(tile, color, route(inputs, outputs, switches && chance(30), filters));
      }
    }
    repair(table, color);
  }

  static bool pending(const fabric::RouteTable& table, std::uint32_t tile, std::uint8_t color,
                      fabric::Port output) {
    const fabric::ColorRoute* route = table.find(tile, color);
    return route != nullptr && route->outputs().contains(output);
  }

  /// A color drawn twice may leave outputs that face nothing: start it anew, without the old one.
  void repair(fabric::RouteTable& table, std::uint8_t color) {
    base::ConfigErrors errors;
    fabric::check_routes(table, errors, 1);
    if (errors.empty()) return;
    fabric::RouteTable clean(mesh_);
    for (std::uint32_t tile = 0; tile < mesh_.tiles(); ++tile) {
      for (std::uint8_t c = 0; c < fabric::kNumColors; ++c) {
        if (c != color && table.find(tile, c) != nullptr) clean.set(tile, c, *table.find(tile, c));
      }
    }
    table = clean;
  }

  fabric::ColorRoute route(fabric::PortSet inputs, fabric::PortSet outputs, bool switched,
                           bool filters) {
    fabric::ColorRoute route(inputs, outputs);
    if (switched) {
      route.position_count = static_cast<std::uint8_t>(random_.below(3) + 2);
      for (std::size_t p = 0; p < route.position_count; ++p) {
        route.positions[p] = {subset(inputs), subset(outputs)};
      }
      route.positions[random_.below(route.position_count)] = {inputs, outputs};
      route.ring = chance(50);
      route.pop = static_cast<fabric::PopMode>(random_.below(3));
    }
    if (filters && chance(40) && outputs.contains(fabric::Port::kRamp)) {
      fabric::RampFilter& filter = route.filter;
      filter.kind =
          chance(50) ? fabric::RampFilter::Kind::kCounter : fabric::RampFilter::Kind::kRange;
      filter.period = static_cast<std::uint32_t>(random_.below(5) + 1);
      filter.first = static_cast<std::uint16_t>(random_.below(4));
      filter.last = static_cast<std::uint16_t>(filter.first + random_.below(4));
    }
    return route;
  }

  fabric::PortSet subset(fabric::PortSet set) {
    while (true) {
      const auto bits = static_cast<unsigned>(random_.next()) & set.bits();
      if (bits != 0) return fabric::PortSet::from_bits(bits);
    }
  }

  const fabric::Mesh mesh_;
  base::Random& random_;
};

inline FabricCase random_fabric_case(std::uint64_t seed) {
  base::Random random(seed);
  const auto chance = [&](unsigned percent) { return random.below(100) < percent; };
  const auto up_to = [&](std::uint64_t bound) {
    return static_cast<std::uint32_t>(random.below(bound)) + 1;
  };
  FabricCase c;
  c.seed = seed;
  const std::uint32_t largest = chance(5) ? 16 : chance(30) ? 8 : 4;
  const fabric::Mesh mesh{up_to(largest), up_to(largest)};
  const bool switches = chance(50);
  c.routes = RandomRoutes(mesh, random).make(chance(5) ? 24 : up_to(6), switches, chance(30));
  if (chance(30)) c.config.hop_cycles = up_to(3);
  if (chance(30)) c.config.ramp_cycles = up_to(4);
  if (chance(40)) c.config.queue_depth = up_to(4);
  if (chance(20)) c.config.arbitration = fabric::Arbitration::kPlainRoundRobin;
  if (chance(50)) {
    c.read_percent = chance(20) ? static_cast<unsigned>(random.below(30)) : 10 + up_to(90);
    for (std::uint32_t leaf = 0; leaf < mesh.tiles() * fabric::kNumColors; ++leaf) {
      c.config.receiver_depth.push_back(static_cast<std::uint8_t>(up_to(6)));
    }
  }
  const std::uint64_t spread = chance(50) ? 20 : 120;
  for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
    std::vector<std::uint8_t> colors;
    for (std::uint8_t color = 0; color < fabric::kNumColors; ++color) {
      const fabric::ColorRoute* route = c.routes.find(tile, color);
      if (route != nullptr && route->inputs().contains(fabric::Port::kRamp)) {
        colors.push_back(color);
      }
    }
    if (colors.empty()) continue;
    for (std::uint64_t n = random.below(5); n > 0; --n) {
      Stream stream{tile, random.below(spread), {}};
      const std::uint8_t color = colors[random.below(colors.size())];
      for (std::uint32_t i = up_to(5); i > 0; --i) {
        fabric::Wavelet w{static_cast<std::uint32_t>(random.next()), color, false, false};
        if (switches && chance(30)) w.control = true;
        if (switches && chance(20)) w.advance = true;
        // Teardown is rare, or nothing would arrive.
        if (w.control && !chance(5)) {
          for (unsigned k = 0; k < 16; k += 2) {
            if ((w.data >> k & 3) == 3) w.data ^= std::uint32_t{2} << k;
          }
        }
        if (chance(40)) w.data &= 0x0007ffff;
        stream.wavelets.push_back(w);
      }
      c.streams.push_back(stream);
    }
  }
  std::stable_sort(c.streams.begin(), c.streams.end(),
                   [](const Stream& a, const Stream& b) { return a.start < b.start; });
  return c;
}

/// Everything that an engine did, in an order of its own.
struct FabricLog {
  struct Entry {
    base::Cycles cycle;
    std::uint32_t leaf;
    std::uint32_t data;
    std::uint32_t flags;  ///< 0, 1 control, 2 advance, 4: a slot behind the ramp was freed
    bool operator<(const Entry& that) const {
      return std::tie(cycle, leaf, flags, data) <
             std::tie(that.cycle, that.leaf, that.flags, that.data);
    }
    bool operator==(const Entry& that) const { return !(*this < that) && !(that < *this); }
  };
  std::vector<Entry> entries;
  fabric::EngineCounts counts;
  std::uint64_t held = 0;
  base::Cycles injections = 0;  ///< sum of the cycles in which wavelets were taken
  bool idle = false;            ///< at the end nothing was held anywhere, or to be sent
};

/// Compute engines around an engine: they give what the case says and read as it says. Cycles in the
/// log count from the start of run().
class FabricDriver final : public fabric::EngineSink {
 public:
  FabricDriver(const FabricCase& c, fabric::Engine& engine) : case_(c), engine_(engine) {}

  void deliver(base::Cycles cycle, const fabric::Delivery* begin,
               const fabric::Delivery* end) override {
    for (const fabric::Delivery* d = begin; d != end; ++d) {
      log_.entries.push_back({cycle - begin_, d->leaf, d->data, d->flags});
      if (!case_.config.receiver_depth.empty()) arrivals_.push_back({cycle, d->leaf});
    }
  }
  void free_slots(base::Cycles cycle, const std::uint32_t* begin,
                  const std::uint32_t* end) override {
    for (const std::uint32_t* leaf = begin; leaf != end; ++leaf) {
      log_.entries.push_back({cycle - begin_, *leaf, 0, 4});
    }
  }

  /// Runs until nothing can move any more, or to the limit of the case.
  FabricLog run() {
    begin_ = engine_.now();
    const fabric::EngineCounts before = engine_.counts();
    queued_.assign(case_.routes.mesh().tiles() * fabric::kNumColors, 0);
    sending_.resize(case_.routes.mesh().tiles());
    std::size_t next = 0;
    while (now() < case_.limit) {
      for (; next < case_.streams.size() && case_.streams[next].start == now(); ++next) {
        const Stream& stream = case_.streams[next];
        auto& queue = sending_[stream.tile];
        queue.insert(queue.end(), stream.wavelets.begin(), stream.wavelets.end());
      }
      if (now() < case_.limit * 3 / 4) inject();  // what flows has time to arrive
      read();
      engine_.step(*this);
    }
    std::sort(log_.entries.begin(), log_.entries.end());
    log_.counts = engine_.counts();
    log_.counts.injected -= before.injected;
    log_.counts.delivered -= before.delivered;
    log_.counts.filtered -= before.filtered;
    log_.counts.hops -= before.hops;
    log_.held = engine_.held();
    const auto left = [](const auto& queue) { return !queue.empty(); };
    const auto unread = [](std::uint32_t queued) { return queued != 0; };
    log_.idle = log_.held == 0 && arrivals_.empty() &&
                std::none_of(sending_.begin(), sending_.end(), left) &&
                std::none_of(queued_.begin(), queued_.end(), unread);
    return log_;
  }

 private:
  base::Cycles now() const { return engine_.now() - begin_; }
  void inject() {
    for (std::uint32_t tile = 0; tile < sending_.size(); ++tile) {
      auto& queue = sending_[tile];
      if (queue.empty()) continue;
      const std::uint32_t source = engine_.source(tile, queue.front().color);
      if (!engine_.inject(source, queue.front())) continue;
      queue.pop_front();
      log_.injections += now() * (tile + 1);
    }
  }
  void read() {
    auto due = std::partition(arrivals_.begin(), arrivals_.end(),
                              [this](const Arrival& a) { return a.cycle > engine_.now(); });
    for (auto it = due; it != arrivals_.end(); ++it) ++queued_[it->leaf];
    arrivals_.erase(due, arrivals_.end());
    for (std::uint32_t leaf = 0; leaf < queued_.size(); ++leaf) {
      if (queued_[leaf] == 0) continue;
      base::Random dice(case_.seed ^ (now() << 20) ^ leaf);
      if (dice.below(100) >= case_.read_percent) continue;
      --queued_[leaf];
      engine_.return_credit(leaf);
    }
  }

  struct Arrival {
    base::Cycles cycle;
    std::uint32_t leaf;
  };
  const FabricCase& case_;
  fabric::Engine& engine_;
  base::Cycles begin_ = 0;
  FabricLog log_;
  std::vector<std::deque<fabric::Wavelet>> sending_;
  std::vector<Arrival> arrivals_;
  std::vector<std::uint32_t> queued_;
};

}  // namespace wse::testing
