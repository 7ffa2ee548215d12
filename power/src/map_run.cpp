// SPDX-License-Identifier: Apache-2.0
#include "wse/power/map_run.h"

#include <cmath>

#include "wse/power/die_cells.h"
#include "wse/power/thermal_grid.h"

namespace wse::power {

std::uint64_t MapRun::steps() const {
  return transient
             ? static_cast<std::uint64_t>(std::llround(transient->seconds / transient->step_s))
             : 0;
}

void MapRun::validate(base::ConfigErrors& errors) const {
  constexpr double kMostSteps = 1e7;
  DieCells::check(columns, rows, die_columns, die_rows, "--grid", errors);
  stack.validate(errors);
  if (!transient) return;
  const double seconds = transient->seconds;
  const double step = transient->step_s;
  errors.require(step > 0 && step <= 1e6, "--dt", step, "must be a positive number of seconds");
  errors.require(seconds > 0 && seconds <= 1e9, "--transient", seconds,
                 "must be a positive number of seconds");
  if (!errors.empty()) return;
  const double count = seconds / step;
  errors.require(std::abs(count - std::round(count)) <= 1e-6 * count && std::round(count) >= 1,
                 "--transient", seconds, fmt::format("must be a multiple of --dt, {}", step));
  errors.require(count <= kMostSteps, "--transient", seconds,
                 fmt::format("must be at most {:.0f} steps of --dt", kMostSteps));
}

MapResult run_map(const MapRun& run, const std::function<void()>& every_step) {
  const DieCells cells(run.columns, run.rows, run.die_columns, run.die_rows);
  const std::vector<double> power = cells.spread(run.die_w);
  ThermalGrid grid(run.stack, run.columns, run.rows);
  MapResult result;
  const auto sample = [&](double seconds) {
    result.trace.push_back({seconds, cells.mean(grid.silicon_c()), grid.coolant_out_c()});
  };
  if (run.transient) {
    sample(0);
    for (std::uint64_t i = 1; i <= run.steps(); ++i) {
      if (every_step) every_step();
      grid.step(power, run.transient->step_s);
      sample(static_cast<double>(i) * run.transient->step_s);
    }
  } else {
    grid.steady(power);
  }
  result.cell_c = grid.silicon_c();
  result.die_c = cells.mean(result.cell_c);
  result.coolant_out_c = grid.coolant_out_c();
  result.removed_w = grid.removed_w();
  result.stored_j = grid.stored_j();
  return result;
}

}  // namespace wse::power
