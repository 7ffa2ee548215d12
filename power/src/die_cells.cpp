// SPDX-License-Identifier: Apache-2.0
#include "wse/power/die_cells.h"

namespace wse::power {

DieCells::DieCells(std::uint32_t columns, std::uint32_t rows, std::uint32_t die_columns,
                   std::uint32_t die_rows)
    : dies_(die_columns * die_rows), cells_per_die_(columns / die_columns * (rows / die_rows)) {
  die_of_cell_.reserve(std::size_t{columns} * rows);
  for (std::uint32_t y = 0; y < rows; ++y) {
    for (std::uint32_t x = 0; x < columns; ++x) {
      die_of_cell_.push_back(y / (rows / die_rows) * die_columns + x / (columns / die_columns));
    }
  }
}

void DieCells::check(std::uint32_t columns, std::uint32_t rows, std::uint32_t die_columns,
                     std::uint32_t die_rows, const std::string& path, base::ConfigErrors& errors) {
  constexpr std::uint64_t kMost = 1'000'000;
  const bool divides =
      columns > 0 && rows > 0 && columns % die_columns == 0 && rows % die_rows == 0;
  errors.require(
      divides && std::uint64_t{columns} * rows <= kMost, path, fmt::format("{}x{}", columns, rows),
      fmt::format("must be multiples of {}x{}, columns and rows of dies, with at most {} "
                  "cells; {}x{} would do",
                  die_columns, die_rows, kMost, 4 * die_columns, 4 * die_rows));
}

std::vector<double> DieCells::spread(const std::vector<double>& by_die) const {
  std::vector<double> cells;
  cells.reserve(die_of_cell_.size());
  for (const std::uint32_t die : die_of_cell_) cells.push_back(by_die[die] / cells_per_die_);
  return cells;
}

std::vector<double> DieCells::mean(const std::vector<double>& by_cell) const {
  std::vector<double> dies(dies_, 0.0);
  for (std::size_t i = 0; i < by_cell.size(); ++i) dies[die_of_cell_[i]] += by_cell[i];
  for (double& d : dies) d /= cells_per_die_;
  return dies;
}

}  // namespace wse::power
