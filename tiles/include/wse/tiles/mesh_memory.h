// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "wse/fabric/route_table.h"

namespace wse::tiles {

/// The SRAM of the tiles of a mesh, zero at first, which outlives the kernels that run on it.
class MeshMemory {
 public:
  MeshMemory(fabric::Mesh mesh, std::uint32_t tile_bytes);

  fabric::Mesh mesh() const { return mesh_; }
  /// The memories of the rows from `first` on, row by row, for a TileMesh.
  std::vector<std::uint8_t*> rows_from(std::uint32_t first);
  /// Bytes of a tile; they lie within its memory.
  void write(std::uint32_t tile, std::uint32_t address, const void* data, std::size_t bytes);
  void read(std::uint32_t tile, std::uint32_t address, void* data, std::size_t bytes) const;

 private:
  const fabric::Mesh mesh_;
  const std::uint32_t tile_bytes_;
  const std::size_t stride_;  ///< bytes from a tile to the next one
  std::vector<std::uint8_t> bytes_;
};

}  // namespace wse::tiles
