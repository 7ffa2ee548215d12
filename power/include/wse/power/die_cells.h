// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wse/base/config_errors.h"

namespace wse::power {

/// How the cells of a thermal grid lie in the dies: as many in each.
class DieCells {
 public:
  /// The grid divides the dies, see check().
  DieCells(std::uint32_t columns, std::uint32_t rows, std::uint32_t die_columns,
           std::uint32_t die_rows);
  /// A violation of `path` unless every die has the same number of whole cells, at most a million.
  static void check(std::uint32_t columns, std::uint32_t rows, std::uint32_t die_columns,
                    std::uint32_t die_rows, const std::string& path, base::ConfigErrors& errors);

  std::uint32_t cells_per_die() const { return cells_per_die_; }
  const std::vector<std::uint32_t>& die_of_cell() const { return die_of_cell_; }
  /// Power of a die in equal parts to its cells.
  std::vector<double> spread(const std::vector<double>& by_die) const;
  std::vector<double> mean(const std::vector<double>& by_cell) const;

 private:
  std::uint32_t dies_;
  std::uint32_t cells_per_die_;
  std::vector<std::uint32_t> die_of_cell_;
};

}  // namespace wse::power
