// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "wse/base/coordinates.h"

namespace wse::fabric {

/// Rows of blocks that run several cycles ahead of the rest of the mesh.
struct AheadShape {
  base::Span rows;
  bool shrinks_above = false;  ///< other rows lie above that do not move meanwhile, so that a row
  bool shrinks_below = false;  ///< less at this side can be right in each further cycle
  std::uint32_t blocks = 1;    ///< in a row
  std::uint32_t strip = 1;     ///< blocks side by side that are taken together
  std::uint32_t cycles = 1;
};

/// Some blocks of a row, in one of the cycles that are run ahead.
struct AheadPiece {
  std::uint32_t row;
  std::uint32_t first, end;  ///< blocks
  std::uint32_t cycle;       ///< from 0 on
};

/// Calls visit(piece) for all pieces of a shape, such that the neighbours of each piece have been
/// visited for the cycle before it and for none after it. Pieces that follow each other lie within a
/// few rows and a strip of blocks, so that they stay in a near cache: strips slant to the left and
/// rows upwards by one in each cycle.
template <class Visit>
void for_each_ahead(const AheadShape& shape, Visit&& visit) {
  for (std::uint32_t left = 0; left < shape.blocks + shape.cycles - 1; left += shape.strip) {
    for (std::uint32_t front = 0; front < shape.rows.size() + shape.cycles - 1; ++front) {
      for (std::uint32_t cycle = 0; cycle < shape.cycles && cycle <= front; ++cycle) {
        const std::uint32_t row = shape.rows.begin + front - cycle;
        if (shape.shrinks_above && row < shape.rows.begin + cycle) continue;
        if (row + (shape.shrinks_below ? cycle : 0) >= shape.rows.end) continue;
        const std::uint32_t first = left > cycle ? left - cycle : 0;
        const std::uint32_t end = std::min(shape.blocks, left + shape.strip - cycle);
        if (cycle < left + shape.strip && first < end) visit(AheadPiece{row, first, end, cycle});
      }
    }
  }
}

/// The pieces that two shapes left out beside the border between them, `row` being the first one
/// below it. shape.rows does not matter.
template <class Visit>
void for_each_beside(std::uint32_t row, const AheadShape& shape, Visit&& visit) {
  for (std::uint32_t left = 0; left < shape.blocks + shape.cycles - 1; left += shape.strip) {
    for (std::uint32_t cycle = 1; cycle < shape.cycles; ++cycle) {
      const std::uint32_t first = left > cycle ? left - cycle : 0;
      const std::uint32_t end = std::min(shape.blocks, left + shape.strip - cycle);
      if (cycle >= left + shape.strip || first >= end) continue;
      for (std::uint32_t r = row - cycle; r < row + cycle; ++r)
        visit(AheadPiece{r, first, end, cycle});
    }
  }
}

}  // namespace wse::fabric
