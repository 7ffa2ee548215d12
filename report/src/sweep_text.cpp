// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "wse/report/sweep_table.h"

namespace wse::report {
namespace {

using json = nlohmann::ordered_json;
using Column = std::vector<std::string>;  ///< the name, then a cell a row

std::string brief(const json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number()) return value.dump();
  const double number = value.get<double>();
  const double size = std::abs(number);
  return size >= 1000 && size < 1e9 ? fmt::format("{:.0f}", number) : fmt::format("{:.4g}", number);
}

/// An axis value: as given, long numbers in full.
std::string exact(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Per cent to a first value; empty where that is not defined.
std::string change(const json& value, const json& first) {
  if (!value.is_number() || !first.is_number() || first.get<double>() == 0) return "";
  const double percent = 100 * (value.get<double>() / first.get<double>() - 1);
  return fmt::format("{:+.1f} %", percent == 0 ? 0.0 : percent);
}

/// The first finished run of each model: what the others are compared with.
std::map<std::string, std::size_t> first_rows(const SweepTable& table) {
  std::map<std::string, std::size_t> first;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    if (table.rows[r].status == RunStatus::kDone) first.emplace(table.rows[r].model, r);
  }
  return first;
}

Column metric_column(const SweepTable& table, std::size_t metric) {
  const auto first = first_rows(table);
  std::vector<std::pair<std::string, std::string>> cells;  // value, per cent
  std::size_t width = 0;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    const SweepRow& row = table.rows[r];
    if (row.status != RunStatus::kDone) {
      cells.emplace_back(metric == 0 ? name_of(row.status) : "", "");
      continue;
    }
    const std::size_t base = first.at(row.model);
    cells.emplace_back(
        brief(row.results[metric]),
        base == r ? "" : change(row.results[metric], table.rows[base].results[metric]));
    width = std::max(width, cells.back().second.size());
  }
  Column column{table.metrics[metric]};
  for (const auto& [value, percent] : cells)
    column.push_back(width == 0 ? value : fmt::format("{} {:>{}}", value, percent, width));
  return column;
}

Column axis_column(const SweepTable& table, std::size_t axis) {
  Column column{table.axes[axis]};
  for (const SweepRow& row : table.rows) column.push_back(exact(row.values[axis]));
  return column;
}

std::size_t width_of(const Column& column) {
  std::size_t width = 0;
  for (const std::string& cell : column) width = std::max(width, cell.size());
  return width;
}

/// Number and Pareto mark, the model if there are several, the axes, the metrics that fit.
std::vector<Column> columns_of(const SweepTable& table, std::size_t width) {
  std::vector<Column> columns(1, Column{"run"});
  Column models{"model"};
  bool several = false;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    columns[0].push_back(fmt::format("{}{}", table.rows[r].pareto ? "* " : "", r + 1));
    models.push_back(table.rows[r].model);
    several = several || table.rows[r].model != table.rows[0].model;
  }
  if (several) columns.push_back(models);
  for (std::size_t a = 0; a < table.axes.size(); ++a) columns.push_back(axis_column(table, a));
  std::size_t used = 0;
  for (const Column& column : columns) used += width_of(column) + 2;
  for (std::size_t m = 0; m < table.metrics.size(); ++m) {
    Column column = metric_column(table, m);
    used += width_of(column) + 2;
    if (used > width && m > 0) break;
    columns.push_back(std::move(column));
  }
  return columns;
}

std::string point_of(const SweepTable& table, const SweepRow& row) {
  std::string text;
  for (std::size_t a = 0; a < table.axes.size(); ++a) {
    text +=
        fmt::format("{}{} = {}{}", text.empty() ? "" : ", ", table.axes[a], exact(row.values[a]),
                    table.units[a].empty() || table.units[a] == "1" ? "" : " " + table.units[a]);
  }
  return text.empty() ? row.model : text;
}

/// One sentence on the best run of a model by the first objective.
std::string best_of(const SweepTable& table, const std::string& model, std::size_t first) {
  const model::Objective& objective = table.objectives.front();
  std::size_t best = first;
  for (std::size_t r = first; r < table.rows.size(); ++r) {
    const SweepRow& row = table.rows[r];
    if (row.model != model || row.status != RunStatus::kDone || !row.results[0].is_number())
      continue;
    const json& value = row.results[0];
    const json& found = table.rows[best].results[0];
    if (!found.is_number() || (objective.higher ? value.get<double>() > found.get<double>()
                                                : value.get<double>() < found.get<double>()))
      best = r;
  }
  const SweepRow& row = table.rows[best];
  const std::string word = objective.higher ? "highest" : "lowest";
  const std::string percent = change(row.results[0], table.rows[first].results[0]);
  return fmt::format("{} has its {} {} with {}: {}{}.\n", model, word, objective.key,
                     point_of(table, row), brief(row.results[0]),
                     best == first ? ", and no run is better than the first"
                                   : fmt::format(" ({} to run {})", percent, first + 1));
}

}  // namespace

std::string sweep_text(const SweepTable& table, std::size_t width) {
  const std::vector<Column> columns = columns_of(table, width - 2);
  std::string text;
  for (std::size_t line = 0; line <= table.rows.size(); ++line) {
    std::string row;
    for (const Column& column : columns)
      row += fmt::format("  {:>{}}", column[line], width_of(column));
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  }
  bool starred = false;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    const SweepRow& row = table.rows[r];
    starred = starred || row.pareto;
    if (row.status == RunStatus::kFailed)
      text +=
          fmt::format("run {} failed with status {}: {}\n", r + 1, row.exit_status, row.message);
  }
  if (starred) text += "* no other run is better in one objective without being worse in another\n";
  for (const auto& [model, first] : first_rows(table)) text += best_of(table, model, first);
  return text;
}

}  // namespace wse::report
