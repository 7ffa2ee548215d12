// SPDX-License-Identifier: Apache-2.0
#include "yaml_text.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "wse/base/config_errors.h"

namespace wse::model {

std::string read_yaml_text(const std::string& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    throw base::ConfigError("file", file, "is a folder; a YAML file is needed");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw base::ConfigError("file", file, "cannot be read");
  std::ostringstream text;
  text << stream.rdbuf();
  if (text.str().find('\0') != std::string::npos)
    throw base::ConfigError("file", file, "is binary, not YAML");
  if (text.str().find_first_not_of(" \t\r\n") == std::string::npos)
    throw base::ConfigError("file", file, "is empty");
  return text.str();
}

}  // namespace wse::model
