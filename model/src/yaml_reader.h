// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wse/base/config_errors.h"
#include "yaml_text.h"

namespace wse::model {

/// What readers of YAML files have in common: every violation with its place.
class YamlReader {
 public:
  YamlReader(const std::string& file, base::ConfigErrors& errors) : file_(file), errors_(errors) {}

 protected:
  using Use = std::function<void(const YAML::Node&)>;
  using Keys = std::map<std::string, Use>;

  /// The whole file; nothing if it is not YAML, which is a violation.
  std::optional<YAML::Node> load() {
    try {
      return YAML::Load(read_yaml_text(file_));
    } catch (const YAML::Exception& error) {
      errors_.add("file", file_, "is not valid YAML: " + error.msg, place(error.mark));
      return std::nullopt;
    }
  }
  std::string place(const YAML::Mark& mark) const {
    return fmt::format("{}:{}", file_, mark.line + 1);
  }
  void add(const YAML::Node& node, const std::string& what, const std::string& rule) {
    errors_.add(what, node.IsScalar() ? node.Scalar() : "", rule, place(node.Mark()));
  }

  /// Hands the value of each key of a map to its user.
  void entries(const YAML::Node& map, const std::string& what, const Keys& keys) {
    if (!map.IsMap()) return add(map, what, "must be a map");
    std::vector<std::string> known;
    for (const auto& entry : keys) known.push_back(entry.first);
    std::map<std::string, int> given;
    for (const auto& entry : map) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
      const auto use = keys.find(key);
      if (use == keys.end()) {
        const std::string near = base::nearest_name(key, known);
        add(entry.first, what,
            "is no key here" + (near.empty() ? "" : "; did you mean " + near + "?"));
      } else if (++given[key] > 1) {
        add(entry.first, what, "is given twice");
      } else {
        use->second(entry.second);
      }
    }
  }

  const std::string file_;
  base::ConfigErrors& errors_;
};

}  // namespace wse::model
