// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "wse/model/versus.h"

namespace wse::report {

/// The CS-2 side of a comparison with graphics cards.
struct Cs2Rate {
  double tokens_per_second = 0;  ///< of one
  std::uint64_t systems = 1;     ///< of the run
};

/// The object `versus` of `wse train --json --versus`. Where the model does not fit, what a partition
/// would tell is null and `least_count` tells the cards that would do.
nlohmann::ordered_json versus_json(const model::GpuRun& run, const Cs2Rate& cs2);

/// The same in lines of the summary.
std::string versus_text(const model::GpuRun& run, const Cs2Rate& cs2);

}  // namespace wse::report
