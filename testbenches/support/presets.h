// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "wse/model/parameters.h"
#include "wse/model/training.h"

namespace wse::testing_support {

/// The settings of a machine of configs/machines/.
inline model::Settings machine_preset(const std::string& name) {
  model::Settings settings;
  model::Origins origins;
  base::ConfigErrors errors;
  model::read_settings(WSE_SOURCE_DIR "/configs/machines/" + name + ".yaml", settings, origins,
                       errors);
  errors.throw_if_any();
  return settings;
}

/// A model of configs/models/.
inline host::ModelSpec model_preset(const std::string& name) {
  return host::read_model(WSE_SOURCE_DIR "/configs/models/" + name + ".json", name);
}

/// The energies that the machines use.
inline power::EnergyTable energy_preset() {
  return power::EnergyTable::read(WSE_SOURCE_DIR "/configs/energy/n7.csv");
}

}  // namespace wse::testing_support
