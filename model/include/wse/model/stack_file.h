// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "wse/base/config_errors.h"
#include "wse/power/thermal_stack.h"

namespace wse::model {

/// Reads a stack of layers for `wse power --stack`; what it does not say stays as it is. Every violation
/// is added with its place. Example:
///
///     width_m: 0.215
///     height_m: 0.215
///     layers:
///       - {name: silicon, thickness_m: 0.775e-3, conductivity_w_mk: 120, heat_j_m3k: 1.63e6}
///       - {name: TIM, thickness_m: 50e-6, conductivity_w_mk: 5, heat_j_m3k: 2.0e6, node: false}
///       - {name: plate, thickness_m: 3e-3, conductivity_w_mk: 390, heat_j_m3k: 3.45e6}
///     convection_w_m2k: 20000
///     coolant: {flow_kg_s: 0.5, heat_j_kgk: 4181, inlet_c: 25}
void read_stack(const std::string& file, power::ThermalStack& stack, base::ConfigErrors& errors);

}  // namespace wse::model
