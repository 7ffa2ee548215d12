// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "wse/power/thermal_stack.h"

namespace wse::power {

/// A constant map of power on a stack at rest at the temperature of the coolant's inlet.
struct MapRun {
  ThermalStack stack;
  std::uint32_t columns = 48, rows = 28;  ///< cells
  std::uint32_t die_columns = 12, die_rows = 7;
  std::vector<double> die_w;  ///< row by row
  /// From the start for so long, in steps of so long; else the steady state.
  struct Transient {
    double seconds = 0;
    double step_s = 0;
  };
  std::optional<Transient> transient;

  std::uint64_t steps() const;
  void validate(base::ConfigErrors& errors) const;
};

struct MapSample {
  double seconds = 0;
  std::vector<double> die_c;
  double coolant_out_c = 0;
};

struct MapResult {
  std::vector<double> die_c;   ///< mean of its cells
  std::vector<double> cell_c;  ///< silicon
  double coolant_out_c = 0;
  double removed_w = 0;  ///< into the coolant
  double stored_j = 0;
  std::vector<MapSample> trace;  ///< of a transient, from the start on
};

/// `every_step` is called in between, and may throw.
MapResult run_map(const MapRun& run, const std::function<void()>& every_step = {});

}  // namespace wse::power
