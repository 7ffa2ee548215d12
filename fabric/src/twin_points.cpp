// SPDX-License-Identifier: Apache-2.0
#include "twin_points.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "wse/base/check.h"

namespace wse::fabric {

using base::Cycles;

void TwinPoints::add(std::uint32_t tile, std::unique_ptr<RouterTwin> twin) {
  WSE_CHECK(fabric_.now() == 0 && !stands_at(tile),
            "a twin after the first cycle, or a second one");
  twins_.push_back({});
  twins_.back().tile = tile;
  twins_.back().router = std::move(twin);
  const ChannelGraph& graph = fabric_.graph_;
  for (std::uint8_t color = 0; color < kNumColors; ++color) {
    graph.for_each_channel(leaf_of(tile, color), [this](std::uint32_t i) {
      fabric_.records_[i].channel.input |= Channel::kTwin;
    });
    for (const Port port : kPorts) {  // queues that it feeds
      const std::uint32_t other = graph.mesh().neighbour(tile, port);
      const ColorRoute* route = graph.routes().find(tile, color);
      if (other == Mesh::kNone || route == nullptr || !route->outputs().contains(port)) continue;
      fabric_.records_[graph.find(other, color, facing(port))].channel.input |= Channel::kTwin;
    }
  }
}

TwinPoints::Twin* TwinPoints::find(std::uint32_t tile) {
  for (Twin& twin : twins_) {
    if (twin.tile == tile) return &twin;
  }
  return nullptr;
}

const TwinPoints::Twin* TwinPoints::find(std::uint32_t tile) const {
  return const_cast<TwinPoints*>(this)->find(tile);
}

void TwinPoints::send(std::uint32_t channel, const Wavelet& wavelet, std::uint32_t latency) {
  const Channel& c = fabric_.records_[channel].channel;
  find(tile_of(c.leaf))
      ->wires[index_of(c.port())]
      .wavelets.emplace_back(fabric_.now_ + latency - 1, wavelet);
}

void TwinPoints::free_slot(std::uint32_t tile, Port output, std::uint8_t color,
                           std::uint32_t latency) {
  find(tile)->wires[index_of(output)].credits.emplace_back(fabric_.now_ + latency - 1,
                                                           std::uint32_t{1} << color);
}

void TwinPoints::step(EngineSink& sink) {
  // After a failure the clock goes on to its end: waves show the same clock of all twins.
  std::exception_ptr failure;
  const auto guard = [&failure](auto&& work) {
    try {
      work();
    } catch (const std::exception&) {
      if (failure == nullptr) failure = std::current_exception();
    }
  };
  for (Twin& twin : twins_) guard([&] { take_outputs(twin, sink); });
  for (Twin& twin : twins_) guard([&] { twin.router->clock(receive(twin)); });
  if (failure != nullptr) std::rethrow_exception(failure);
}

void TwinPoints::take_outputs(Twin& twin, EngineSink& sink) {
  const RouterPins pins = twin.router->outputs();
  bool gave = false;
  for (const Port port : kPorts) {
    const LinkPins& link = pins.links[index_of(port)];
    if (link.valid) give(twin, port, link.wavelet, sink);
    const std::uint32_t credits = pins.credits[index_of(port)];
    for (std::uint8_t color = 0; color < kNumColors; ++color) {
      if ((credits >> color & 1) != 0) pop_mirror(twin, port, color, sink);
    }
    gave = gave || link.valid || credits != 0;
  }
  twin.quiet = gave ? 0 : twin.quiet + 1;
}

/// A copy leaves a router by an output.
void TwinPoints::give(Twin& twin, Port output, const Wavelet& wavelet, EngineSink& sink) {
  ChannelFabric& f = fabric_;
  EngineCounts& counts = f.bands_.front().counts;
  ChannelFabric::TileCounts* tile_counts = f.tile_counts();
  const ColorRoute* route =
      wavelet.color < kNumColors ? f.graph_.routes().find(twin.tile, wavelet.color) : nullptr;
  if (route == nullptr || !route->outputs().contains(output)) {
    fail(twin, output, wavelet.color, "has no route there");
  }
  if (f.watching_ && f.watch_->tiles().contains(f.graph_.mesh().at(twin.tile))) {
    f.given_.push_back({twin.tile, output, false, wavelet});
  }
  if (output == Port::kRamp) {
    const Delivery delivery = Delivery::of(leaf_of(twin.tile, wavelet.color), wavelet);
    if (!f.credits_.empty() && f.credits_[delivery.leaf]-- == 0) {
      fail(twin, output, wavelet.color, "has no slot there");
    }
    sink.deliver(f.now_ + f.config_.ramp_cycles, &delivery, &delivery + 1);
    ++counts.delivered;
    if (tile_counts != nullptr) ++tile_counts[twin.tile].ramp;
    return;
  }
  const std::uint32_t other = f.graph_.mesh().neighbour(twin.tile, output);
  const std::uint32_t channel = f.graph_.find(other, wavelet.color, facing(output));
  if (!f.put(f.records_[channel], wavelet, f.now_, f.config_.hop_cycles)) {
    fail(twin, output, wavelet.color, "has no slot there");
  }
  ++counts.hops;
  if (tile_counts != nullptr) f.count_link(twin.tile, other);
  if (stands_at(other)) {
    send(channel, wavelet, f.config_.hop_cycles);
  } else {
    ChannelFabric::Band& band = f.band_of(channel);
    band.next.add(channel - band.first);
  }
}

/// A router has freed a slot of its queue.
void TwinPoints::pop_mirror(Twin& twin, Port input, std::uint8_t color, EngineSink& sink) {
  ChannelFabric& f = fabric_;
  const std::uint32_t channel = f.graph_.find(twin.tile, color, input);
  if (channel == Channel::kNone) fail(twin, input, color, "has no queue there to free a slot of");
  Record& record = f.records_[channel];
  Channel& c = record.channel;
  const std::uint64_t head = f.head_of(record);
  if ((head & Slot::kFull) == 0 || !Slot::due(head, f.now_)) {
    fail(twin, input, color, "frees a slot that is empty");
  }
  const bool ramp = input == Port::kRamp;
  const std::uint32_t latency = ramp ? f.config_.ramp_cycles : f.config_.hop_cycles;
  f.slot(record, c.head).store(Slot::stamp(f.now_ + latency), std::memory_order_relaxed);
  c.head = static_cast<std::uint8_t>(c.head + 1 == c.capacity ? 0 : c.head + 1);
  ++f.bands_.front().left;
  if (ramp) {
    sink.free_slots(f.now_, &c.leaf, &c.leaf + 1);
    return;
  }
  const std::uint32_t other = f.graph_.mesh().neighbour(twin.tile, input);
  if (stands_at(other)) free_slot(other, facing(input), color, latency);
}

RouterPins TwinPoints::receive(Twin& twin) {
  RouterPins pins;
  for (std::size_t p = 0; p < kNumPorts; ++p) {
    Wire& wire = twin.wires[p];
    if (!wire.wavelets.empty() && wire.wavelets.front().first == fabric_.now_) {
      pins.links[p] = {true, wire.wavelets.front().second};
      wire.wavelets.pop_front();
      twin.quiet = 0;
    }
    while (!wire.credits.empty() && wire.credits.front().first == fabric_.now_) {
      pins.credits[p] |= wire.credits.front().second;
      wire.credits.pop_front();
      twin.quiet = 0;
    }
  }
  return pins;
}

bool TwinPoints::can_move() const {
  return std::any_of(twins_.begin(), twins_.end(), [](const Twin& twin) {
    const bool comes = std::any_of(twin.wires.begin(), twin.wires.end(), [](const Wire& wire) {
      return !wire.wavelets.empty() || !wire.credits.empty();
    });
    return comes || twin.quiet < RouterTwin::kQuietClocks;
  });
}

void TwinPoints::fail(const Twin& twin, Port port, std::uint8_t color, const char* rule) const {
  const base::Coordinate at = fabric_.graph_.mesh().at(twin.tile);
  throw TwinError(fmt::format("cycle {}: the router at ({},{}), port {}, color {}: {}",
                              fabric_.now(), at.x, at.y, name_of(port), color, rule));
}

}  // namespace wse::fabric
