// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wse/base/random.h"
#include "wse/tiles/tile_twin.h"

namespace wse::cosim {

/// A program for one tile, of what RTL of tiles can run, on a machine with random timing.
struct RandomTile {
  tiles::Kernel kernel{fabric::Mesh{1, 1}};
  tiles::TileSetup setup;
  /// Exponents of the numbers that it is given, as fp32 holds them: [first, first + span).
  std::uint32_t first_exponent = 0, span = 0;

  const tiles::Program& program() const { return kernel.programs.front(); }
  /// A number for its memory or queues, never a NaN.
  std::uint32_t number(base::Random& random) const;
};

/// Fills `tile`, which must stay where it is: its setup points at its kernel.
void make_random_tile(base::Random& random, RandomTile& tile);

}  // namespace wse::cosim
