// SPDX-License-Identifier: Apache-2.0
#include "wse/model/mesh_config.h"

namespace wse::model {

tiles::MeshConfig mesh_config(const MachineConfig& machine) {
  base::ConfigErrors errors;
  tiles::MeshConfig config;
  config.fabric = fabric::EngineConfig::of(machine.fabric, errors);
  config.compute = machine.compute_engine();
  config.sram = machine.sram;
  config.validate(errors);
  errors.throw_if_any();
  return config;
}

}  // namespace wse::model
