// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace wse::report {

/// A self-contained HTML page: the template report/html/NAME with the data in it, readable without
/// a network. Throws std::out_of_range for a name that is no template.
std::string page(const std::string& name, const nlohmann::ordered_json& data);

}  // namespace wse::report
