// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "wse/model/settings.h"

namespace wse::report {

/// What a run says of its machine.
nlohmann::ordered_json machine_json(const model::MachineConfig& machine);

}  // namespace wse::report
