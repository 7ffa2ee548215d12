// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "wse/base/config_errors.h"
#include "wse/fabric/color_route.h"
#include "wse/fabric/mesh.h"
#include "wse/fabric/page_array.h"

namespace wse::fabric {

/// The routes of all colors in all routers: for each an index into a short list of different
/// routes, 48 bytes a tile.
class RouteTable {
 public:
  explicit RouteTable(Mesh mesh);

  Mesh mesh() const { return mesh_; }
  /// Replaces what the router did with the color.
  void set(std::uint32_t tile, std::uint8_t color, const ColorRoute& route);
  /// Null where the router does not take the color.
  const ColorRoute* find(std::uint32_t tile, std::uint8_t color) const {
    const std::uint16_t index = index_[std::size_t{tile} * kNumColors + color];
    return index == 0 ? nullptr : &routes_[index];
  }
  /// Different routes are numbered from 1; 0: the router does not take the color.
  std::uint16_t kind(std::uint32_t tile, std::uint8_t color) const {
    return index_[std::size_t{tile} * kNumColors + color];
  }
  std::uint32_t colors() const { return colors_; }      ///< with a route anywhere, as bits
  std::size_t kinds() const { return routes_.size(); }  ///< with the 0
  const ColorRoute& route_of(std::uint16_t kind) const { return routes_[kind]; }

 private:
  std::uint16_t kind_of(const ColorRoute& route);

  Mesh mesh_;
  std::vector<ColorRoute> routes_;  ///< 0: none
  PageArray<std::uint16_t> index_;  ///< by tile * 24 + color
  std::uint32_t colors_ = 0;
  std::uint16_t last_ = 0;  ///< the route set last is likely the next
};

/// Adds a violation for every illegal route, at most `limit` of them: a link that leaves the mesh,
/// an output that faces a neighbour which does not take the color from that side, inputs without
/// outputs, a closed loop. Each names router, color and side.
void check_routes(const RouteTable& table, base::ConfigErrors& errors, std::size_t limit = 20);

}  // namespace wse::fabric
