// SPDX-License-Identifier: Apache-2.0
#include "wse/report/sweep_table.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include "wse/base/check.h"

namespace wse::report {
namespace {

using json = nlohmann::ordered_json;

/// Objectives of a row, the higher the better; nothing unless all are numbers.
std::optional<std::vector<double>> merits(const SweepTable& table, const SweepRow& row) {
  std::vector<double> values;
  if (row.status != RunStatus::kDone) return std::nullopt;
  for (const model::Objective& objective : table.objectives) {
    const auto metric = std::find(table.metrics.begin(), table.metrics.end(), objective.key);
    WSE_CHECK(metric != table.metrics.end(), "an objective is a metric");
    const json& value = row.results[static_cast<std::size_t>(metric - table.metrics.begin())];
    if (!value.is_number()) return std::nullopt;
    values.push_back(objective.higher ? value.get<double>() : -value.get<double>());
  }
  return values;
}

bool dominates(const std::vector<double>& a, const std::vector<double>& b) {
  bool better = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] < b[i]) return false;
    better = better || a[i] > b[i];
  }
  return better;
}

std::string csv_cell(const json& value) {
  if (value.is_null()) return "";
  if (!value.is_string()) return value.dump();
  const std::string& text = value.get_ref<const std::string&>();
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

std::string name_of(RunStatus status) {
  switch (status) {
    case RunStatus::kMissing:
      return "missing";
    case RunStatus::kDone:
      return "done";
    case RunStatus::kFailed:
      return "failed";
  }
  return "";
}

void mark_pareto(SweepTable& table) {
  using Candidate = std::pair<std::vector<double>, SweepRow*>;
  std::map<std::string, std::vector<Candidate>> by_model;
  for (SweepRow& row : table.rows) {
    row.pareto = false;
    if (auto values = merits(table, row)) by_model[row.model].emplace_back(*values, &row);
  }
  for (auto& [model, candidates] : by_model) {
    // Best first: what comes later beats nothing that came before.
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.first > b.first; });
    std::vector<std::vector<double>> front;
    for (const Candidate& candidate : candidates) {
      const std::vector<double>& values = candidate.first;
      SweepRow* const row = candidate.second;
      row->pareto = std::none_of(front.begin(), front.end(),
                                 [&](const auto& other) { return dominates(other, values); });
      if (row->pareto) front.push_back(values);
    }
  }
}

std::string sweep_csv(const SweepTable& table) {
  std::string csv = "model";
  for (const std::string& axis : table.axes) csv += "," + csv_cell(axis);
  for (const std::string& metric : table.metrics) csv += "," + csv_cell(metric);
  csv += ",status,exit_status,message,pareto,run\n";
  for (const SweepRow& row : table.rows) {
    csv += csv_cell(row.model);
    for (const json& value : row.values) csv += "," + csv_cell(value);
    for (const json& value : row.results) csv += "," + csv_cell(value);
    csv += "," + name_of(row.status) + "," + std::to_string(row.exit_status) + "," +
           csv_cell(row.message) + (row.pareto ? ",1," : ",0,") + row.id + "\n";
  }
  return csv;
}

json sweep_json(const SweepTable& table) {
  json data{{"name", table.name},      {"command", table.command}, {"axes", table.axes},
            {"units", json::object()}, {"metrics", table.metrics}, {"objectives", json::array()},
            {"runs", json::array()}};
  for (std::size_t a = 0; a < table.axes.size(); ++a) data["units"][table.axes[a]] = table.units[a];
  for (const model::Objective& objective : table.objectives)
    data["objectives"].push_back(
        {{"key", objective.key}, {"better", objective.higher ? "higher" : "lower"}});
  for (const SweepRow& row : table.rows) {
    json values = json::object();
    for (std::size_t a = 0; a < table.axes.size(); ++a) values[table.axes[a]] = row.values[a];
    json results = json::object();
    for (std::size_t m = 0; m < table.metrics.size(); ++m) {
      if (!row.results[m].is_null()) results[table.metrics[m]] = row.results[m];
    }
    data["runs"].push_back({{"id", row.id},
                            {"status", name_of(row.status)},
                            {"message", row.message},
                            {"exit_status", row.exit_status},
                            {"model", row.model},
                            {"values", values},
                            {"results", results},
                            {"report", row.report()},
                            {"pareto", row.pareto}});
  }
  return data;
}

}  // namespace wse::report
