// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "wse/fabric/route_table.h"

namespace wse::tiles {

/// Tiles in a row, from the root outwards, each a neighbour of the one before.
class Line {
 public:
  Line(fabric::Mesh mesh, std::vector<std::uint32_t> tiles);
  static Line row(fabric::Mesh mesh, std::uint32_t y, std::uint32_t first, std::uint32_t last);
  static Line column(fabric::Mesh mesh, std::uint32_t x, std::uint32_t first, std::uint32_t last);
  static Line snake(fabric::Mesh mesh);

  std::uint32_t size() const { return static_cast<std::uint32_t>(tiles_.size()); }
  std::uint32_t operator[](std::uint32_t i) const { return tiles_[i]; }
  fabric::Port inward(std::uint32_t i) const;   ///< of tile i, towards the root
  fabric::Port outward(std::uint32_t i) const;  ///< away from it

 private:
  fabric::Port towards(std::uint32_t from, std::uint32_t to) const;
  fabric::Mesh mesh_;
  std::vector<std::uint32_t> tiles_;
};

/// Routes by which the tiles of a line send to all of it, one after the other from the first one on, and hear
/// themselves. A router passes what comes from before its tile, then what its tile sends, to both sides,
/// then what comes from behind. Whoever has sent hands the line on by a control wavelet of kHandOn.
void route_turns(fabric::RouteTable& routes, const Line& line, std::uint8_t color);
/// The same, to those behind only.
void route_turns_forth(fabric::RouteTable& routes, const Line& line, std::uint8_t color);
inline constexpr std::uint32_t kHandOn = 1U | 1U << 2;  ///< this router and the next one advance

/// From each tile of the first row down its column, to all tiles behind it.
void route_down(fabric::RouteTable& routes, fabric::Mesh mesh, std::uint8_t color);

/// The first tile of a line has a message for each other, in their order: a router takes the first that
/// reaches it and passes what comes behind. The last wavelet of each carries the advance flag.
void route_scatter(fabric::RouteTable& routes, const Line& line, std::uint8_t color);
/// All others send a message to the first, in their order. The same flag ends each.
void route_gather(fabric::RouteTable& routes, const Line& line, std::uint8_t color);

/// Ranks of the tiles of a line in a ring, and the routes from each rank to the next one.
class LineRing {
 public:
  /// 0, 2, 4, .. and back over the odd ones: ranks that follow each other are at most two hops apart.
  /// Four colors: two in turn outwards, two back.
  static LineRing folded(const Line& line, std::uint8_t colors);
  /// 0, 1, 2, .. and all the way back. Three colors: two in turn, one back.
  static LineRing wrapped(const Line& line, std::uint8_t colors);

  std::uint32_t size() const { return static_cast<std::uint32_t>(order_.size()); }
  /// Place on the line of a rank, modulo the size.
  std::uint32_t place(std::uint32_t rank) const { return order_[rank % size()]; }
  std::uint32_t rank(std::uint32_t place) const { return ranks_[place]; }
  /// Of what a rank sends to the next one, and of what it receives from the one before.
  std::uint8_t sends(std::uint32_t rank) const { return sends_[rank % size()]; }
  std::uint8_t receives(std::uint32_t rank) const { return sends(rank + size() - 1); }
  /// From every rank to the next one.
  void route(fabric::RouteTable& routes) const;

 private:
  LineRing(const Line& line, std::vector<std::uint32_t> order, std::vector<std::uint8_t> sends);
  void route(fabric::RouteTable& routes, std::uint32_t rank) const;

  const Line line_;
  const std::vector<std::uint32_t> order_;  ///< places by rank
  const std::vector<std::uint8_t> sends_;   ///< colors by rank
  std::vector<std::uint32_t> ranks_;        ///< by place
};

}  // namespace wse::tiles
