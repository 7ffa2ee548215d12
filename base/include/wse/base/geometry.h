// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wse/base/config_errors.h"
#include "wse/base/coordinates.h"

namespace wse::base {

/// Sizes of a wafer: what is built, what software sees, what a program may use. Defaults describe
/// the WSE-2 (12 x 7 dies of 66 x 154 cores; repaired mesh 757 x 996; user 750 x 994 at (4,1)).
struct GeometryConfig {
  std::uint32_t die_columns = 12;        ///< [lie2022]
  std::uint32_t die_rows = 7;            ///< [lie2022]
  std::uint32_t die_tiles_columns = 66;  ///< [lie2022] cores built in a die, eastwards
  std::uint32_t die_tiles_rows = 154;    ///< [lie2022] southwards
  std::uint32_t fabric_columns = 757;    ///< [csl-examples] repaired mesh
  std::uint32_t fabric_rows = 996;
  std::uint32_t user_columns = 750;  ///< [csl-examples] largest rectangle of a program
  std::uint32_t user_rows = 994;
  std::uint32_t user_x = 4;  ///< [csl-examples] offset of that rectangle
  std::uint32_t user_y = 1;
  std::uint32_t defects = 46;     ///< [cerebras-defects] expected dead cores of a wafer
  std::uint64_t defect_seed = 1;  ///< which cores are dead

  void validate(ConfigErrors& errors) const;
};

/// Which die holds which logical tile, and which built core stands for it.
///
/// Die (i, j) holds logical columns floor(i W / dies) .. floor((i+1) W / dies), rows likewise.
/// Repair stays inside a die: the logical row of a die shifts by one past each dead core to the
/// next spare of that row.
class WaferGeometry {
 public:
  explicit WaferGeometry(const GeometryConfig& config);

  const GeometryConfig& config() const { return config_; }
  std::uint32_t dies() const { return config_.die_columns * config_.die_rows; }
  std::uint32_t die_at(std::uint32_t column, std::uint32_t row) const {
    return row * config_.die_columns + column;
  }
  std::uint64_t tiles_per_die() const {
    return std::uint64_t{config_.die_tiles_columns} * config_.die_tiles_rows;
  }
  std::uint64_t cores_built() const { return tiles_per_die() * dies(); }
  std::uint64_t cores_fabric() const {
    return std::uint64_t{config_.fabric_columns} * config_.fabric_rows;
  }
  std::uint64_t cores_user() const {
    return std::uint64_t{config_.user_columns} * config_.user_rows;
  }

  /// Logical columns (of the whole fabric) of a column of dies; rows likewise.
  Span fabric_columns_of(std::uint32_t die_column) const;
  Span fabric_rows_of(std::uint32_t die_row) const;
  /// The same in user coordinates, cut to the user rectangle; may be empty.
  Span user_columns_of(std::uint32_t die_column) const;
  Span user_rows_of(std::uint32_t die_row) const;

  std::uint32_t die_of_user(Coordinate user) const;
  /// Index (row * columns + column) of the built core inside its die that stands for a logical
  /// tile.
  std::uint32_t core_of_user(Coordinate user) const;
  /// Dead cores of a die, as indices inside the die, ascending.
  const std::vector<std::uint32_t>& dead_cores(std::uint32_t die) const { return dead_[die]; }

 private:
  void place_defects();

  GeometryConfig config_;
  std::vector<std::vector<std::uint32_t>> dead_;
};

}  // namespace wse::base
