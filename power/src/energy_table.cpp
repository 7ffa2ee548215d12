// SPDX-License-Identifier: Apache-2.0
#include "wse/power/energy_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <vector>

#include "csv_line.h"

namespace wse::power {
namespace {

constexpr const char* kHeader = "component,action,kind,energy_pj,v0,source,confidence";

std::vector<std::string> known_kinds() {
  std::vector<std::string> names{"leakage_mw", "constant_w"};
  for (std::size_t k = 0; k < base::kNumEventKinds; ++k) {
    names.emplace_back(name_of(static_cast<base::EventKind>(k)));
  }
  return names;
}

/// Kind -> (energy, v0), with every violation collected.
std::map<std::string, std::pair<double, double>> read_rows(std::istream& in,
                                                           const std::string& file,
                                                           base::ConfigErrors& errors) {
  const std::vector<std::string> known = known_kinds();
  std::map<std::string, std::pair<double, double>> rows;
  std::string line;
  for (int number = 2; std::getline(in, line); ++number) {
    if (line.empty()) continue;
    const std::string place = fmt::format("{}:{}", file, number);
    const std::vector<std::string> f = split_line(line);
    if (f.size() != 7) {
      errors.add("row", line, "must have 7 columns", place);
      continue;
    }
    if (std::find(known.begin(), known.end(), f[2]) == known.end()) {
      const std::string near = base::nearest_name(f[2], known);
      errors.add("kind", f[2], "is unknown" + (near.empty() ? "" : "; did you mean " + near + "?"),
                 place);
      continue;
    }
    const std::optional<double> energy = number_of(f[3]);
    const std::optional<double> volts = number_of(f[4]);
    if (!energy || *energy < 0) errors.add(f[2], f[3], "must be a number of at least 0", place);
    if (!volts || *volts <= 0 || *volts >= 100)
      errors.add(f[2] + ".v0", f[4], "must be a positive voltage", place);
    if (!rows.emplace(f[2], std::make_pair(energy.value_or(0), volts.value_or(0))).second) {
      errors.add("kind", f[2], "is given twice", place);
    }
  }
  return rows;
}

}  // namespace

EnergyTable EnergyTable::read(const std::string& file) {
  std::ifstream in(file);
  std::string header;
  if (!in || !std::getline(in, header)) {
    throw base::ConfigError("power.energy_table", file, "cannot be read or is empty");
  }
  if (!header.empty() && header.back() == '\r') header.pop_back();
  if (header != kHeader) {
    throw base::ConfigError("power.energy_table", header, std::string("must begin with ") + kHeader,
                            file + ":1");
  }
  base::ConfigErrors errors;
  const auto rows = read_rows(in, file, errors);
  EnergyTable table;
  const auto value = [&](const std::string& kind) {
    const auto it = rows.find(kind);
    if (it == rows.end()) {
      errors.add("kind", kind, "is missing", file);
      return 0.0;
    }
    if (table.v0_ == 0) table.v0_ = it->second.second;
    if (it->second.second != table.v0_)
      errors.add(kind + ".v0", "", "must be the same in all rows", file);
    return it->second.first;
  };
  for (std::size_t k = 0; k < base::kNumEventKinds; ++k) {
    table.joules_[k] = value(std::string(name_of(static_cast<base::EventKind>(k)))) * 1e-12;
  }
  table.leakage_w_ = value("leakage_mw") * 1e-3;
  table.constant_w_ = value("constant_w");
  errors.throw_if_any();
  return table;
}

double EnergyTable::joules(const base::EventCounts& counts) const {
  double sum = 0;
  for (std::size_t k = 0; k < base::kNumEventKinds; ++k)
    sum += static_cast<double>(counts[k]) * joules_[k];
  return sum;
}

}  // namespace wse::power
