// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace wse::model {

/// The text of a YAML file. Throws ConfigError for a folder, a file that cannot be read, is binary
/// or empty.
std::string read_yaml_text(const std::string& file);

}  // namespace wse::model
