// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace wse::cli {

/// What an RTL router adds to a clock of a mesh, and what its own step takes with the same inputs.
/// Throws ConfigError where there is no RTL.
nlohmann::ordered_json measure_twin();

}  // namespace wse::cli
