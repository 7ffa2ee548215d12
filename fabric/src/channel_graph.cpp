// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/channel_graph.h"

#include "member_mask.h"
#include "wse/base/check.h"

namespace wse::fabric {
namespace {

constexpr std::uint32_t kWord = 64;
constexpr std::uint32_t kWide = WideMask::kBits;
std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace

ChannelGraph::ChannelGraph(RouteTable routes, const EngineConfig& config, std::uint32_t bands)
    : routes_(std::move(routes)),
      link_records_(Record::needed(config.link_slots())),
      ramp_records_(Record::needed(config.ramp_slots())),
      tile_begin_(routes_.mesh().tiles(), 0),
      color_offset_(std::size_t{routes_.mesh().tiles()} * kNumColors, 0) {
  list_kinds();
  place(bands);
  fill(config);
}

void ChannelGraph::list_kinds() {
  kinds_.resize(routes_.kinds());
  for (std::size_t k = 1; k < kinds_.size(); ++k) {
    const ColorRoute& route = routes_.route_of(static_cast<std::uint16_t>(k));
    Kind& kind = kinds_[k];
    kind.inputs = route.inputs();
    kind.outputs = route.outputs();
    for (const Port port : kPorts) {
      kind.outputs_of[index_of(port)] = route.outputs_of(port).bits();
      kind.first_outputs[index_of(port)] = route.outputs_of(port, 0).bits();
    }
    if (route.filter.kind != RampFilter::Kind::kNone) kind.flags |= Channel::kFiltered;
    if (route.pop != PopMode::kNever) kind.flags |= Channel::kPops;
  }
}

ChannelGraph::TilePlan ChannelGraph::plan(std::uint32_t tile) const {
  TilePlan plan;
  unsigned seen = 0;
  unsigned twice = 0;
  for (std::uint8_t color = 0; color < kNumColors; ++color) {
    const std::uint16_t number = routes_.kind(tile, color);
    if (number == 0) continue;
    const Kind& kind = kinds_[number];
    for (unsigned inputs = kind.inputs.bits(); inputs != 0; inputs &= inputs - 1) {
      const auto port = static_cast<unsigned>(__builtin_ctz(inputs));
      const unsigned outputs = kind.outputs_of[port];
      plan.records += records_for(port);
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
    next = round_up(next, kWide);
    band_begin_.push_back(static_cast<std::uint32_t>(next));
    const base::Span rows = base::split(mesh.rows, bands, band);
    for (std::uint32_t tile = rows.begin * mesh.columns; tile < rows.end * mesh.columns; ++tile) {
      const TilePlan plan = this->plan(tile);
      const bool wide = plan.shared && plan.records > kWord;
      if (wide || (plan.shared && next % kWord + plan.records > kWord)) {
        next = round_up(next, wide ? kWide : kWord);
      }
      tile_begin_[tile] = static_cast<std::uint32_t>(next);
      next += wide ? kWide : plan.records;
      shares_outputs_ = shares_outputs_ || plan.shared;
      has_wide_routers_ = has_wide_routers_ || wide;
    }
  }
  WSE_CHECK(next < Channel::kNone, "more channels than a 32-bit index");
  band_begin_.push_back(static_cast<std::uint32_t>(next));
  records_ = PageArray<Record>(next);
}

void ChannelGraph::fill(const EngineConfig& config) {
  const std::uint32_t tiles = routes_.mesh().tiles();
  std::uint64_t slots = 0;
  for (std::uint32_t tile = 0; tile < tiles; ++tile) {
    const TilePlan plan = this->plan(tile);
    if (plan.records == 0) continue;
    std::uint32_t offset = 0;
    for (std::uint8_t color = 0; color < kNumColors; ++color) {
      color_offset_[leaf_of(tile, color)] = static_cast<std::uint8_t>(offset);
      const Kind& kind = this->kind(tile, color);
      for (unsigned inputs = kind.inputs.bits(); inputs != 0; inputs &= inputs - 1) {
        const auto port = static_cast<unsigned>(__builtin_ctz(inputs));
        Record& record = records_[tile_begin_[tile] + offset];
        Channel& c = record.channel;
        c.capacity = static_cast<std::uint8_t>(port == index_of(Port::kRamp) ? config.ramp_slots()
                                                                            : config.link_slots());
        c.leaf = leaf_of(tile, color);
        c.outputs = kind.first_outputs[port];
        c.member = static_cast<std::uint8_t>(offset);
        c.siblings = static_cast<std::uint8_t>(plan.shared ? plan.records : 0);
        c.input = static_cast<std::uint8_t>(port | kind.flags);
        offset += records_for(port);
        if (c.capacity > Record::kSlotsWithNext) {
          record.slots[0].store(slots, std::memory_order_relaxed);
          slots += c.capacity;
        }
      }
    }
  }
  overflow_slots_ = slots;
  for (std::uint32_t tile = 0; tile < tiles; ++tile) link(tile);
}

/// What the outputs of a tile feed.
void ChannelGraph::link(std::uint32_t tile) {
  const Mesh mesh = routes_.mesh();
  std::uint32_t neighbours[4];
  for (std::size_t p = 0; p < 4; ++p) neighbours[p] = mesh.neighbour(tile, kPorts[p]);
  for (std::uint8_t color = 0; color < kNumColors; ++color) {
    const std::uint16_t number = routes_.kind(tile, color);
    if (number == 0) continue;
    const Kind& kind = kinds_[number];
    std::uint32_t index = tile_begin_[tile] + color_offset_[leaf_of(tile, color)];
    std::uint32_t fed[4];
    for (std::size_t p = 0; p < 4; ++p) {
      fed[p] = kind.outputs.contains(kPorts[p]) ? find(neighbours[p], color, facing(kPorts[p]))
                                                : Channel::kNone;
    }
    for (unsigned inputs = kind.inputs.bits(); inputs != 0; inputs &= inputs - 1) {
      Channel& c = records_[index].channel;
      const unsigned links = kind.outputs_of[__builtin_ctz(inputs)] & 0xfU;
      if (links == 0) {
        c.next = Channel::kNone;
      } else if ((links & (links - 1)) == 0) {
        c.next = fed[__builtin_ctz(links)];
      } else {
        c.next = static_cast<std::uint32_t>(forks_.size());
        c.input |= Channel::kForks;
        forks_.push_back({{fed[0], fed[1], fed[2], fed[3]}});
      }
      index += Record::needed(c.capacity);
    }
  }
}

std::uint32_t ChannelGraph::first_of(std::uint32_t tile, std::uint8_t color) const {
  if (routes_.kind(tile, color) == 0) return Channel::kNone;
  return tile_begin_[tile] + color_offset_[leaf_of(tile, color)];
}

std::uint32_t ChannelGraph::find(std::uint32_t tile, std::uint8_t color, Port port) const {
  const PortSet inputs = kind(tile, color).inputs;
  if (!inputs.contains(port)) return Channel::kNone;
  return tile_begin_[tile] + color_offset_[leaf_of(tile, color)] +
         inputs.rank(port) * link_records_;  // the ramp comes last
}

}  // namespace wse::fabric
