// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace wse::report {

/// The same training on several numbers of systems.
struct ScalingTable {
  std::string model;
  std::string machine;
  std::vector<nlohmann::ordered_json> runs;  ///< stats.json of each, one system first
};

/// What a run on n systems gives beside n times one system. System-seconds a token are compared, cause
/// by cause: the losses add up to 1 - efficiency. A negative loss is a gain.
struct ScalingRow {
  std::uint64_t systems = 1;
  double tokens_per_second = 0;
  double efficiency = 1;
  std::vector<std::pair<std::string, double>>
      losses;  ///< by cause, of the system-seconds; largest first
};

std::vector<ScalingRow> scaling_rows(const ScalingTable& table);

/// Key `scaling` of `wse train --json`.
nlohmann::ordered_json scaling_json(const ScalingTable& table);
std::string scaling_csv(const ScalingTable& table);
/// A line a number of systems, with what bends the curve.
std::string scaling_text(const ScalingTable& table);
/// Speed-up over systems, both logarithmic, beside the straight line.
std::string scaling_svg(const ScalingTable& table);

}  // namespace wse::report
