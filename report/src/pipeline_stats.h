// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "wse/model/training.h"

namespace wse::report {

/// The stages of a run in pipeline mode; an empty object for a streamed one.
nlohmann::ordered_json pipeline_json(const model::TrainingResult& result);

/// Share of the time of the stages' tiles in which they had no sample to work on.
double bubble_fraction(const model::TrainingResult& result);

/// One line of the summary: stages, tiles, what is slowest.
std::string pipeline_text(const model::TrainingResult& result);
/// And what lies in the SRAM.
std::string pipeline_sram_text(const model::TrainingResult& result);

}  // namespace wse::report
