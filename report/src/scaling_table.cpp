// SPDX-License-Identifier: Apache-2.0
#include "wse/report/scaling_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace wse::report {
namespace {

using json = nlohmann::ordered_json;

double system_seconds_a_token(const json& run) {
  return run.at("systems").get<double>() / run.at("tokens_per_second").get<double>();
}

std::vector<std::pair<std::string, double>> losses_of(const json& run, const json& one) {
  const double all = system_seconds_a_token(run);
  std::vector<std::pair<std::string, double>> losses;
  for (const auto& [cause, share] : run.at("time_ledger").items()) {
    const double before =
        one.at("time_ledger").at(cause).get<double>() * system_seconds_a_token(one);
    losses.emplace_back(cause, share.get<double>() - before / all);
  }
  std::stable_sort(losses.begin(), losses.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return losses;
}

/// The causes that take a tenth of a percent or more.
std::string bent_by(const ScalingRow& row) {
  std::string text;
  for (const auto& [cause, loss] : row.losses) {
    if (loss < 0.0005 || std::count(text.begin(), text.end(), ',') == 2) break;
    text += fmt::format("{}{} {:.1f} %", text.empty() ? "" : ", ", cause, 100 * loss);
  }
  return text.empty() ? "-" : text;
}

}  // namespace

std::vector<ScalingRow> scaling_rows(const ScalingTable& table) {
  std::vector<ScalingRow> rows;
  const json& one = table.runs.front();
  for (const json& run : table.runs) {
    rows.push_back({run.at("systems"), run.at("tokens_per_second"),
                    system_seconds_a_token(one) / system_seconds_a_token(run),
                    losses_of(run, one)});
  }
  return rows;
}

json scaling_json(const ScalingTable& table) {
  json all = json::array();
  const std::vector<ScalingRow> rows = scaling_rows(table);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    json losses = json::object();
    for (const auto& [cause, loss] : rows[i].losses) losses[cause] = loss;
    json row = {
        {"systems", rows[i].systems}, {"efficiency", rows[i].efficiency}, {"losses", losses}};
    for (const char* key :
         {"batch", "micro_batches", "tokens_per_step", "step_seconds", "tokens_per_second",
          "energy_per_token_j", "system_power_w", "result_hash"})
      row[key] = table.runs[i].at(key);
    all.push_back(row);
  }
  return all;
}

std::string scaling_csv(const ScalingTable& table) {
  std::string csv =
      "systems,batch,micro_batches,step_seconds,tokens_per_second,efficiency,energy_per_token_j,"
      "system_power_w\n";
  const std::vector<ScalingRow> rows = scaling_rows(table);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const json& run = table.runs[i];
    csv += fmt::format(
        "{},{},{},{:.9g},{:.9g},{:.6f},{:.6g},{:.6g}\n", rows[i].systems,
        run.at("batch").get<std::uint64_t>(), run.at("micro_batches").get<std::uint64_t>(),
        run.at("step_seconds").get<double>(), rows[i].tokens_per_second, rows[i].efficiency,
        run.at("energy_per_token_j").get<double>(), run.at("system_power_w").get<double>());
  }
  return csv;
}

std::string scaling_text(const ScalingTable& table) {
  std::string text =
      fmt::format("  scaling\n    {:>7} {:>9} {:>13} {:>14} {:>10}  {}\n", "systems", "batch",
                  "micro-batches", "tokens/s", "efficiency", "lost against one system");
  const std::vector<ScalingRow> rows = scaling_rows(table);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const json& run = table.runs[i];
    text += fmt::format("    {:>7} {:>9} {:>13} {:>14.0f} {:>8.2f} %  {}\n", rows[i].systems,
                        run.at("batch").get<std::uint64_t>(),
                        run.at("micro_batches").get<std::uint64_t>(), rows[i].tokens_per_second,
                        100 * rows[i].efficiency, bent_by(rows[i]));
  }
  return text;
}

std::string scaling_svg(const ScalingTable& table) {
  constexpr double kLeft = 60, kTop = 40, kSide = 460, kHeight = 560;
  const std::vector<ScalingRow> rows = scaling_rows(table);
  const double octaves = std::max(1.0, std::log2(static_cast<double>(rows.back().systems)));
  const auto x = [&](double n) { return kLeft + kSide * std::log2(n) / octaves; };
  const auto y = [&](double s) {
    return kTop + kSide * (1 - std::log2(std::max(s, 1.0)) / octaves);
  };
  std::string points, marks;
  for (const ScalingRow& row : rows) {
    const double n = static_cast<double>(row.systems);
    const double speed_up = n * row.efficiency;
    points += fmt::format("{:.1f},{:.1f} ", x(n), y(speed_up));
    marks += fmt::format(
        "<circle cx=\"{0:.1f}\" cy=\"{1:.1f}\" r=\"4\" fill=\"#1f6fb2\"><title>{2} systems: "
        "{3:.2f} "
        "times one, {4:.2f} %</title></circle>\n<text x=\"{0:.1f}\" y=\"{5:.1f}\">{2}</text>\n"
        "<text x=\"{0:.1f}\" y=\"{6:.1f}\">{4:.1f} %</text>\n",
        x(n), y(speed_up), row.systems, speed_up, 100 * row.efficiency, kTop + kSide + 18,
        y(speed_up) - 10);
  }
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {0}\" "
      "font-family=\"sans-serif\" "
      "font-size=\"12\" text-anchor=\"middle\">\n<rect width=\"{0}\" height=\"{0}\" "
      "fill=\"#fff\"/>\n"
      "<text x=\"{1}\" y=\"18\">{2} on {3}: times one system, and efficiency</text>\n"
      "<path d=\"M{4:.1f} {5:.1f}L{6:.1f} {7:.1f}\" stroke=\"#999\" stroke-dasharray=\"4 4\"/>\n"
      "<polyline points=\"{8}\" fill=\"none\" stroke=\"#1f6fb2\" stroke-width=\"2\"/>\n{9}"
      "<text x=\"{1}\" y=\"{10}\">systems</text>\n</svg>\n",
      kHeight, kHeight / 2, table.model, table.machine, x(1), y(1), x(std::exp2(octaves)),
      y(std::exp2(octaves)), points, marks, kTop + kSide + 40);
}

}  // namespace wse::report
