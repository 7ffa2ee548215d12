// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/route_table.h"

#include <algorithm>

#include "wse/base/check.h"

namespace wse::fabric {

RouteTable::RouteTable(Mesh mesh)
    : mesh_(mesh), routes_(1), index_(std::size_t{mesh.tiles()} * kNumColors) {}

std::uint16_t RouteTable::kind_of(const ColorRoute& route) {
  if (last_ != 0 && routes_[last_] == route) return last_;
  const auto it = std::find(routes_.begin() + 1, routes_.end(), route);
  if (it == routes_.end()) {
    WSE_CHECK(routes_.size() < 65536, "more than 65535 different routes");
    routes_.push_back(route);
    return static_cast<std::uint16_t>(routes_.size() - 1);
  }
  return static_cast<std::uint16_t>(it - routes_.begin());
}

void RouteTable::set(std::uint32_t tile, std::uint8_t color, const ColorRoute& route) {
  last_ = kind_of(route);
  colors_ |= std::uint32_t{1} << color;
  index_[std::size_t{tile} * kNumColors + color] = last_;
}

}  // namespace wse::fabric
