// SPDX-License-Identifier: Apache-2.0
#include "wse/base/geometry.h"

#include <algorithm>

#include "wse/base/check.h"
#include "wse/base/random.h"
#include "wse/base/units.h"

namespace wse::base {
namespace {

Span shifted_into(Span fabric, std::uint32_t offset, std::uint32_t size) {
  const Span cut = intersect(fabric, {offset, offset + size});
  return cut.size() == 0 ? Span{} : Span{cut.begin - offset, cut.end - offset};
}

std::uint32_t part_of(std::uint32_t total, std::uint32_t parts, std::uint32_t i) {
  std::uint32_t part = static_cast<std::uint32_t>(std::uint64_t{i} * parts / total);
  while (!split(total, parts, part).contains(i)) ++part;
  return part;
}

}  // namespace

void GeometryConfig::validate(ConfigErrors& errors) const {
  constexpr std::uint32_t kMost = 65'536;
  const auto count = [&](std::uint32_t value, const char* path) {
    errors.require(value >= 1 && value <= kMost, path, value, "must be 1 .. 65536");
  };
  const std::size_t before = errors.violations().size();
  count(die_columns, "wafer.dies.columns");
  count(die_rows, "wafer.dies.rows");
  count(die_tiles_columns, "wafer.die.tiles.columns");
  count(die_tiles_rows, "wafer.die.tiles.rows");
  count(fabric_columns, "wafer.fabric.columns");
  count(fabric_rows, "wafer.fabric.rows");
  count(user_columns, "wafer.user.columns");
  count(user_rows, "wafer.user.rows");
  if (errors.violations().size() != before) return;
  errors.require(die_columns <= fabric_columns, "wafer.dies.columns", die_columns,
                 fmt::format("must not exceed wafer.fabric.columns ({})", fabric_columns));
  errors.require(die_rows <= fabric_rows, "wafer.dies.rows", die_rows,
                 fmt::format("must not exceed wafer.fabric.rows ({})", fabric_rows));
  errors.require(std::uint64_t{die_columns} * die_rows <= 4096, "wafer.dies.columns", die_columns,
                 "makes more than 4096 dies with wafer.dies.rows");
  const std::uint64_t built_columns = std::uint64_t{die_columns} * die_tiles_columns;
  const std::uint64_t built_rows = std::uint64_t{die_rows} * die_tiles_rows;
  errors.require(ceil_div(fabric_columns, die_columns) <= die_tiles_columns, "wafer.fabric.columns",
                 fabric_columns,
                 fmt::format("must fit the {} columns built, die by die", built_columns));
  errors.require(ceil_div(fabric_rows, die_rows) <= die_tiles_rows, "wafer.fabric.rows",
                 fabric_rows, fmt::format("must fit the {} rows built, die by die", built_rows));
  errors.require(std::uint64_t{user_x} + user_columns <= fabric_columns, "wafer.user.columns",
                 user_columns, "must lie inside wafer.fabric with its offset wafer.user.x");
  errors.require(std::uint64_t{user_y} + user_rows <= fabric_rows, "wafer.user.rows", user_rows,
                 "must lie inside wafer.fabric with its offset wafer.user.y");
  errors.require(defects <= built_columns * built_rows / 100, "wafer.defects.count", defects,
                 "must be at most 1 % of the cores built");
}

WaferGeometry::WaferGeometry(const GeometryConfig& config) : config_(config), dead_(dies()) {
  place_defects();
}

void WaferGeometry::place_defects() {
  // A defect that no spare of its row could repair would make the wafer unusable: draw again.
  Random random(config_.defect_seed);
  std::vector<std::vector<std::uint32_t>> per_row(
      dies(), std::vector<std::uint32_t>(config_.die_tiles_rows, 0));
  std::uint32_t placed = 0;
  for (std::uint32_t draw = 0; placed < config_.defects && draw < 1000 * config_.defects; ++draw) {
    const auto die = static_cast<std::uint32_t>(random.below(dies()));
    const auto core = static_cast<std::uint32_t>(random.below(tiles_per_die()));
    const std::uint32_t row = core / config_.die_tiles_columns;
    const std::uint32_t used = fabric_columns_of(die % config_.die_columns).size();
    const bool known = std::count(dead_[die].begin(), dead_[die].end(), core) != 0;
    if (known || used + per_row[die][row] + 1 > config_.die_tiles_columns) continue;
    dead_[die].push_back(core);
    ++per_row[die][row];
    ++placed;
  }
  for (auto& cores : dead_) std::sort(cores.begin(), cores.end());
}

Span WaferGeometry::fabric_columns_of(std::uint32_t die_column) const {
  return split(config_.fabric_columns, config_.die_columns, die_column);
}

Span WaferGeometry::fabric_rows_of(std::uint32_t die_row) const {
  return split(config_.fabric_rows, config_.die_rows, die_row);
}

Span WaferGeometry::user_columns_of(std::uint32_t die_column) const {
  return shifted_into(fabric_columns_of(die_column), config_.user_x, config_.user_columns);
}

Span WaferGeometry::user_rows_of(std::uint32_t die_row) const {
  return shifted_into(fabric_rows_of(die_row), config_.user_y, config_.user_rows);
}

std::uint32_t WaferGeometry::die_of_user(Coordinate user) const {
  WSE_CHECK(user.x < config_.user_columns && user.y < config_.user_rows,
            "outside the user rectangle");
  return die_at(part_of(config_.fabric_columns, config_.die_columns, user.x + config_.user_x),
                part_of(config_.fabric_rows, config_.die_rows, user.y + config_.user_y));
}

std::uint32_t WaferGeometry::core_of_user(Coordinate user) const {
  const std::uint32_t die = die_of_user(user);
  const std::uint32_t row =
      user.y + config_.user_y - fabric_rows_of(die / config_.die_columns).begin;
  std::uint32_t column =
      user.x + config_.user_x - fabric_columns_of(die % config_.die_columns).begin;
  const std::uint32_t first = row * config_.die_tiles_columns;
  for (const std::uint32_t core : dead_[die]) {
    if (core >= first && core <= first + column) ++column;
  }
  return first + column;
}

}  // namespace wse::base
