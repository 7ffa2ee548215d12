// SPDX-License-Identifier: Apache-2.0
#include "wse/power/power_map.h"

#include <fstream>

#include "csv_line.h"
#include "wse/base/config_errors.h"

namespace wse::power {
namespace {

constexpr const char* kHeader = "row,col,power_W";

/// A whole number below `end`, or `end`.
std::uint32_t index_of(const std::string& text, std::uint32_t end) {
  const std::optional<double> value = number_of(text);
  if (!value || *value < 0 || *value >= end || *value != std::floor(*value)) return end;
  return static_cast<std::uint32_t>(*value);
}

}  // namespace

std::vector<double> read_power_map(const std::string& file, std::uint32_t die_columns,
                                   std::uint32_t die_rows) {
  std::ifstream in(file);
  std::string line;
  if (!in || !std::getline(in, line))
    throw base::ConfigError("--map", file, "cannot be read or is empty");
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line != kHeader && line.rfind(std::string(kHeader) + ",", 0) != 0)
    throw base::ConfigError("--map", line, std::string("must begin with ") + kHeader, file + ":1");
  constexpr double kNotGiven = -1;
  std::vector<double> watts(std::size_t{die_columns} * die_rows, kNotGiven);
  base::ConfigErrors errors;
  bool any = false;
  for (int number = 2; std::getline(in, line); ++number) {
    if (line.empty() || line == "\r") continue;
    any = true;
    const std::string place = fmt::format("{}:{}", file, number);
    const std::vector<std::string> f = split_line(line);
    if (f.size() < 3) {
      errors.add("row", line, "must have 3 columns, row,col,power_W", place);
      continue;
    }
    const std::uint32_t row = index_of(f[0], die_rows);
    const std::uint32_t column = index_of(f[1], die_columns);
    if (row == die_rows)
      errors.add("row", f[0], fmt::format("must be 0 .. {}", die_rows - 1), place);
    if (column == die_columns)
      errors.add("col", f[1], fmt::format("must be 0 .. {}", die_columns - 1), place);
    const std::optional<double> power = number_of(f[2]);
    if (!power || *power < 0) errors.add("power_W", f[2], "must be a number of at least 0", place);
    if (row == die_rows || column == die_columns || !power) continue;
    double& to = watts[std::size_t{row} * die_columns + column];
    if (to != kNotGiven) errors.add("die", f[0] + "," + f[1], "is given twice", place);
    to = *power;
  }
  if (!any) errors.add("--map", file, "has no dies");
  errors.throw_if_any();
  for (double& w : watts) {
    if (w == kNotGiven) w = 0;
  }
  return watts;
}

}  // namespace wse::power
