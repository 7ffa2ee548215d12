// SPDX-License-Identifier: Apache-2.0
#include "wse/base/region_layout.h"

#include <algorithm>
#include <iterator>

namespace wse::base {
namespace {

std::vector<Rectangle> one_a_die(const WaferGeometry& geometry) {
  std::vector<Rectangle> regions;
  for (std::uint32_t row = 0; row < geometry.config().die_rows; ++row) {
    for (std::uint32_t column = 0; column < geometry.config().die_columns; ++column) {
      const Rectangle tiles{geometry.user_columns_of(column), geometry.user_rows_of(row)};
      if (tiles.tiles() > 0) regions.push_back(tiles);
    }
  }
  return regions;
}

std::vector<Rectangle> grid(const GeometryConfig& config, std::uint32_t columns,
                            std::uint32_t rows) {
  std::vector<Rectangle> regions;
  for (std::uint32_t row = 0; row < rows; ++row) {
    for (std::uint32_t column = 0; column < columns; ++column) {
      const Rectangle tiles{split(config.user_columns, columns, column),
                            split(config.user_rows, rows, row)};
      if (tiles.tiles() > 0) regions.push_back(tiles);
    }
  }
  return regions;
}

}  // namespace

RegionLayout::RegionLayout(const WaferGeometry& geometry, std::uint32_t columns, std::uint32_t rows)
    : regions_(columns == 0 || rows == 0 ? one_a_die(geometry)
                                         : grid(geometry.config(), columns, rows)) {
  const GeometryConfig& config = geometry.config();
  for (std::uint32_t region = 0; region < regions_.size(); ++region) {
    for (std::uint32_t row = 0; row < config.die_rows; ++row) {
      for (std::uint32_t column = 0; column < config.die_columns; ++column) {
        const Rectangle die{geometry.user_columns_of(column), geometry.user_rows_of(row)};
        const Rectangle tiles = intersect(regions_[region], die);
        if (tiles.tiles() == 0) continue;
        parts_.push_back({static_cast<std::uint32_t>(parts_.size()), region,
                          geometry.die_at(column, row), tiles});
      }
    }
  }
}

std::vector<RegionPart> RegionLayout::parts_of(std::uint32_t region) const {
  std::vector<RegionPart> own;
  std::copy_if(parts_.begin(), parts_.end(), std::back_inserter(own),
               [region](const RegionPart& part) { return part.region == region; });
  return own;
}

}  // namespace wse::base
