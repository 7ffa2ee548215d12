// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "wse/model/stack_file.h"
#include "yaml_reader.h"

namespace wse::model {
namespace {

using power::ThermalLayer;
using power::ThermalStack;

class StackReader : private YamlReader {
 public:
  StackReader(const std::string& file, ThermalStack& stack, base::ConfigErrors& errors)
      : YamlReader(file, errors), stack_(stack) {}

  void read() {
    const std::optional<YAML::Node> root = load();
    if (!root) return;
    entries(*root, "stack",
            {{"width_m", number("width_m", stack_.width_m)},
             {"height_m", number("height_m", stack_.height_m)},
             {"layers", [this](const YAML::Node& n) { layers(n); }},
             {"convection_w_m2k", number("convection_w_m2k", stack_.convection_w_m2k)},
             {"coolant", [this](const YAML::Node& n) { coolant(n); }}});
    if (errors_.empty()) stack_.validate(errors_, file_);
  }

 private:
  Use number(const std::string& what, double& to) {
    return [this, what, &to](const YAML::Node& node) {
      if (!node.IsScalar() || !YAML::convert<double>::decode(node, to) || !std::isfinite(to)) {
        add(node, what, "must be a number");
      }
    };
  }

  void layers(const YAML::Node& list) {
    if (!list.IsSequence() || list.size() == 0 || list.size() > kMostLayers) {
      return add(list, "layers", fmt::format("must be a list of 1 .. {} layers", kMostLayers));
    }
    stack_.layers.clear();
    for (const YAML::Node& item : list) layer(item);
  }

  void layer(const YAML::Node& item) {
    ThermalLayer layer;
    entries(item, "layers",
            {{"name", [&](const YAML::Node& n) { layer.name = n.IsScalar() ? n.Scalar() : ""; }},
             {"thickness_m", number("thickness_m", layer.thickness_m)},
             {"conductivity_w_mk", number("conductivity_w_mk", layer.conductivity_w_mk)},
             {"heat_j_m3k", number("heat_j_m3k", layer.heat_j_m3k)},
             {"node", [&](const YAML::Node& n) {
                if (!n.IsScalar() || !YAML::convert<bool>::decode(n, layer.node))
                  add(n, "node", "must be true or false");
              }}});
    stack_.layers.push_back(layer);
  }

  void coolant(const YAML::Node& map) {
    entries(map, "coolant",
            {{"flow_kg_s", number("flow_kg_s", stack_.flow_kg_s)},
             {"heat_j_kgk", number("heat_j_kgk", stack_.coolant_j_kgk)},
             {"inlet_c", number("inlet_c", stack_.inlet_c)}});
  }

  static constexpr std::size_t kMostLayers = 16;
  ThermalStack& stack_;
};

}  // namespace

void read_stack(const std::string& file, power::ThermalStack& stack, base::ConfigErrors& errors) {
  StackReader(file, stack, errors).read();
}

}  // namespace wse::model
