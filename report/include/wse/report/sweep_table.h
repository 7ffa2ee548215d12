// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "wse/model/sweep_file.h"

namespace wse::report {

/// How far a run of a sweep came.
enum class RunStatus { kMissing, kDone, kFailed };
std::string name_of(RunStatus status);  ///< missing, done, failed

/// One run of a sweep.
struct SweepRow {
  std::string id;
  RunStatus status = RunStatus::kMissing;
  int exit_status = 0;
  std::string message;  ///< why it failed
  std::string model;
  std::vector<nlohmann::ordered_json> values;  ///< one an axis: a number or a string
  std::vector<nlohmann::ordered_json>
      results;  ///< one a metric; null: unknown, as all are before it is done
  bool pareto = false;

  std::string report() const { return "runs/" + id + "/report.html"; }
};

/// All runs of a sweep beside each other.
struct SweepTable {
  std::string name;
  std::string command;
  std::vector<std::string> axes;
  std::vector<std::string> units;    ///< one an axis
  std::vector<std::string> metrics;  ///< keys of stats.json, those of the objectives first
  std::vector<model::Objective> objectives;
  std::vector<SweepRow> rows;
};

/// Marks the runs that no other run of the same model beats in one objective without losing in
/// another. A run without a number for every objective is not marked.
void mark_pareto(SweepTable& table);

/// One line a run: model, axes, metrics, status, exit status, message, Pareto mark, run id.
std::string sweep_csv(const SweepTable& table);

/// The data of sweep.html and of `--json`.
nlohmann::ordered_json sweep_json(const SweepTable& table);

/// What a person reads: axes, then as many metrics as fit into `width`, with per cent to the first
/// run of the model; below, the best run of the first objective.
std::string sweep_text(const SweepTable& table, std::size_t width);

/// All parameters of row i.
using RowParameters =
    std::function<std::vector<std::pair<std::string, nlohmann::ordered_json>>(std::size_t)>;
/// Writes beside and renames: table runs with the columns of the CSV, typed; table parameters (run,
/// path, value). Throws std::runtime_error.
void write_sweep_sqlite(const SweepTable& table, const RowParameters& parameters,
                        const std::string& path);

}  // namespace wse::report
