// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "wse/model/training.h"

namespace wse::report {

/// Layer by layer, and what is outside of them: seconds by cause, and what binds it.
nlohmann::ordered_json layers_json(const model::TrainingResult& result);
/// ledger.json: seconds of a step by phase and cause, the layers, and bytes by class of link: lanes, between
/// dies, within a die.
nlohmann::ordered_json ledger_json(const model::TrainingResult& result);

}  // namespace wse::report
