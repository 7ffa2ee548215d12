// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "commands.h"
#include "wse/base/config_errors.h"

namespace wse::cli {

namespace fs = std::filesystem;

std::string home() {
  const char* const given = std::getenv("WSE_HOME");
  if (given != nullptr && *given != '\0') return given;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = program.parent_path().parent_path() / "share/wse-tlm";
  return fs::is_directory(installed / "configs", error) ? installed.string() : WSE_HOME_DEFAULT;
}

std::vector<std::string> preset_names(const std::string& folder, const std::string& ending) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(home() + "/configs/" + folder, error)) {
    if (entry.path().extension() == ending) names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string preset_file(const std::string& what, const std::string& name, const std::string& folder,
                        const std::string& ending) {
  const std::string preset = home() + "/configs/" + folder + "/" + name + ending;
  std::error_code error;
  if (name.find('/') == std::string::npos && fs::is_regular_file(preset, error)) return preset;
  if (fs::exists(name, error)) return name;
  const std::string near = base::nearest_name(name, preset_names(folder, ending));
  throw base::ConfigError(what, name,
                          "is neither a preset nor a file" +
                              (near.empty() ? std::string() : "; did you mean " + near + "?"));
}

std::string model_name(const std::string& file) {
  const std::string name = fs::path(file).stem().string();
  return name == "config" ? fs::absolute(file).parent_path().filename().string() : name;
}

std::string energy_table_file(const std::string& given) {
  std::error_code error;
  return fs::exists(given, error) ? given : home() + "/" + given;
}

}  // namespace wse::cli
