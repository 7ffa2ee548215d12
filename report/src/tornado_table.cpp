// SPDX-License-Identifier: Apache-2.0
#include "wse/report/tornado_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <tuple>

#include "wse/report/page.h"

namespace wse::report {
namespace {

using json = nlohmann::ordered_json;
using Measure = TornadoMeasure;

constexpr std::array<Measure, kNumTornadoMeasures> kMeasures{
    Measure::kTokensPerSecond, Measure::kWaferPower, Measure::kTemperature};

constexpr const char* kRule =
    "base less (plus) the root of the sum of squares of the largest fall (rise) that each "
    "parameter "
    "makes; interval: without published values (confidence P, P2), interval_all: with them; whole "
    "numbers count with the change that was made";

const char* key_of(Measure measure) {
  switch (measure) {
    case Measure::kTokensPerSecond:
      return "tokens_per_second";
    case Measure::kWaferPower:
      return "wafer_power_w";
    case Measure::kTemperature:
      return "temperature_c";
  }
  return "";
}

double at(const TornadoResult& result, Measure measure) {
  return result[static_cast<std::size_t>(measure)];
}

/// The value that was tried.
json number_or_null(const model::TornadoSide& side) {
  if (side.value.empty()) return nullptr;
  return std::strtod(side.value.c_str(), nullptr);
}

json result_or_null(const std::optional<TornadoResult>& result, Measure measure) {
  if (!result) return nullptr;
  return at(*result, measure);
}

/// Why a side has no result; empty if both have one.
std::string note_of(const TornadoRow& row) {
  std::string note;
  if (!row.parameter.low.possible()) note = "no low side: " + row.parameter.low.why;
  if (!row.parameter.high.possible())
    note += (note.empty() ? "" : "; ") + ("no high side: " + row.parameter.high.why);
  return note;
}

json row_json(const TornadoRow& row, const TornadoResult& base) {
  const model::TornadoParameter& p = row.parameter;
  json object{{"path", p.path},
              {"unit", p.unit},
              {"value", std::strtod(p.value.c_str(), nullptr)},
              {"low", number_or_null(p.low)},
              {"high", number_or_null(p.high)}};
  for (const Measure m : kMeasures)
    object[key_of(m)] = {result_or_null(row.low, m), result_or_null(row.high, m)};
  const double tokens = at(base, Measure::kTokensPerSecond);
  object["effect"] = row.size(Measure::kTokensPerSecond, base) / tokens;
  object["source"] = p.source;
  object["confidence"] = p.confidence;
  object["in_interval"] = !p.published();
  object["meaning"] = p.text;
  object["note"] = note_of(row);
  return object;
}

json interval_json(const TornadoTable& table, bool published) {
  json object = json::object();
  for (const Measure m : kMeasures) {
    const auto [low, high] = interval(table, m, published);
    object[key_of(m)] = {low, high};
  }
  return object;
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string cell = "\"";
  for (const char c : text) cell += c == '"' ? std::string("\"\"") : std::string(1, c);
  return cell + "\"";
}

/// A number as JSON writes it, so that both files agree in every digit.
std::string cell(const json& value) {
  if (value.is_string()) return quoted(value.get<std::string>());
  return value.is_null() ? "" : value.dump();
}

}  // namespace

std::pair<double, double> TornadoRow::effect(Measure measure, const TornadoResult& base) const {
  double fall = 0;
  double rise = 0;
  for (const auto& side : {low, high}) {
    if (!side) continue;
    const double change = at(*side, measure) - at(base, measure);
    fall = std::min(fall, change);
    rise = std::max(rise, change);
  }
  return {fall, rise};
}

double TornadoRow::size(Measure measure, const TornadoResult& base) const {
  const auto [fall, rise] = effect(measure, base);
  return std::max(std::abs(fall), rise);
}

void rank(TornadoTable& table) {
  const auto key = [&table](const TornadoRow& row) {
    return std::make_tuple(-row.size(Measure::kTokensPerSecond, table.base),
                           -row.size(Measure::kWaferPower, table.base),
                           -row.size(Measure::kTemperature, table.base), row.parameter.path);
  };
  std::sort(table.rows.begin(), table.rows.end(),
            [&key](const TornadoRow& a, const TornadoRow& b) { return key(a) < key(b); });
}

std::pair<double, double> interval(const TornadoTable& table, Measure measure, bool published) {
  double falls = 0;
  double rises = 0;
  for (const TornadoRow& row : table.rows) {
    if (row.parameter.published() && !published) continue;
    const auto [fall, rise] = row.effect(measure, table.base);
    falls += fall * fall;
    rises += rise * rise;
  }
  const double base = at(table.base, measure);
  return {base - std::sqrt(falls), base + std::sqrt(rises)};
}

json tornado_json(const TornadoTable& table) {
  json base = json::object();
  for (const Measure m : kMeasures) base[key_of(m)] = at(table.base, m);
  json rows = json::array();
  for (const TornadoRow& row : table.rows) rows.push_back(row_json(row, table.base));
  json skipped = json::array();
  for (const model::TornadoSkipped& s : table.skipped)
    skipped.push_back({{"path", s.path}, {"why", s.why}});
  return {{"delta", model::kTornadoDelta},
          {"base", base},
          {"interval", interval_json(table, false)},
          {"interval_all", interval_json(table, true)},
          {"rule", kRule},
          {"parameters", rows},
          {"skipped", skipped}};
}

std::string tornado_csv(const TornadoTable& table) {
  std::string text =
      "path,unit,value,low,high,tokens_per_second_low,tokens_per_second_high,wafer_power_w_low,"
      "wafer_power_w_high,temperature_c_low,temperature_c_high,source,confidence,in_interval,"
      "note\n";
  for (const TornadoRow& row : table.rows) {
    const json object = row_json(row, table.base);
    std::string line;
    for (const char* key : {"path", "unit", "value", "low", "high"})
      line += cell(object[key]) + ",";
    for (const Measure m : kMeasures)
      for (const json& side : object[key_of(m)]) line += cell(side) + ",";
    for (const char* key : {"source", "confidence", "in_interval"}) line += cell(object[key]) + ",";
    text += line + cell(object["note"]) + "\n";
  }
  return text;
}

namespace {

std::string signed_or_dash(const std::optional<TornadoResult>& side, const TornadoResult& base,
                           Measure measure) {
  if (!side) return "-";
  const double change = at(*side, measure) - at(base, measure);
  switch (measure) {
    case Measure::kTokensPerSecond:
      return fmt::format("{:+.1f} %", 100 * change / at(base, measure));
    case Measure::kWaferPower:
      return fmt::format("{:+.1f} %", 100 * change / at(base, measure));
    case Measure::kTemperature:
      return fmt::format("{:+.1f} K", change);
  }
  return "";
}

std::string line_of(const TornadoRow& row, const TornadoResult& base) {
  const model::TornadoParameter& p = row.parameter;
  const auto value = [](const model::TornadoSide& side) {
    if (side.value.empty()) return std::string("-");
    return fmt::format("{:.5g}", std::strtod(side.value.c_str(), nullptr));
  };
  std::string line = fmt::format("  {:<32} {:>10} {:>10}", p.path, value(p.low), value(p.high));
  for (const Measure m : kMeasures)
    line += fmt::format(" {:>9} {:>9}", signed_or_dash(row.low, base, m),
                        signed_or_dash(row.high, base, m));
  return line + "\n";
}

/// Values that were tried in vain.
std::string failures(const TornadoTable& table) {
  std::string text;
  for (const TornadoRow& row : table.rows) {
    for (const model::TornadoSide& side : {row.parameter.low, row.parameter.high}) {
      if (!side.value.empty() && !side.possible())
        text += fmt::format("  no result: {} {}\n", row.parameter.path, side.why);
    }
  }
  return text;
}

}  // namespace

std::string tornado_text(const TornadoTable& table) {
  constexpr std::size_t kShown = 10;
  const auto headline = [&table](const char* name, Measure m, int decimals) {
    const auto [low, high] = interval(table, m, false);
    const auto [least, most] = interval(table, m, true);
    return fmt::format("  {:<22} {:.{}f}, {:.{}f} .. {:.{}f} ({:.{}f} .. {:.{}f})\n", name,
                       at(table.base, m), decimals, low, decimals, high, decimals, least, decimals,
                       most, decimals);
  };
  std::string text = fmt::format(
      "tornado of {} on {}: {} parameters {:.0f} % down and up, {} not varied\n"
      "  interval: root of the sum of squares over assumptions (in brackets: published values as "
      "well)\n",
      table.model, table.machine, table.rows.size(), 100 * model::kTornadoDelta,
      table.skipped.size());
  text += headline("tokens/s", Measure::kTokensPerSecond, 0);
  text += headline("wafer power, mean, W", Measure::kWaferPower, 0);
  text += headline("hottest die, C", Measure::kTemperature, 1);
  text += fmt::format("  {:<32} {:>10} {:>10} {:>19} {:>19} {:>19}\n", "largest effect on tokens/s",
                      "low", "high", "tokens/s", "wafer power", "hottest die");
  for (std::size_t i = 0; i < std::min(kShown, table.rows.size()); ++i)
    text += line_of(table.rows[i], table.base);
  return text + failures(table);
}

std::string tornado_page(const TornadoTable& table) {
  return page("tornado.html", {{"command", table.command},
                               {"model", table.model},
                               {"machine", table.machine},
                               {"tornado", tornado_json(table)}});
}

}  // namespace wse::report
