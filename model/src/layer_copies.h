// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wse/base/config_errors.h"

namespace wse::model {

/// Reads `run.layer_copies`, such as "0-11:2,12:1,head:4": copies of the feature dimension of layers,
/// and of what follows the last. The result has an entry a layer and one for the head; 0 where nothing
/// is said, as by "auto". Throws ConfigError.
std::vector<std::uint32_t> read_layer_copies(const std::string& text, std::uint64_t layers,
                                             std::uint32_t columns);

}  // namespace wse::model
