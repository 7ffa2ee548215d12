// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wse/fabric/route_table.h"
#include "wse/model/settings.h"
#include "wse/power/energy_table.h"

namespace wse::model {

/// Power of a wafer of which a mesh of tiles works and all other cores wait with gated clocks.
struct MeshPower {
  double mesh_w = 0;      ///< events of the mesh's tiles, their gated clocks included
  double others_w = 0;    ///< gated clocks of all other cores
  double leakage_w = 0;   ///< of all cores
  double constant_w = 0;  ///< of the wafer
  double mesh_leakage_w = 0;
  double mean_c = 0;     ///< of the dies
  double hottest_c = 0;  ///< of the cells of the grid
  std::vector<double> die_w, die_c;

  double wafer_w() const { return mesh_w + others_w + leakage_w + constant_w; }
};

/// In the steady state of a load of `mesh_w` watts spread evenly over a mesh in the north-west corner of
/// the user rectangle, at the nominal voltage and clock, on the thermal grid of the machine. Throws
/// std::runtime_error where leakage grows faster than heat leaves.
MeshPower mesh_power(const MachineConfig& machine, const power::EnergyTable& table, double mesh_w,
                     fabric::Mesh mesh);

}  // namespace wse::model
