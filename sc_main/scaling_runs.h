// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "settings_options.h"
#include "wse/model/training.h"
#include "wse/report/scaling_table.h"

namespace wse::cli {

/// Several systems stream their weights: what they are measured by does so too. Throws ConfigError for
/// run.mode = pipeline.
void compare_in_one_mode(model::Settings& settings);

/// N,N,.. of --scaling, in order, 1 among them: what all others are measured by. Throws ConfigError,
/// also where a number of systems does not go with the run's batch.
std::vector<std::uint64_t> scaling_of(const std::string& list, const model::Settings& settings);

/// The run that is scaled.
struct ScalingInputs {
  const SettingsOptions& options;
  const model::TrainingResult& result;
  std::string model_file;
  bool cold_start = false;
  std::string out;
};

/// Makes a run for each number of systems but that of the result, as many at once as there are
/// processors, in OUT/scaling/N/. Throws RunFailed with what the first one said that failed.
report::ScalingTable run_scaling(const ScalingInputs& inputs,
                                 const std::vector<std::uint64_t>& systems);

/// Writes scaling.csv and scaling.svg into OUT.
void write_scaling(const report::ScalingTable& table, const std::string& out);

}  // namespace wse::cli
