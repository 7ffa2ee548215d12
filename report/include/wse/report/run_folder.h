// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "wse/model/sweep_plan.h"

namespace wse::report {

/// What `wse train --out DIR` left in a folder.
struct RunFolder {
  std::string path;  ///< as given
  nlohmann::ordered_json stats;
  nlohmann::ordered_json config;  ///< null where there is no config.json
};

/// Reads a run folder, or the stats.json of one. Throws ConfigError (path `what`) for a folder that
/// holds no complete run and for damaged files, with their line.
RunFolder read_run(const std::string& what, const std::string& path);

/// The value now in force as a JSON number or string.
nlohmann::ordered_json parameter_json(const model::Settings& settings,
                                      const model::Parameter& parameter);

/// What in config.json is not this configuration; empty if all is.
std::string mismatch(const nlohmann::ordered_json& config, const model::Settings& settings,
                     const model::SweepModel& model, const model::RunOptions& options);

/// Calls `use` for every leaf with its dotted path, `wafer_power_w.mean` or `lanes.0.bytes_in`.
void for_each_leaf(
    const nlohmann::ordered_json& value, const std::string& path,
    const std::function<void(const std::string&, const nlohmann::ordered_json&)>& use);

/// The value at a dotted path; null if there is none.
nlohmann::ordered_json at_path(const nlohmann::ordered_json& value, const std::string& path);

/// Dotted paths of the single values in every stats.json: what a sweep can compare.
std::vector<std::string> result_keys();

}  // namespace wse::report
