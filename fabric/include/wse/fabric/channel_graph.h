// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "wse/base/bits.h"
#include "wse/fabric/channel.h"
#include "wse/fabric/page_array.h"

namespace wse::fabric {

/// The routes of a mesh compiled into channels: a record for each queue that a route uses, tile by
/// tile, in a tile by port and then color, linked to the records that its outputs feed.
///
/// The channels of a router in which no output is shared stand alone. Where one is, all of them lie
/// in one word of 64 records (four of them, to itself, where it has more), so that a bitmap of
/// active records shows them together.
class ChannelGraph {
 public:
  /// Routes must have passed check_routes(). `bands` groups of rows begin at records of their own.
  ChannelGraph(RouteTable routes, const EngineConfig& config, std::uint32_t bands);

  const RouteTable& routes() const { return routes_; }
  bool shares_outputs() const { return shares_outputs_; }  ///< in any router
  bool has_filters() const { return has_filters_; }
  bool has_wide_routers() const { return has_wide_routers_; }
  Mesh mesh() const { return routes_.mesh(); }
  Record* records() { return records_.data(); }
  std::uint32_t size() const { return band_begin_.back(); }
  const std::vector<Fork>& forks() const { return forks_; }
  /// Slots of channels whose records have too few.
  std::size_t overflow_slots() const { return overflow_slots_; }
  /// Every row is divided into as many blocks of columns, each from a word of records on; 0 where
  /// all records fit into a near cache and are not divided.
  std::uint32_t blocks() const { return blocks_; }
  std::uint32_t block_columns() const { return block_columns_; }
  /// Blocks side by side of which some rows fit into a near cache together.
  std::uint32_t strip() const { return strip_; }
  std::uint32_t first_record(std::uint32_t row, std::uint32_t block) const {
    return tile_begin_[row * mesh().columns + block * block_columns_];
  }
  /// First record of each band, and the end.
  const std::vector<std::uint32_t>& band_begin() const { return band_begin_; }
  /// Cycles that some rows go ahead of others.
  static constexpr std::uint32_t kCyclesAhead = 8;

  /// The record of a queue; kNone where no route uses it.
  std::uint32_t find(std::uint32_t tile, std::uint8_t color, Port port) const;
  /// The same for the ramp, in a few instructions.
  std::uint32_t find_ramp(std::uint32_t tile, std::uint8_t color) const {
    const std::uint32_t colors = ramp_colors_[tile];
    if ((colors >> color & 1) == 0) return Channel::kNone;
    const std::uint32_t rank = base::population_count(colors & ((std::uint32_t{1} << color) - 1));
    return tile_begin_[tile] + port_first_[tile][4] + rank * ramp_records_;
  }
  /// Calls visit(record index) for the channels of a tile and color, by port.
  template <class Visit>
  void for_each_channel(std::uint32_t leaf, Visit&& visit) const {
    for (const Port port : kPorts) {
      const std::uint32_t index = find(tile_of(leaf), color_of(leaf), port);
      if (index != Channel::kNone) visit(index);
    }
  }

 private:
  /// What is asked of a route again and again.
  struct Kind {
    PortSet inputs;
    PortSet outputs;
    std::uint8_t outputs_of[kNumPorts] = {};     ///< over all positions, by input
    std::uint8_t first_outputs[kNumPorts] = {};  ///< of the first position
    std::uint8_t flags = 0;                      ///< of its channels
  };
  /// The records of a tile.
  struct TilePlan {
    std::uint32_t records = 0;
    std::array<std::uint8_t, kNumPorts> first{};  ///< of each port, from the first of the tile
    bool shared = false;                          ///< an output is fed by more than one channel
  };
  const Kind& kind(std::uint32_t tile, std::uint8_t color) const {
    return kinds_[routes_.kind(tile, color)];
  }
  std::uint32_t records_for(unsigned port) const {
    return port == static_cast<unsigned>(Port::kRamp) ? ramp_records_ : link_records_;
  }
  void list_kinds();
  TilePlan plan(std::uint32_t tile) const;
  void divide(const std::vector<TilePlan>& plans, std::uint32_t near_records);
  void place(const std::vector<TilePlan>& plans, std::uint32_t bands);
  void fill(const std::vector<TilePlan>& plans, const EngineConfig& config);
  void link(std::uint32_t tile);

  RouteTable routes_;
  const std::uint32_t link_records_, ramp_records_;  ///< for a queue
  std::vector<Kind> kinds_;
  PageArray<Record> records_;
  std::vector<std::uint32_t> tile_begin_;                        ///< first record, by tile
  std::vector<std::array<std::uint8_t, kNumPorts>> port_first_;  ///< from there, by tile
  std::vector<std::uint32_t> ramp_colors_;  ///< taken from the ramp, as bits, by tile
  std::vector<std::uint32_t> band_begin_;
  std::uint32_t blocks_ = 0;
  std::uint32_t block_columns_ = 0;
  std::uint32_t strip_ = 0;
  std::vector<Fork> forks_;
  std::size_t overflow_slots_ = 0;
  bool shares_outputs_ = false;
  bool has_wide_routers_ = false;
  bool has_filters_ = false;
};

}  // namespace wse::fabric
