// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "wse/base/host_usage.h"
#include "wse/power/map_run.h"

namespace wse::report {

/// A map of power, the temperatures that it makes, and what they took of the computer.
struct PowerRecord {
  power::MapRun run;
  power::MapResult result;
  std::string map;  ///< file
  base::HostUsage host;
  double host_seconds = 0;
  std::string command;  ///< as it was typed
};

/// The object of the command line's contract.
nlohmann::ordered_json power_json(const PowerRecord& record);
/// A few lines for a terminal, with the temperatures of the dies as they lie.
std::string power_summary(const PowerRecord& record);
/// row, col, power_w, temperature_k: one line a die.
std::string power_dies_csv(const PowerRecord& record);
/// Silicon in kelvins, a line a row of cells, that of the lowest y first.
std::string power_grid_csv(const PowerRecord& record);
/// The page of a run.
std::string power_page(const PowerRecord& record);
/// seconds, coolant_out_k and the dies by row and column: one line a step of a transient.
std::string power_trace_csv(const PowerRecord& record);

}  // namespace wse::report
