// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "wse/base/timeline.h"
#include "wse/model/parameters.h"
#include "wse/model/training.h"

namespace wse::report {

/// What a run was asked to do, to be found again beside its results.
struct RunRecord {
  std::string command;  ///< as it was typed
  std::string model_name;
  std::string model_file;
  std::string model_document;  ///< the text of that file
  model::Origins origins;      ///< where parameters were set
};

/// config.json: command, model, machine, every parameter with value, unit, source, confidence,
/// meaning and place, options.
nlohmann::ordered_json config_json(const RunRecord& record, const model::Settings& settings,
                                   std::uint32_t steps, bool cold_start);

/// samples.json: what the report draws. At most 240 frames over the measured steps, each the mean
/// of its windows: maps of the dies (power, temperature, utilization, fabric traffic, SRAM) and
/// bytes a second of the lanes; what binds each layer; the timeline of chosen layers, if any.
nlohmann::ordered_json samples_json(const model::TrainingResult& result,
                                    const base::Timeline* timeline);

/// The page of a run from its three files.
std::string train_page(const nlohmann::ordered_json& stats, const nlohmann::ordered_json& config,
                       const nlohmann::ordered_json& samples);

/// dies.csv, samples.json, config.json, report.html and, last, stats.json into a folder. `window`: the
/// object of window_json(), or null.
void write_run(const model::TrainingResult& result, const nlohmann::ordered_json& config,
               const base::Timeline* timeline, const nlohmann::ordered_json& window,
               const std::string& folder);

/// Makes report.html anew from the files of a run folder. A folder without samples.json gets a
/// report that says what is missing. Throws ConfigError for one that holds no complete run.
void rebuild_report(const std::string& folder);

}  // namespace wse::report
