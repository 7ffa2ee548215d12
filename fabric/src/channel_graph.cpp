// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/channel_graph.h"

#include <algorithm>

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
      port_first_(routes_.mesh().tiles()),
      ramp_colors_(routes_.mesh().tiles(), 0) {
  list_kinds();
  std::vector<TilePlan> plans;
  plans.reserve(routes_.mesh().tiles());
  for (std::uint32_t tile = 0; tile < routes_.mesh().tiles(); ++tile) plans.push_back(plan(tile));
  divide(plans, config.near_records);
  place(plans, bands);
  fill(plans, config);
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
    has_filters_ = has_filters_ || (kind.flags & Channel::kFiltered) != 0;
    if (route.pop != PopMode::kNever) kind.flags |= Channel::kPops;
  }
}

ChannelGraph::TilePlan ChannelGraph::plan(std::uint32_t tile) const {
  TilePlan plan;
  std::array<std::uint32_t, kNumPorts> channels{};
  unsigned seen = 0;
  unsigned twice = 0;
  for (std::uint32_t colors = routes_.colors(); colors != 0; colors &= colors - 1) {
    const auto color = static_cast<std::uint8_t>(__builtin_ctz(colors));
    const std::uint16_t number = routes_.kind(tile, color);
    if (number == 0) continue;
    const Kind& kind = kinds_[number];
    for (unsigned inputs = kind.inputs.bits(); inputs != 0; inputs &= inputs - 1) {
      const auto port = static_cast<unsigned>(__builtin_ctz(inputs));
      const unsigned outputs = kind.outputs_of[port];
      ++channels[port];
      twice |= seen & outputs;
      seen |= outputs;
    }
  }
  for (unsigned port = 0; port < kNumPorts; ++port) {
    const std::uint32_t each = records_for(port);
    if (each > 1) plan.records += plan.records % each;  // a queue within a cache line
    plan.first[port] = static_cast<std::uint8_t>(plan.records);
    plan.records += channels[port] * each;
  }
  plan.shared = twice != 0;
  return plan;
}

/// Finds blocks and strips. While it runs ahead, an engine uses kCyclesAhead + 1 rows of a strip, and
/// the strip slants by a block a cycle.
void ChannelGraph::divide(const std::vector<TilePlan>& plans, std::uint32_t near_records) {
  constexpr std::uint64_t kBlock = kWord;  // records at most, nearly
  const Mesh mesh = routes_.mesh();
  std::uint64_t records = 0;
  for (const TilePlan& plan : plans) records += plan.records;
  if (records <= near_records) return;
  const std::uint64_t row = (records + mesh.rows - 1) / mesh.rows;
  const std::uint64_t fit = near_records / (kCyclesAhead + 1);  // records of a row
  blocks_ = strip_ = 1;
  block_columns_ = mesh.columns;
  if (row <= fit) return;
  block_columns_ = std::max(static_cast<std::uint32_t>(kBlock * mesh.columns / row), 1U);
  blocks_ = (mesh.columns + block_columns_ - 1) / block_columns_;
  const auto wide = static_cast<std::uint32_t>(fit * blocks_ / row);
  strip_ = std::max(kCyclesAhead, wide) - kCyclesAhead + 1;
}

void ChannelGraph::place(const std::vector<TilePlan>& plans, std::uint32_t bands) {
  const Mesh mesh = routes_.mesh();
  std::uint64_t next = 0;
  for (std::uint32_t band = 0; band < bands; ++band) {
    next = round_up(next, kWide);
    band_begin_.push_back(static_cast<std::uint32_t>(next));
    const base::Span rows = base::split(mesh.rows, bands, band);
    std::uint32_t left = 0;  // columns of the block
    for (std::uint32_t tile = rows.begin * mesh.columns; tile < rows.end * mesh.columns; ++tile) {
      if (blocks_ != 0 && (left == 0 || tile % mesh.columns == 0)) {
        next = round_up(next, kWord);
        left = block_columns_;
      }
      --left;
      const TilePlan& plan = plans[tile];
      const bool wide = plan.shared && plan.records > kWord;
      if (ramp_records_ > 1) next += next % 2;
      if (wide || (plan.shared && next % kWord + plan.records > kWord)) {
        next = round_up(next, wide ? kWide : kWord);
      }
      tile_begin_[tile] = static_cast<std::uint32_t>(next);
      port_first_[tile] = plan.first;
      next += wide ? kWide : plan.records;
      shares_outputs_ = shares_outputs_ || plan.shared;
      has_wide_routers_ = has_wide_routers_ || wide;
    }
  }
  WSE_CHECK(next < Channel::kNone, "more channels than a 32-bit index");
  band_begin_.push_back(static_cast<std::uint32_t>(next));
  records_ = PageArray<Record>(next);
}

void ChannelGraph::fill(const std::vector<TilePlan>& plans, const EngineConfig& config) {
  const std::uint32_t tiles = routes_.mesh().tiles();
  std::uint64_t slots = 0;
  for (std::uint32_t tile = 0; tile < tiles; ++tile) {
    const TilePlan& plan = plans[tile];
    if (plan.records == 0) continue;
    std::array<std::uint8_t, kNumPorts> offset = plan.first;
    for (std::uint32_t colors = routes_.colors(); colors != 0; colors &= colors - 1) {
      const auto color = static_cast<std::uint8_t>(__builtin_ctz(colors));
      const Kind& kind = this->kind(tile, color);
      for (unsigned inputs = kind.inputs.bits(); inputs != 0; inputs &= inputs - 1) {
        const auto port = static_cast<unsigned>(__builtin_ctz(inputs));
        if (port == index_of(Port::kRamp)) ramp_colors_[tile] |= std::uint32_t{1} << color;
        Record& record = records_[tile_begin_[tile] + offset[port]];
        Channel& c = record.channel;
        c.capacity = static_cast<std::uint8_t>(port == index_of(Port::kRamp) ? config.ramp_slots()
                                                                             : config.link_slots());
        c.leaf = leaf_of(tile, color);
        c.next = Channel::kNone;
        c.outputs = kind.first_outputs[port];
        c.member = offset[port];
        c.siblings = static_cast<std::uint8_t>(plan.shared ? plan.records : 0);
        c.input = static_cast<std::uint8_t>(port | kind.flags);
        offset[port] = static_cast<std::uint8_t>(offset[port] + records_for(port));
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
  std::array<std::array<std::uint32_t, 4>, kNumColors> fed;
  bool any = false;
  for (std::size_t p = 0; p < 4; ++p) {
    const std::uint32_t other = routes_.mesh().neighbour(tile, kPorts[p]);
    if (other == Mesh::kNone) continue;
    const Port input = facing(kPorts[p]);
    // The channels of the neighbour's port lie in the order of their colors.
    std::uint32_t index = tile_begin_[other] + port_first_[other][index_of(input)];
    for (std::uint32_t colors = routes_.colors(); colors != 0; colors &= colors - 1) {
      const auto color = static_cast<std::uint8_t>(__builtin_ctz(colors));
      if (!kind(other, color).inputs.contains(input)) continue;
      fed[color][p] = index;
      index += link_records_;
      any = true;
    }
  }
  if (!any) return;
  std::array<std::uint32_t, kNumPorts> index;
  for (std::size_t p = 0; p < kNumPorts; ++p) index[p] = tile_begin_[tile] + port_first_[tile][p];
  for (std::uint32_t colors = routes_.colors(); colors != 0; colors &= colors - 1) {
    const auto color = static_cast<std::uint8_t>(__builtin_ctz(colors));
    const Kind& kind = this->kind(tile, color);
    for (unsigned inputs = kind.inputs.bits(); inputs != 0; inputs &= inputs - 1) {
      const auto port = static_cast<unsigned>(__builtin_ctz(inputs));
      Channel& c = records_[index[port]].channel;
      index[port] += records_for(port);
      const unsigned links = kind.outputs_of[port] & 0xfU;
      if (links == 0) continue;
      if ((links & (links - 1)) == 0) {
        c.next = fed[color][static_cast<unsigned>(__builtin_ctz(links))];
        continue;
      }
      Fork fork;
      for (unsigned p = 0; p < 4; ++p) {
        fork.next[p] = (links >> p & 1) != 0 ? fed[color][p] : Channel::kNone;
      }
      c.next = static_cast<std::uint32_t>(forks_.size());
      c.input |= Channel::kForks;
      forks_.push_back(fork);
    }
  }
}

std::uint32_t ChannelGraph::find(std::uint32_t tile, std::uint8_t color, Port port) const {
  if (!kind(tile, color).inputs.contains(port)) return Channel::kNone;
  std::uint32_t index = tile_begin_[tile] + port_first_[tile][index_of(port)];
  for (std::uint8_t c = 0; c < color; ++c) {
    if (kind(tile, c).inputs.contains(port)) index += records_for(static_cast<unsigned>(port));
  }
  return index;
}

}  // namespace wse::fabric
