// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "wse/base/check.h"
#include "wse/base/config_errors.h"

namespace wse::base {
namespace {

std::string text_of(const std::vector<Violation>& violations) {
  std::string text;
  for (const Violation& v : violations) {
    if (!text.empty()) text += '\n';
    if (!v.place.empty()) text += v.place + ": ";
    text += v.path;
    if (!v.value.empty()) text += " = " + v.value;
    text += ": " + v.rule;
  }
  return text;
}

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

}  // namespace

void check_failed(const char* expression, const char* file, int line, const std::string& what) {
  throw InternalError(fmt::format("{}:{}: {} does not hold: {}", file, line, expression, what));
}

ConfigError::ConfigError(std::vector<Violation> violations)
    : std::runtime_error(text_of(violations)), violations_(std::move(violations)) {}

ConfigError::ConfigError(std::string path, std::string value, std::string rule, std::string place)
    : ConfigError(std::vector<Violation>{
          {std::move(path), std::move(value), std::move(rule), std::move(place)}}) {}

void ConfigErrors::add(std::string path, std::string value, std::string rule, std::string place) {
  violations_.push_back({std::move(path), std::move(value), std::move(rule), std::move(place)});
}

void ConfigErrors::throw_if_any() const {
  if (!violations_.empty()) throw ConfigError(violations_);
}

std::string nearest_name(const std::string& name, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(3, name.size() / 2);
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace wse::base
