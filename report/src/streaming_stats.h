// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "wse/model/training.h"

namespace wse::report {

/// Bytes over the lanes: phase, in or out, what they are.
nlohmann::ordered_json streamed_json(const model::TrainingResult& result);
/// Whether the lanes bind, and what would free the step.
nlohmann::ordered_json io_bound_json(const model::TrainingResult& result);
/// The same in a sentence; empty if tiles bind.
std::string io_bound_text(const model::TrainingResult& result);

}  // namespace wse::report
