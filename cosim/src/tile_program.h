// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wse/cosim/tile_rtl.h"
#include "wse/tiles/tile_twin.h"

namespace wse::cosim {

/// A configuration write of a tile.
struct TileWrite {
  TileRtl::Write kind;
  std::uint32_t address;
  std::uint32_t value;
};

/// What makes RTL run the program of a tile: code, registers, queues, timing. Throws ConfigError with
/// everything that such RTL cannot do.
std::vector<TileWrite> tile_program(const tiles::TileSetup& setup);

}  // namespace wse::cosim
