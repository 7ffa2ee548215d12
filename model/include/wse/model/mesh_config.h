// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wse/model/settings.h"
#include "wse/tiles/tile_mesh.h"

namespace wse::model {

/// What a machine's tiles and routers are at the cycle level. Throws ConfigError.
tiles::MeshConfig mesh_config(const MachineConfig& machine);

}  // namespace wse::model
