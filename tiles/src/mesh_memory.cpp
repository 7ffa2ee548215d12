// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/mesh_memory.h"

#include <cstring>

#include "wse/base/check.h"

namespace wse::tiles {

// An odd number of lines of the host's cache lies between the same bytes of two tiles.
MeshMemory::MeshMemory(fabric::Mesh mesh, std::uint32_t tile_bytes)
    : mesh_(mesh),
      tile_bytes_(tile_bytes),
      stride_((std::size_t{tile_bytes} / 64 | 1) * 64 + 128),
      bytes_(stride_ * mesh.tiles()) {}

std::vector<std::uint8_t*> MeshMemory::rows_from(std::uint32_t first) {
  std::vector<std::uint8_t*> memory;
  for (std::uint32_t tile = mesh_.tile(0, first); tile < mesh_.tiles(); ++tile) {
    memory.push_back(bytes_.data() + tile * stride_);
  }
  return memory;
}

void MeshMemory::write(std::uint32_t tile, std::uint32_t address, const void* data,
                       std::size_t bytes) {
  WSE_CHECK(tile < mesh_.tiles() && address + bytes <= tile_bytes_,
            "a write past the memory of a tile");
  if (bytes != 0) std::memcpy(bytes_.data() + tile * stride_ + address, data, bytes);
}

void MeshMemory::read(std::uint32_t tile, std::uint32_t address, void* data,
                      std::size_t bytes) const {
  WSE_CHECK(tile < mesh_.tiles() && address + bytes <= tile_bytes_,
            "a read past the memory of a tile");
  if (bytes != 0) std::memcpy(data, bytes_.data() + tile * stride_ + address, bytes);
}

}  // namespace wse::tiles
