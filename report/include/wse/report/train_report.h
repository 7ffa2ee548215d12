// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "wse/model/training.h"

namespace wse::report {

/// The keys of the command line's contract (`wse train --json`).
nlohmann::ordered_json train_json(const model::TrainingResult& result);

/// The same and everything else that was counted: stats.json.
nlohmann::ordered_json stats_json(const model::TrainingResult& result);

/// One line a die: place, tiles, energy, mean and peak power, temperature, utilization, SRAM.
std::string dies_csv(const model::TrainingResult& result);

/// The summary that a person reads.
std::string summary(const model::TrainingResult& result);

}  // namespace wse::report
