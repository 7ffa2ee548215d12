// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "wse/model/training.h"

namespace wse::report {

/// What a designer of power and cooling asks of a run: efficiency, currents, droop, clock states, the
/// hottest die and how far it is from being throttled.
nlohmann::ordered_json power_stats(const model::TrainingResult& result);
/// The trace of power: a line an activity window.
std::string power_csv(const model::TrainingResult& result);

}  // namespace wse::report
