// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "wse/base/coordinates.h"
#include "wse/fabric/port.h"

namespace wse::fabric {

/// A rectangle of routers; tiles are numbered row by row from the north-west corner.
struct Mesh {
  std::uint32_t columns = 0;
  std::uint32_t rows = 0;

  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  std::uint32_t tiles() const { return columns * rows; }
  std::uint32_t tile(std::uint32_t x, std::uint32_t y) const { return y * columns + x; }
  base::Coordinate at(std::uint32_t tile) const { return {tile % columns, tile / columns}; }
  bool contains(std::uint32_t x, std::uint32_t y) const { return x < columns && y < rows; }

  /// The tile behind a link port; kNone at an edge.
  std::uint32_t neighbour(std::uint32_t tile, Port port) const {
    switch (port) {
      case Port::kNorth:
        return tile < columns ? kNone : tile - columns;
      case Port::kEast:
        return tile % columns + 1 == columns ? kNone : tile + 1;
      case Port::kSouth:
        return tile / columns + 1 == rows ? kNone : tile + columns;
      case Port::kWest:
        return tile % columns == 0 ? kNone : tile - 1;
      case Port::kRamp:
        break;
    }
    return kNone;
  }
  friend bool operator==(Mesh a, Mesh b) { return a.columns == b.columns && a.rows == b.rows; }
};

}  // namespace wse::fabric
