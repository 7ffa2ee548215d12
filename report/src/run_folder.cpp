// SPDX-License-Identifier: Apache-2.0
#include "wse/report/run_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "wse/report/train_report.h"

namespace wse::report {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

json read_object(const std::string& what, const std::string& file) {
  std::error_code ignored;
  std::ifstream stream(file, std::ios::binary);
  if (!stream || fs::is_directory(file, ignored))
    throw base::ConfigError(what, file, "cannot be read");
  std::ostringstream buffer;
  buffer << stream.rdbuf();
  const std::string text = buffer.str();
  if (text.empty()) throw base::ConfigError(what, file, "is empty");
  try {
    json object = json::parse(text);
    if (object.is_object()) return object;
  } catch (const json::parse_error& error) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(error.byte, text.size()));
    const auto line = 1 + std::count(text.begin(), end, '\n');
    throw base::ConfigError(what, file, "is damaged: not valid JSON",
                            fmt::format("{}:{}", file, line));
  }
  throw base::ConfigError(what, file, "is damaged: not a JSON object", file + ":1");
}

/// Equal as far as 12 digits of a file tell.
bool same(const json& a, const json& b) {
  if (!a.is_number() || !b.is_number()) return a == b;
  const double x = a.get<double>();
  const double y = b.get<double>();
  return std::abs(x - y) <= 1e-11 * std::max(std::abs(x), std::abs(y));
}

/// A member of an object; null where there is none or no object.
json member(const json& object, const std::string& key) {
  const auto it = object.is_object() ? object.find(key) : object.end();
  return it == object.end() ? json() : *it;
}

}  // namespace

RunFolder read_run(const std::string& what, const std::string& path) {
  std::error_code ignored;
  const bool is_folder = fs::is_directory(path, ignored);
  if (!is_folder && !fs::exists(path, ignored))
    throw base::ConfigError(what, path, "is no run folder and no stats.json");
  const fs::path folder = is_folder ? fs::path(path) : fs::path(path).parent_path();
  const std::string stats = is_folder ? (folder / "stats.json").string() : path;
  if (is_folder && !fs::exists(stats, ignored))
    throw base::ConfigError(what, path, "is no run folder: there is no stats.json in it");
  RunFolder run{path, read_object(what, stats), nullptr};
  const auto hash = run.stats.find("result_hash");
  if (hash == run.stats.end() || !hash->is_string())
    throw base::ConfigError(what, stats, "is no stats.json of a run: result_hash is missing");
  const std::string config = (folder / "config.json").string();
  if (fs::exists(config, ignored)) run.config = read_object(what, config);
  return run;
}

json parameter_json(const model::Settings& settings, const model::Parameter& parameter) {
  model::Settings copy = settings;
  const model::ParameterSlot slot = parameter.slot(copy);
  if (const auto* text = std::get_if<std::string*>(&slot)) return **text;
  if (const auto* real = std::get_if<double*>(&slot)) return **real;
  const std::uint64_t kept = std::holds_alternative<std::uint32_t*>(slot)
                                 ? *std::get<std::uint32_t*>(slot)
                                 : *std::get<std::uint64_t*>(slot);
  if (parameter.scale == 1) return kept;
  return static_cast<double>(kept) / parameter.scale;
}

std::string mismatch(const json& config, const model::Settings& settings,
                     const model::SweepModel& model, const model::RunOptions& options) {
  if (!config.is_object()) return "config.json is missing";
  for (const model::Parameter& parameter : model::parameters()) {
    if (parameter.unit == "file") continue;
    const json given = member(member(member(config, "parameters"), parameter.path), "value");
    if (!same(given, parameter_json(settings, parameter)))
      return "config.json has another " + parameter.path;
  }
  const json wanted{{"steps", options.steps}, {"cold_start", options.cold_start}};
  for (const auto& [key, value] : wanted.items()) {
    if (member(member(config, "options"), key) != value) return "config.json has another " + key;
  }
  // Sorted objects compare without regard to the order of their keys.
  const nlohmann::json document = member(member(config, "model"), "document");
  const bool known = member(member(config, "model"), "name") == model.name &&
                     document == nlohmann::json::parse(model.document, nullptr, false);
  return known ? "" : "config.json has another model";
}

void for_each_leaf(const json& value, const std::string& path,
                   const std::function<void(const std::string&, const json&)>& use) {
  const std::string prefix = path.empty() ? "" : path + ".";
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) for_each_leaf(item, prefix + key, use);
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      for_each_leaf(value[i], prefix + std::to_string(i), use);
  } else {
    use(path, value);
  }
}

json at_path(const json& value, const std::string& path) {
  json at = value;
  std::istringstream parts(path);
  for (std::string key; std::getline(parts, key, '.');) at = member(at, key);
  return at;
}

std::vector<std::string> result_keys() {
  model::TrainingResult none;
  none.energy_by_kind.resize(power::kNumEnergyKinds);
  none.energy_by_phase.resize(base::kNumPhases);
  const json stats = stats_json(none);
  std::vector<std::string> keys;
  for (const auto& [key, value] : stats.items()) {
    if (value.is_array()) continue;
    for_each_leaf(value, key, [&keys](const std::string& path, const json&) {
      if (path != "model") keys.push_back(path);
    });
  }
  return keys;
}

}  // namespace wse::report
