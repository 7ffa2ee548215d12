// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/xy_fabric.h"

#include <algorithm>
#include <tuple>

#include "wse/base/check.h"
#include "wse/fabric/channel.h"

namespace wse::fabric {

namespace {
constexpr std::size_t kRamp = index_of(Port::kRamp);
constexpr std::size_t kFlushAt = 4096;  // deliveries
}  // namespace

XyFabric::XyFabric(Mesh mesh, const EngineConfig& config)
    : mesh_(mesh),
      config_(config),
      link_slots_(config.link_slots()),
      ramp_slots_(config.ramp_slots()),
      slots_a_tile_(4 * link_slots_ + ramp_slots_),
      routers_(mesh.tiles()),
      slots_(std::size_t{mesh.tiles()} * slots_a_tile_),
      destinations_(slots_.size()),
      active_(mesh.tiles()),
      next_(mesh.tiles()) {
  for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
    routers_[tile].x = static_cast<std::uint16_t>(mesh.at(tile).x);
    routers_[tile].y = static_cast<std::uint16_t>(mesh.at(tile).y);
  }
}

bool XyFabric::push(std::uint32_t tile, std::size_t input, std::uint64_t payload,
                    std::uint32_t destination, std::uint32_t latency) {
  Router& router = routers_[tile];
  const std::uint32_t slot = first_slot(tile, input) + router.tail[input];
  if ((slots_[slot] & Slot::kFull) != 0) return false;
  if (!Slot::due(slots_[slot], now_)) {
    moving_ = true;
    return false;
  }
  slots_[slot] = payload | Slot::stamp(now_ + latency);
  destinations_[slot] = destination;
  router.tail[input] = after(input, router.tail[input]);
  router.occupied = static_cast<std::uint8_t>(router.occupied | 1U << input);
  ++held_;
  moving_ = true;
  return true;
}

bool XyFabric::inject(std::uint32_t tile, std::uint32_t destination, std::uint32_t data) {
  const base::Coordinate to = mesh_.at(destination);
  if (!push(tile, kRamp, Slot::kFull | data, to.y << 16 | to.x, config_.ramp_cycles)) return false;
  active_.add(tile);
  ++counts_.injected;
  if (is_watched(tile)) events_.push_back({tile, Port::kRamp, true, {data, 0, false, false}});
  return true;
}

unsigned XyFabric::output_of(const Router& router, std::uint32_t destination) const {
  const auto x = static_cast<std::uint16_t>(destination);
  const auto y = static_cast<std::uint16_t>(destination >> 16);
  if (x != router.x) return static_cast<unsigned>(x > router.x ? Port::kEast : Port::kWest);
  if (y != router.y) return static_cast<unsigned>(y > router.y ? Port::kSouth : Port::kNorth);
  return static_cast<unsigned>(Port::kRamp);
}

void XyFabric::visit(std::uint32_t tile) {
  Router& router = routers_[tile];
  if (router.last_step != step_ - 1 && config_.arbitration == Arbitration::kRoundRobin) {
    for (std::uint8_t& pointer : router.pointer) pointer = 0;
  }
  router.last_step = step_;
  unsigned wants[kNumPorts] = {};
  for (unsigned left = router.occupied; left != 0; left &= left - 1) {
    const auto input = static_cast<unsigned>(__builtin_ctz(left));
    const std::uint32_t slot = first_slot(tile, input) + router.head[input];
    if (Slot::due(slots_[slot], now_)) {
      wants[output_of(router, destinations_[slot])] |= 1U << input;
    } else {
      moving_ = true;
    }
  }
  for (unsigned output = 0; output < kNumPorts; ++output) {
    std::uint8_t& pointer = router.pointer[output];
    if (wants[output] == 0) {
      if (config_.arbitration == Arbitration::kRoundRobin) pointer = 0;
      continue;
    }
    // Destinations do not matter to the queue behind an output: whoever comes first is taken.
    const unsigned first = wants[output] >> pointer << pointer;
    const auto input = static_cast<unsigned>(__builtin_ctz(first != 0 ? first : wants[output]));
    const std::uint32_t slot = first_slot(tile, input) + router.head[input];
    const std::uint64_t payload = slots_[slot] & Slot::kPayload;
    if (output == kRamp) {
      deliveries_.push_back({leaf_of(tile, 0), static_cast<std::uint32_t>(payload), 0});
      moving_ = true;
    } else {
      const auto port = static_cast<Port>(output);
      const std::uint32_t other = output == index_of(Port::kNorth)   ? tile - mesh_.columns
                                  : output == index_of(Port::kSouth) ? tile + mesh_.columns
                                  : output == index_of(Port::kEast)  ? tile + 1
                                                                     : tile - 1;
      if (!push(other, index_of(facing(port)), payload, destinations_[slot], config_.hop_cycles)) {
        continue;
      }
      next_.add(other);
      ++counts_.hops;
    }
    if (watching_ && is_watched(tile)) {
      const auto data = static_cast<std::uint32_t>(payload);
      events_.push_back({tile, static_cast<Port>(output), false, {data, 0, false, false}});
    }
    pointer = static_cast<std::uint8_t>(input + 1);
    const std::uint32_t latency = input == kRamp ? config_.ramp_cycles : config_.hop_cycles;
    slots_[slot] = Slot::stamp(now_ + latency);
    router.head[input] = after(input, router.head[input]);
    if ((slots_[first_slot(tile, input) + router.head[input]] & Slot::kFull) == 0) {
      router.occupied = static_cast<std::uint8_t>(router.occupied & ~(1U << input));
    }
    --held_;
  }
  if (router.occupied != 0) next_.add(tile);
}

void XyFabric::step(EngineSink& sink) {
  if (now_ - renewed_ >= Slot::kRenewEvery) renew_stamps(now_);
  moving_ = false;
  watching_ = watch_ != nullptr && watch_->watches(now_);
  if (watching_) read_watched_queues();
  const auto flush = [&] {
    counts_.delivered += deliveries_.size();
    sink.deliver(now_ + config_.ramp_cycles, deliveries_.data(),
                 deliveries_.data() + deliveries_.size());
    deliveries_.clear();
  };
  active_.take_all([&](std::size_t word, std::uint64_t bits) {
    for (; bits != 0; bits &= bits - 1) {
      visit(static_cast<std::uint32_t>(word * 64) +
            static_cast<std::uint32_t>(__builtin_ctzll(bits)));
    }
    if (deliveries_.size() >= kFlushAt) flush();
  });
  if (!deliveries_.empty()) flush();
  std::swap(active_, next_);
  if (watching_) {
    std::sort(events_.begin(), events_.end(), [](const LinkEvent& a, const LinkEvent& b) {
      return std::tie(a.tile, a.given, a.port) < std::tie(b.tile, b.given, b.port);
    });
    watch_->see(now_, watched_queues_, events_);
  }
  events_.clear();
  ++now_;
  ++step_;
}

RouteTable XyFabric::ports(Mesh mesh) {
  RouteTable table(mesh);
  for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
    PortSet ports;
    for (const Port port : kPorts) {
      if (port == Port::kRamp || mesh.neighbour(tile, port) != Mesh::kNone) ports = ports | port;
    }
    table.set(tile, 0, {ports, ports});
  }
  return table;
}

void XyFabric::read_watched_queues() {
  watched_queues_.clear();
  const base::Rectangle tiles = watch_->tiles();
  for (std::uint32_t y = tiles.rows.begin; y < tiles.rows.end; ++y) {
    for (std::uint32_t x = tiles.columns.begin; x < tiles.columns.end; ++x) {
      const std::uint32_t tile = mesh_.tile(x, y);
      for (const Port port : kPorts) {
        if (port != Port::kRamp && mesh_.neighbour(tile, port) == Mesh::kNone) continue;
        const std::uint32_t slots = port == Port::kRamp ? ramp_slots_ : link_slots_;
        QueueFill fill{tile, port, 0, 0, static_cast<std::uint8_t>(slots)};
        for (std::uint32_t i = 0; i < slots; ++i) {
          const std::uint64_t word = slots_[first_slot(tile, index_of(port)) + i];
          const bool here = (word & Slot::kFull) != 0 && Slot::due(word, now_);
          fill.wavelets = static_cast<std::uint8_t>(fill.wavelets + (here ? 1 : 0));
        }
        watched_queues_.push_back(fill);
      }
    }
  }
}

void XyFabric::skip_to(base::Cycles cycle) {
  WSE_CHECK(cycle >= now_ && !can_move(), "a fabric in motion cannot be moved on");
  if (cycle == now_) return;
  if (watch_ != nullptr && watch_->watches(now_)) {  // what the last cycle left
    read_watched_queues();
    watch_->see(now_, watched_queues_, {});
  }
  if (cycle - renewed_ >= Slot::kRenewEvery) renew_stamps(cycle);
  if (held_ == 0) ++step_;  // no output is wanted in between
  now_ = cycle;
}

/// As in ChannelFabric.
void XyFabric::renew_stamps(base::Cycles cycle) {
  const bool is_far = cycle - now_ >= Slot::kRenewEvery / 2;
  renewed_ = is_far ? cycle : now_;
  for (std::uint64_t& slot : slots_) {
    if (is_far || Slot::due(slot, now_)) slot = (slot & Slot::kPayload) | Slot::stamp(renewed_);
  }
}

std::size_t XyFabric::bytes() const {
  return routers_.size() * sizeof(Router) + slots_.size() * (sizeof(std::uint64_t) + 4);
}

}  // namespace wse::fabric
