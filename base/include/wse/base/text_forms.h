// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "wse/base/coordinates.h"

namespace wse::base {

/// "WxH", columns and rows of up to five digits: a rectangle at the origin.
std::optional<Rectangle> parse_size(const std::string& text);

/// "X0..X1,Y0..Y1", all included, a single number standing for X..X; nothing if it is none or runs
/// backwards.
std::optional<Rectangle> parse_tiles(const std::string& text);

}  // namespace wse::base
