// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "wse/tiles/compute_config.h"
#include "wse/tiles/kernel.h"
#include "wse/tiles/memory_map.h"

namespace wse::tiles {

/// Activations of the tiles of a mesh, fp32; where it says so, a row that stands for the lanes lies
/// before the mesh. A map places the arrays of the tiles; those of row 0 begin at 0.
struct ColumnShape {
  fabric::Mesh mesh{1, 1};
  std::uint32_t tokens = 8;    ///< of a tile
  std::uint32_t features = 8;  ///< of a tile
};

/// Words of row 0 to all tiles of their column: "source" to "result". Time: words + rows.
Kernel broadcast_down(fabric::Mesh mesh, std::uint32_t words, const MemoryMap& map);

/// Different words for each tile of the column, in the order of rows: "source", rows x words, to
/// "result". Time: words x rows.
Kernel scatter_down(fabric::Mesh mesh, std::uint32_t words, const MemoryMap& map);

/// Words "source" of the first row of the mesh to "result" in row 0. Time: words.
Kernel lift_first_row(fabric::Mesh mesh, std::uint32_t words, const MemoryMap& map);

/// y += b[feature]: row 0 sends "bias", a number a feature, down the columns; each starts an addition
/// over the tokens. Time: features x (tokens / lanes + 1).
Kernel add_bias(const ColumnShape& shape, const MemoryMap& map);

/// The sums of "dy" over all tokens of the column, up to "sums" in row 0, each row adding its own. Features
/// go in parts that fit beside the datapath. Time: features x (tokens / lanes + 2) + rows.
Kernel sum_tokens(const ColumnShape& shape, const ComputeConfig& config, const MemoryMap& map);

/// "y" = "a" + "b", feature by feature, without row 0; y may be one of them. Time: features x tokens / lanes.
Kernel add_activations(const ColumnShape& shape, const MemoryMap& map);

}  // namespace wse::tiles
