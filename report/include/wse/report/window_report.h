// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "wse/model/training_window.h"
#include "wse/power/energy_table.h"

namespace wse::report {

/// The object `window` of `wse train --json --window`. Wavelet-hops are those of a tile.
nlohmann::ordered_json window_json(const model::WindowResult& window,
                                   const power::EnergyTable& energy);

/// The same in lines of the summary.
std::string window_text(const model::WindowResult& window, const power::EnergyTable& energy);

}  // namespace wse::report
