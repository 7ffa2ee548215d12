// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "wse/fabric/route_table.h"
#include "wse/model/parameters.h"
#include "wse/model/settings.h"

namespace wse::cli {

/// --mesh WxH of the cycle level.
fabric::Mesh mesh_of(const std::string& text, base::ConfigErrors& errors);

/// Whether --set gave the parameter a value.
bool is_set_by_hand(const model::Origins& origins, const std::string& path);

/// A run of the transaction level on the tiles of a cycle run: a program may use no others, and what was
/// not chosen is as there: fp32, one sequence, one copy of the features, nothing recomputed. Throws
/// ConfigError.
void restrict_to_mesh(const fabric::Mesh& mesh, model::Settings& settings, model::Origins& origins);
/// --mesh must fit the user rectangle, with a row of the lanes or without.
void check_mesh(const fabric::Mesh& mesh, const base::GeometryConfig& geometry, bool with_lanes,
                base::ConfigErrors& errors);

}  // namespace wse::cli
