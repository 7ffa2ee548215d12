// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "wse/model/parameters.h"

namespace wse::model {

/// Share by which a tornado changes each value, down and up.
inline constexpr double kTornadoDelta = 0.2;
/// Rows of the energy table are told as `energy.KIND`.
inline constexpr const char* kEnergyPrefix = "energy.";

/// A changed value as `--set` takes it, or why there is none.
struct TornadoSide {
  std::string value;
  std::string why;

  bool possible() const { return why.empty(); }
};

/// A number of the machine or the run, and what it is changed to.
struct TornadoParameter {
  std::string path;
  std::string unit;
  std::string source;
  std::string confidence;  ///< as in the catalogue of parameters, or of the row of the energy table
  std::string text;        ///< one line
  std::string value;
  TornadoSide low;
  TornadoSide high;

  /// Published values are varied as well, but are no assumption.
  bool published() const { return confidence == "P" || confidence == "P2"; }
  /// A row of the energy table.
  bool is_energy() const { return path.rfind(kEnergyPrefix, 0) == 0; }
};

/// A parameter that is not varied.
struct TornadoSkipped {
  std::string path;
  std::string why;
};

/// Every registered parameter and every row of the energy table is in one of the two lists.
struct TornadoPlan {
  std::vector<TornadoParameter> parameters;
  std::vector<TornadoSkipped> skipped;
};

/// Whole numbers go to the allowed one nearest to 20 % away, at least to the next one. A value that
/// a rule forbids is not possible, and the rule is told.
/// @param energy_table the text of the table in force
TornadoPlan tornado_plan(const Settings& settings, const Origins& origins,
                         const std::string& energy_table);

/// The table with another energy in the row of `kind`.
std::string with_energy(const std::string& energy_table, const std::string& kind,
                        const std::string& energy);

}  // namespace wse::model
