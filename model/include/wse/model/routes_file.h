// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "wse/base/config_errors.h"
#include "wse/fabric/own_routes.h"

namespace wse::model {

/// Reads a file of routes and sources for `wse noc --routes`, and checks its routes. Every violation
/// is added with its place, of illegal routes the router, color and side. Example:
///
///     mesh: 4x1
///     routes:
///       - {tiles: "0,0", color: 2, from: ramp, to: east}
///       - {tiles: "1..2,0", color: 2, from: west, to: [east, ramp]}
///       - {tiles: "3,0", color: 2, from: west, to: ramp}
///     sources:
///       - {tiles: "0,0", color: 2}
///
/// An entry of routes may have `positions`, a list of {from, to}, instead of from and to; and `ring`,
/// `pop` (never, always, advance), `filter` ({counter: {period, first, last}} or {range: {first,
/// last}}). A later entry replaces what an earlier one says about a router and color. An entry of
/// sources may have `advance: true`.
fabric::OwnRoutes read_routes(const std::string& file, base::ConfigErrors& errors);

}  // namespace wse::model
