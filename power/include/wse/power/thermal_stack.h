// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wse/base/config_errors.h"

namespace wse::power {

/// A layer between the active face of the wafer and the coolant.
struct ThermalLayer {
  std::string name;
  double thickness_m = 0;
  double conductivity_w_mk = 0;
  double heat_j_m3k = 0;  ///< density times specific heat
  /// False: a resistance alone; the layers beside it share its heat, and nothing spreads in it.
  bool node = true;
};

/// What heat passes on its way out: layers from the active face on, then a coolant that flows
/// eastwards (along x) under the last one.
struct ThermalStack {
  double width_m = 0.215;   ///< along x
  double height_m = 0.215;  ///< along y
  std::vector<ThermalLayer> layers;
  double convection_w_m2k = 20'000;  ///< from the last layer, over the area of the wafer
  double flow_kg_s = 0.5;
  double coolant_j_kgk = 4181;
  double inlet_c = 25;
  bool coolant_warms = true;  ///< false: it has the temperature of the inlet everywhere

  /// From the active face to the coolant, K m2 / W.
  double resistance() const;
  double area_m2() const { return width_m * height_m; }
  /// `place`: file, for messages.
  void validate(base::ConfigErrors& errors, const std::string& place = "") const;
};

/// The stack of a machine: silicon, TIM and copper plate.
struct ThermalConfig {
  double width_m = 0.215;  ///< [anandtech2021]
  double height_m = 0.215;
  double silicon_m = 0.775e-3;
  double silicon_w_mk = 120;
  double silicon_j_m3k = 1.63e6;
  double tim_m = 50e-6;
  double tim_w_mk = 5;
  double tim_j_m3k = 2.0e6;
  double plate_m = 3e-3;
  double plate_w_mk = 390;
  double plate_j_m3k = 3.45e6;
  double convection_w_m2k = 20'000;
  double flow_kg_s = 0.5;
  double coolant_j_kgk = 4181;
  double inlet_c = 25;
  std::uint32_t die_columns = 4;  ///< cells of the grid in a die
  std::uint32_t die_rows = 4;

  /// With three nodes a cell, for runs: silicon, and two halves of the plate.
  ThermalStack stack() const;
  /// With four, for maps of power: the TIM stores heat, the plate is cut at a third.
  ThermalStack detailed_stack() const;
  void validate(base::ConfigErrors& errors) const;
};

}  // namespace wse::power
