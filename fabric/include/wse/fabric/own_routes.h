// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wse/fabric/route_table.h"

namespace wse::fabric {

/// Routes and sources of a user's own, in the place of a pattern.
struct OwnRoutes {
  /// A tile that offers wavelets of a color; the colors of a tile take turns, packet by packet.
  struct Source {
    std::uint32_t tile = 0;
    std::uint8_t color = 0;
    bool advance = false;  ///< the last wavelet of a packet advances the switches that it passes
  };
  RouteTable routes{Mesh{0, 0}};
  std::vector<Source> sources;  ///< by tile
};

}  // namespace wse::fabric
