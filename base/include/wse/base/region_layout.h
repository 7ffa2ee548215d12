// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "wse/base/geometry.h"

namespace wse::base {

/// The piece of a region that lies on one die. Everything is accounted by die, however the wafer is
/// cut.
struct RegionPart {
  std::uint32_t index = 0;  ///< over the whole wafer
  std::uint32_t region = 0;
  std::uint32_t die = 0;
  Rectangle tiles;  ///< in user coordinates
};

/// A cut of the user rectangle into regions: one a die (columns = rows = 0), or a grid of
/// rectangles.
class RegionLayout {
 public:
  RegionLayout(const WaferGeometry& geometry, std::uint32_t columns, std::uint32_t rows);

  std::uint32_t regions() const { return static_cast<std::uint32_t>(regions_.size()); }
  const Rectangle& region(std::uint32_t i) const { return regions_[i]; }
  const std::vector<RegionPart>& parts() const { return parts_; }
  std::vector<RegionPart> parts_of(std::uint32_t region) const;

 private:
  std::vector<Rectangle> regions_;
  std::vector<RegionPart> parts_;
};

}  // namespace wse::base
