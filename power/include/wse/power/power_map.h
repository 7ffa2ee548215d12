// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wse::power {

/// Reads watts by die, row by row, from a CSV file with the header `row,col,power_W`; row 0 has the
/// lowest y, dies that are not listed have none. Further columns are not read. Throws ConfigError
/// with every bad row: a die that the wafer does not have or that was given before, a power that is
/// not a number of at least 0.
std::vector<double> read_power_map(const std::string& file, std::uint32_t die_columns,
                                   std::uint32_t die_rows);

}  // namespace wse::power
