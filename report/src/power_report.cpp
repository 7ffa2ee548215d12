// SPDX-License-Identifier: Apache-2.0
#include "wse/report/power_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

#include "wse/report/page.h"

namespace wse::report {
namespace {

using json = nlohmann::ordered_json;

constexpr double kZeroC = 273.15;

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}
double mean_k(const PowerRecord& r) {
  return sum(r.result.die_c) / static_cast<double>(r.result.die_c.size()) + kZeroC;
}
std::size_t hottest(const PowerRecord& r) {
  return static_cast<std::size_t>(std::max_element(r.result.die_c.begin(), r.result.die_c.end()) -
                                  r.result.die_c.begin());
}

/// Kelvins to a hundredth of a millikelvin.
double rounded_k(double celsius) { return std::round((celsius + kZeroC) * 1e5) / 1e5; }

/// As they lie, the highest y above.
std::string picture(const PowerRecord& r) {
  std::string text;
  for (std::uint32_t row = r.run.die_rows; row-- > 0;) {
    text += fmt::format("    row {:<2} ", row);
    for (std::uint32_t column = 0; column < r.run.die_columns; ++column) {
      text += fmt::format("{:6.1f}", r.result.die_c[row * r.run.die_columns + column]);
    }
    text += "\n";
  }
  return text;
}

}  // namespace

json power_json(const PowerRecord& r) {
  json dies = json::array();
  for (std::size_t die = 0; die < r.run.die_w.size(); ++die) {
    dies.push_back({{"row", die / r.run.die_columns},
                    {"col", die % r.run.die_columns},
                    {"power_w", r.run.die_w[die]},
                    {"temperature_k", r.result.die_c[die] + kZeroC}});
  }
  json layers = json::array();
  for (const power::ThermalLayer& layer : r.run.stack.layers) {
    layers.push_back({{"name", layer.name},
                      {"thickness_m", layer.thickness_m},
                      {"conductivity_w_mk", layer.conductivity_w_mk},
                      {"heat_j_m3k", layer.heat_j_m3k},
                      {"node", layer.node}});
  }
  const auto largest = std::max_element(r.result.cell_c.begin(), r.result.cell_c.end());
  json object = {
      {"map", r.map},
      {"dies", dies},
      {"grid", {r.run.columns, r.run.rows}},
      {"wafer_power_w", sum(r.run.die_w)},
      {"temperature_k", {{"mean", mean_k(r)}, {"peak", r.result.die_c[hottest(r)] + kZeroC}}},
      {"hottest_cell_k", *largest + kZeroC},
      {"coolant_out_k", r.result.coolant_out_c + kZeroC},
      {"removed_w", r.result.removed_w},
      {"stored_j", r.result.stored_j},
      {"steps", r.run.steps()}};
  if (r.run.transient) {
    object["seconds"] = r.run.transient->seconds;
    object["dt_s"] = r.run.transient->step_s;
  }
  object["stack"] = {{"width_m", r.run.stack.width_m},
                     {"height_m", r.run.stack.height_m},
                     {"layers", layers},
                     {"convection_w_m2k", r.run.stack.convection_w_m2k},
                     {"flow_kg_s", r.run.stack.flow_kg_s},
                     {"coolant_j_kgk", r.run.stack.coolant_j_kgk},
                     {"inlet_k", r.run.stack.inlet_c + kZeroC},
                     {"coolant_warms", r.run.stack.coolant_warms}};
  object["host_cpu_seconds"] = r.host.cpu_seconds;
  object["host_seconds"] = r.host_seconds;
  object["max_rss_bytes"] = r.host.max_rss_bytes;
  return object;
}

std::string power_summary(const PowerRecord& r) {
  const std::size_t die = hottest(r);
  const std::string what =
      r.run.transient ? fmt::format("after {} s in {} steps of {} s", r.run.transient->seconds,
                                    r.run.steps(), r.run.transient->step_s)
                      : "steady state";
  return fmt::format("{}: {}, {} x {} cells\n", r.map, what, r.run.columns, r.run.rows) +
         fmt::format("  power                  {:.3f} kW\n", sum(r.run.die_w) / 1e3) +
         fmt::format(
             "  temperature            {:.2f} C mean, {:.2f} C hottest die ({},{}: row, column)\n",
             mean_k(r) - kZeroC, r.result.die_c[die], die / r.run.die_columns,
             die % r.run.die_columns) +
         fmt::format("  coolant                {:.2f} C in, {:.2f} C out{}\n", r.run.stack.inlet_c,
                     r.result.coolant_out_c,
                     r.run.stack.coolant_warms ? "" : ", the same everywhere") +
         picture(r) +
         fmt::format("  simulated in           {:.2f} s of CPU, {:.0f} MB\n", r.host.cpu_seconds,
                     static_cast<double>(r.host.max_rss_bytes) / 1e6);
}

std::string power_page(const PowerRecord& r) {
  json cells = json::array();
  for (const double c : r.result.cell_c) cells.push_back(rounded_k(c));
  // A curve has no more points than a screen.
  constexpr std::size_t kMostPoints = 1000;
  json trace = json::array();
  const std::size_t every = r.result.trace.size() / kMostPoints + 1;
  for (std::size_t i = 0; i < r.result.trace.size(); ++i) {
    if (i % every != 0 && i + 1 != r.result.trace.size()) continue;
    const power::MapSample& s = r.result.trace[i];
    const double mean = sum(s.die_c) / static_cast<double>(s.die_c.size());
    trace.push_back({s.seconds, rounded_k(mean),
                     rounded_k(*std::max_element(s.die_c.begin(), s.die_c.end())),
                     rounded_k(s.coolant_out_c)});
  }
  return page(
      "power.html",
      {{"command", r.command}, {"stats", power_json(r)}, {"cells", cells}, {"trace", trace}});
}

std::string power_dies_csv(const PowerRecord& r) {
  std::string text = "row,col,power_w,temperature_k\n";
  for (std::size_t die = 0; die < r.run.die_w.size(); ++die) {
    fmt::format_to(std::back_inserter(text), "{},{},{},{:.6f}\n", die / r.run.die_columns,
                   die % r.run.die_columns, r.run.die_w[die], r.result.die_c[die] + kZeroC);
  }
  return text;
}

std::string power_grid_csv(const PowerRecord& r) {
  std::string text;
  for (std::size_t i = 0; i < r.result.cell_c.size(); ++i) {
    fmt::format_to(std::back_inserter(text), "{:.4f}{}", r.result.cell_c[i] + kZeroC,
                   (i + 1) % r.run.columns == 0 ? "\n" : ",");
  }
  return text;
}

std::string power_trace_csv(const PowerRecord& r) {
  std::string text = "seconds,coolant_out_k";
  for (std::size_t die = 0; die < r.run.die_w.size(); ++die) {
    fmt::format_to(std::back_inserter(text), ",{}_{}", die / r.run.die_columns,
                   die % r.run.die_columns);
  }
  text += "\n";
  for (const power::MapSample& sample : r.result.trace) {
    fmt::format_to(std::back_inserter(text), "{:.9g},{:.4f}", sample.seconds,
                   sample.coolant_out_c + kZeroC);
    for (const double c : sample.die_c)
      fmt::format_to(std::back_inserter(text), ",{:.4f}", c + kZeroC);
    text += "\n";
  }
  return text;
}

}  // namespace wse::report
