// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/channel_graph.h"

#include <cstring>

#include "wse/base/check.h"

namespace wse::fabric {
namespace {

constexpr std::uint32_t kWord = 64;
std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace

/// What a tile needs.
struct ChannelGraph::TilePlan {
  std::uint32_t channels = 0;
  bool shared = false;  ///< an output is fed by more than one channel
  std::uint32_t records() const { return channels + (shared ? 1U : 0U); }
};

ChannelGraph::ChannelGraph(RouteTable routes, const EngineConfig& config, std::uint32_t bands)
    : routes_(std::move(routes)),
      tile_begin_(routes_.mesh().tiles(), 0),
      color_offset_(std::size_t{routes_.mesh().tiles()} * kNumColors, 0) {
  place(bands);
  fill(config);
}

ChannelGraph::TilePlan ChannelGraph::plan(std::uint32_t tile) const {
  TilePlan plan;
  unsigned seen = 0;
  unsigned twice = 0;
  for (std::uint8_t color = 0; color < kNumColors; ++color) {
    const ColorRoute* route = routes_.find(tile, color);
    if (route == nullptr) continue;
    for (const Port port : kPorts) {
      if (!route->inputs().contains(port)) continue;
      ++plan.channels;
      const unsigned outputs = route->outputs_of(port).bits();
      twice |= seen & outputs;
      seen |= outputs;
    }
  }
  plan.shared = twice != 0;
  return plan;
}

void ChannelGraph::place(std::uint32_t bands) {
  const Mesh mesh = routes_.mesh();
  std::uint64_t next = 0;
  for (std::uint32_t band = 0; band < bands; ++band) {
    next = round_up(next, 2 * kWord);
    band_begin_.push_back(static_cast<std::uint32_t>(next));
    const base::Span rows = base::split(mesh.rows, bands, band);
    for (std::uint32_t tile = rows.begin * mesh.columns; tile < rows.end * mesh.columns; ++tile) {
      const TilePlan plan = this->plan(tile);
      const bool wide = plan.shared && plan.records() >= kWord;
      if (wide) {
        next = round_up(next, 2 * kWord);
      } else if (plan.shared && next % kWord + plan.records() > kWord) {
        next = round_up(next, kWord);
      }
      tile_begin_[tile] = static_cast<std::uint32_t>(next);
      next += wide ? 2 * kWord : plan.records();
    }
  }
  WSE_CHECK(next < Channel::kNone, "more channels than a 32-bit index");
  band_begin_.push_back(static_cast<std::uint32_t>(next));
  records_.resize(next);
  std::memset(static_cast<void*>(records_.data()), 0xff, records_.size() * sizeof(Record));
}

void ChannelGraph::fill(const EngineConfig& config) {
  const Mesh mesh = routes_.mesh();
  std::uint64_t slots = 0;
  // First the channels themselves, then what their outputs feed.
  for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
    const TilePlan plan = this->plan(tile);
    if (plan.channels == 0) continue;
    std::uint32_t offset = 0;
    if (plan.shared) {
      records_[tile_begin_[tile]].router = {plan.channels, 0, {}};
      offset = 1;
    }
    for (std::uint8_t color = 0; color < kNumColors; ++color) {
      color_offset_[leaf_of(tile, color)] = static_cast<std::uint8_t>(offset);
      const ColorRoute* route = routes_.find(tile, color);
      if (route == nullptr) continue;
      for (const Port port : kPorts) {
        if (!route->inputs().contains(port)) continue;
        Channel& c = records_[tile_begin_[tile] + offset].channel;
        const std::uint32_t capacity =
            port == Port::kRamp ? config.ramp_slots() : config.link_slots();
        c = {};
        for (std::uint32_t& link : c.next) link = Channel::kNone;
        c.leaf = leaf_of(tile, color);
        c.slots = static_cast<std::uint32_t>(slots);
        c.capacity = static_cast<std::uint8_t>(capacity);
        c.outputs = route->outputs_of(port, 0).bits();
        c.port = static_cast<std::uint8_t>(port);
        c.member = static_cast<std::uint8_t>(plan.shared ? offset : 0);
        if (route->filter.kind != RampFilter::Kind::kNone) c.flags |= Channel::kFiltered;
        if (route->pop != PopMode::kNever) c.flags |= Channel::kPops;
        slots += capacity;
        ++offset;
      }
    }
  }
  WSE_CHECK(slots < Channel::kNone, "more slots than a 32-bit index");
  slot_count_ = slots;
  for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
    for (std::uint8_t color = 0; color < kNumColors; ++color) {
      const ColorRoute* route = routes_.find(tile, color);
      if (route == nullptr) continue;
      std::array<std::uint32_t, 4> next;
      for (std::size_t p = 0; p < 4; ++p) {
        next[p] = route->outputs().contains(kPorts[p])
                      ? find(mesh.neighbour(tile, kPorts[p]), color, facing(kPorts[p]))
                      : Channel::kNone;
      }
      for_each_channel(leaf_of(tile, color), [&](std::uint32_t i) {
        Channel& c = records_[i].channel;
        const PortSet outputs = route->outputs_of(static_cast<Port>(c.port));
        for (std::size_t p = 0; p < 4; ++p) {
          if (outputs.contains(kPorts[p])) c.next[p] = next[p];
        }
      });
    }
  }
}

std::uint32_t ChannelGraph::first_of(std::uint32_t tile, std::uint8_t color) const {
  if (routes_.find(tile, color) == nullptr) return Channel::kNone;
  return tile_begin_[tile] + color_offset_[leaf_of(tile, color)];
}

std::uint32_t ChannelGraph::find(std::uint32_t tile, std::uint8_t color, Port port) const {
  const ColorRoute* route = routes_.find(tile, color);
  if (route == nullptr || !route->inputs().contains(port)) return Channel::kNone;
  return tile_begin_[tile] + color_offset_[leaf_of(tile, color)] + route->inputs().rank(port);
}

}  // namespace wse::fabric
