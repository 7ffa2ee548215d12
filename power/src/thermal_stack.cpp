// SPDX-License-Identifier: Apache-2.0
#include "wse/power/thermal_stack.h"

#include <cmath>

namespace wse::power {
namespace {

ThermalStack around(const ThermalConfig& c, std::vector<ThermalLayer> layers) {
  ThermalStack stack;
  stack.width_m = c.width_m;
  stack.height_m = c.height_m;
  stack.layers = std::move(layers);
  stack.convection_w_m2k = c.convection_w_m2k;
  stack.flow_kg_s = c.flow_kg_s;
  stack.coolant_j_kgk = c.coolant_j_kgk;
  stack.inlet_c = c.inlet_c;
  return stack;
}

ThermalLayer silicon(const ThermalConfig& c) {
  return {"silicon", c.silicon_m, c.silicon_w_mk, c.silicon_j_m3k, true};
}
ThermalLayer tim(const ThermalConfig& c, bool node) {
  return {"TIM", c.tim_m, c.tim_w_mk, c.tim_j_m3k, node};
}
ThermalLayer plate(const ThermalConfig& c, const char* name, double share) {
  return {name, c.plate_m * share, c.plate_w_mk, c.plate_j_m3k, true};
}

}  // namespace

double ThermalStack::resistance() const {
  double sum = 1 / convection_w_m2k;
  for (const ThermalLayer& layer : layers) sum += layer.thickness_m / layer.conductivity_w_mk;
  return sum;
}

void ThermalStack::validate(base::ConfigErrors& errors, const std::string& place) const {
  const auto positive = [&](const std::string& path, double value, double most) {
    if (!(value > 0 && value <= most)) {
      errors.add(path, fmt::format("{}", value),
                 fmt::format("must be positive, at most {:g}", most), place);
    }
  };
  positive("width_m", width_m, 10);
  positive("height_m", height_m, 10);
  positive("convection_w_m2k", convection_w_m2k, 1e9);
  positive("flow_kg_s", flow_kg_s, 1e6);
  positive("coolant_j_kgk", coolant_j_kgk, 1e6);
  if (!(inlet_c >= -200 && inlet_c <= 500))
    errors.add("inlet_c", fmt::format("{}", inlet_c), "must be -200 .. 500", place);
  if (layers.empty()) errors.add("layers", "", "must have at least one entry", place);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const ThermalLayer& layer = layers[i];
    const std::string path =
        fmt::format("layers.{}", layer.name.empty() ? std::to_string(i) : layer.name);
    positive(path + ".thickness_m", layer.thickness_m, 1);
    positive(path + ".conductivity_w_mk", layer.conductivity_w_mk, 1e5);
    positive(path + ".heat_j_m3k", layer.heat_j_m3k, 1e9);
  }
  if (!layers.empty() && !layers.front().node)
    errors.add("layers." + layers.front().name + ".node", "false",
               "must be true: the first layer takes up the heat", place);
}

ThermalStack ThermalConfig::stack() const {
  return around(*this, {silicon(*this), tim(*this, false), plate(*this, "upper plate", 0.5),
                        plate(*this, "lower plate", 0.5)});
}

ThermalStack ThermalConfig::detailed_stack() const {
  return around(*this, {silicon(*this), tim(*this, true), plate(*this, "spreader", 1.0 / 3),
                        plate(*this, "sink", 2.0 / 3)});
}

void ThermalConfig::validate(base::ConfigErrors& errors) const {
  const auto positive = [&](const char* name, double value, double most) {
    errors.require(value > 0 && value <= most, std::string("thermal.") + name, value,
                   fmt::format("must be positive, at most {:g}", most));
  };
  positive("width_m", width_m, 10);
  positive("height_m", height_m, 10);
  positive("silicon_m", silicon_m, 1);
  positive("silicon_w_mk", silicon_w_mk, 1e5);
  positive("silicon_j_m3k", silicon_j_m3k, 1e9);
  positive("tim_m", tim_m, 1);
  positive("tim_w_mk", tim_w_mk, 1e5);
  positive("tim_j_m3k", tim_j_m3k, 1e9);
  positive("plate_m", plate_m, 1);
  positive("plate_w_mk", plate_w_mk, 1e5);
  positive("plate_j_m3k", plate_j_m3k, 1e9);
  positive("convection_w_m2k", convection_w_m2k, 1e9);
  positive("flow_kg_s", flow_kg_s, 1000);
  positive("coolant_j_kgk", coolant_j_kgk, 1e6);
  errors.require(inlet_c >= -50 && inlet_c <= 150, "thermal.inlet_c", inlet_c,
                 "must be -50 .. 150");
  const auto cells = [&](const char* name, std::uint32_t value) {
    errors.require(value >= 1 && value <= 32, std::string("thermal.") + name, value,
                   "must be 1 .. 32");
  };
  cells("die_columns", die_columns);
  cells("die_rows", die_rows);
}

}  // namespace wse::power
