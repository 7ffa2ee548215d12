// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/tile_config.h"

namespace wse::tiles {

void TileConfig::validate(base::ConfigErrors& errors) const {
  const auto range = [&](std::uint64_t v, const char* path, std::uint64_t low, std::uint64_t high) {
    errors.require(v >= low && v <= high, path, v, fmt::format("must be {} .. {}", low, high));
  };
  range(lanes_fp16, "tile.lanes.fp16", 1, 64);
  range(lanes_mixed, "tile.lanes.mixed", 1, 64);
  range(lanes_fp32, "tile.lanes.fp32", 1, 64);
  range(vector_start_cycles, "tile.vector_start_cycles", 0, 1000);
  range(cache_bytes, "tile.cache_bytes", 0, 65'536);
  range(layer_change_cycles, "tile.layer_change_cycles", 0, 1'000'000'000'000ULL);
  range(code_bytes, "tile.code_bytes", 0, 1ULL << 30);
  range(gradient_buffers, "tile.gradient_buffers", 1, 1024);
}

}  // namespace wse::tiles
