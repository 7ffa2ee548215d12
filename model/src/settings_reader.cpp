// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <map>

#include "wse/model/parameters.h"
#include "yaml_text.h"

namespace wse::model {
namespace {

namespace fs = std::filesystem;

class FileReader {
 public:
  FileReader(std::string file, std::string presets, Settings& settings, Origins& origins,
             base::ConfigErrors& errors)
      : file_(std::move(file)),
        presets_(std::move(presets)),
        settings_(settings),
        origins_(origins),
        errors_(errors) {}

  void read(int depth) {
    YAML::Node root;
    try {
      root = YAML::Load(read_yaml_text(file_));
    } catch (const YAML::Exception& error) {
      errors_.add("file", file_, "is not valid YAML: " + error.msg, place(error.mark));
      return;
    }
    if (!root.IsMap()) {
      errors_.add("file", file_, "must be a map of parameters", place(root.Mark()));
      return;
    }
    if (root["base"]) read_base(root["base"], depth);
    walk(root, "");
  }

 private:
  std::string place(const YAML::Mark& mark) const {
    return fmt::format("{}:{}", file_, mark.line + 1);
  }

  void read_base(const YAML::Node& node, int depth) {
    if (!node.IsScalar() || depth > 8) {
      errors_.add("base", "", depth > 8 ? "refers to itself" : "must name a file",
                  place(node.Mark()));
      return;
    }
    FileReader(base_file(node.Scalar()), presets_, settings_, origins_, errors_).read(depth + 1);
  }
  /// Beside this file, or a preset by its name.
  std::string base_file(const std::string& name) const {
    const fs::path beside = fs::path(file_).parent_path() / name;
    const fs::path preset = fs::path(presets_) / (name + ".yaml");
    std::error_code error;
    const bool is_preset = !presets_.empty() && !fs::exists(beside, error) &&
                           name.find('/') == std::string::npos && fs::exists(preset, error);
    return (is_preset ? preset : beside).string();
  }

  void walk(const YAML::Node& map, const std::string& prefix) {
    for (const auto& entry : map) {
      if (!entry.first.IsScalar()) {
        errors_.add(prefix, "", "keys must be plain names", place(entry.first.Mark()));
        continue;
      }
      const std::string key = entry.first.Scalar();
      if (prefix.empty() && key == "base") continue;
      const std::string path = prefix.empty() ? key : prefix + "." + key;
      const auto [first, is_new] = given_.emplace(path, entry.first.Mark().line + 1);
      if (!is_new) {
        errors_.add(path, "", fmt::format("is given twice, first in line {}", first->second),
                    place(entry.first.Mark()));
      } else if (entry.second.IsMap() && !entry.second["value"]) {
        walk(entry.second, path);
      } else {
        leaf(entry.second, path);
      }
    }
  }

  void leaf(const YAML::Node& node, const std::string& path) {
    const YAML::Node value = node.IsMap() ? node["value"] : node;
    if (!value.IsScalar()) {
      errors_.add(path, "", "must be a single value", place(node.Mark()));
      return;
    }
    set_parameter(settings_, path, value.Scalar(), place(value.Mark()), errors_);
    const Parameter* parameter = find_parameter(path);
    if (parameter == nullptr) return;
    Origin origin{parameter->source, parameter->confidence, place(value.Mark())};
    // The catalogue's source is that of its value.
    if (value_of(settings_, *parameter) != value_of(Settings{}, *parameter)) {
      origin.source = origin.confidence = "-";
    }
    if (node.IsMap()) read_notes(node, *parameter, origin);
    origins_.emplace_back(path, origin);
  }

  void read_notes(const YAML::Node& node, const Parameter& parameter, Origin& origin) {
    for (const auto& entry : node) {
      const std::string key = entry.first.Scalar();
      const std::string text = entry.second.IsScalar() ? entry.second.Scalar() : "";
      if (key == "source") {
        origin.source = text;
      } else if (key == "confidence") {
        origin.confidence = text;
        if (meaning_of_confidence(text).empty()) {
          errors_.add(parameter.path + ".confidence", text, "must be P, P2, D, G, C or -",
                      place(entry.second.Mark()));
        }
      } else if (key == "unit") {
        if (text != parameter.unit) {
          errors_.add(parameter.path, text, "must be in the unit " + parameter.unit,
                      place(entry.second.Mark()));
        }
      } else if (key != "value" && key != "note") {
        errors_.add(parameter.path + "." + key, text,
                    "must be value, unit, source, confidence or note", place(entry.first.Mark()));
      }
    }
  }

  const std::string file_;
  const std::string presets_;  ///< folder of the machines that are named by `base`
  Settings& settings_;
  Origins& origins_;
  base::ConfigErrors& errors_;
  std::map<std::string, int> given_;  ///< path in this file, and its line
};

}  // namespace

void read_settings(const std::string& file, Settings& settings, Origins& origins,
                   base::ConfigErrors& errors, const std::string& presets) {
  FileReader(file, presets, settings, origins, errors).read(0);
}

}  // namespace wse::model
