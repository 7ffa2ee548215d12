// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "wse/model/tornado_plan.h"

namespace wse::report {

/// What a tornado compares.
enum class TornadoMeasure { kTokensPerSecond, kWaferPower, kTemperature };
inline constexpr std::size_t kNumTornadoMeasures = 3;

/// Tokens a second, mean power of the wafer in W, hottest die in C.
using TornadoResult = std::array<double, kNumTornadoMeasures>;

/// A parameter with the results at its low and high value, where they could be had.
struct TornadoRow {
  model::TornadoParameter parameter;
  std::optional<TornadoResult> low;
  std::optional<TornadoResult> high;

  /// Largest fall (not above 0) and largest rise (not below 0).
  std::pair<double, double> effect(TornadoMeasure measure, const TornadoResult& base) const;
  /// The larger of the two, without sign.
  double size(TornadoMeasure measure, const TornadoResult& base) const;
};

/// A run, and what each of its assumptions does to it.
struct TornadoTable {
  std::string model;
  std::string machine;
  std::string command;
  TornadoResult base{};
  std::vector<TornadoRow> rows;
  std::vector<model::TornadoSkipped> skipped;
};

/// The largest effect on tokens a second first; equal ones by power, then temperature, then path.
void rank(TornadoTable& table);

/// Base less and plus the root of the sum of squares of the falls and of the rises: parameters are
/// taken as independent.
/// @param published published values as well, which are no assumptions
std::pair<double, double> interval(const TornadoTable& table, TornadoMeasure measure,
                                   bool published);

/// Key `tornado` of `wse train --json`, and the data of tornado.html.
nlohmann::ordered_json tornado_json(const TornadoTable& table);
/// One line a parameter, as ranked.
std::string tornado_csv(const TornadoTable& table);
/// Headlines with their intervals and the first ten parameters.
std::string tornado_text(const TornadoTable& table);
std::string tornado_page(const TornadoTable& table);

}  // namespace wse::report
