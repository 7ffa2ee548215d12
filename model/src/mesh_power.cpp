// SPDX-License-Identifier: Apache-2.0
#include "wse/model/mesh_power.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "wse/power/load_power.h"
#include "wse/power/thermal_course.h"

namespace wse::model {
namespace {

double sum_of(const std::vector<double>& all) {
  return std::accumulate(all.begin(), all.end(), 0.0);
}

/// Tiles of the mesh in each die.
std::vector<double> tiles_by_die(const base::WaferGeometry& geometry, fabric::Mesh mesh) {
  std::vector<double> tiles(geometry.dies());
  for (std::uint32_t y = 0; y < mesh.rows; ++y) {
    for (std::uint32_t x = 0; x < mesh.columns; ++x) tiles[geometry.die_of_user({x, y})] += 1;
  }
  return tiles;
}

}  // namespace

MeshPower mesh_power(const MachineConfig& machine, const power::EnergyTable& table, double mesh_w,
                     fabric::Mesh mesh) {
  const base::WaferGeometry geometry(machine.geometry);
  const auto a_die = static_cast<double>(geometry.tiles_per_die());
  const double gated_w =
      static_cast<double>(machine.core_hz) * table.joules(base::EventKind::kClockGated);
  const std::vector<double> tiles = tiles_by_die(geometry, mesh);
  MeshPower power;
  power.mesh_w = mesh_w;
  power.constant_w = table.constant_w();
  power.others_w = (a_die * geometry.dies() - mesh.tiles()) * gated_w;
  power::ThermalCourse heat(machine.thermal, machine.geometry.die_columns,
                            machine.geometry.die_rows);
  std::vector<double> leakage(geometry.dies());
  power.die_c.assign(geometry.dies(), machine.thermal.inlet_c);
  power.die_w.assign(geometry.dies(), 0.0);
  constexpr int kMostRounds = 100;
  for (int round = 0; round < kMostRounds; ++round) {
    power.mesh_leakage_w = 0;
    for (std::size_t die = 0; die < leakage.size(); ++die) {
      const double core_w = power::leakage_w(table, machine.power, power.die_c[die]);
      leakage[die] = a_die * core_w;
      power.mesh_leakage_w += tiles[die] * core_w;
      power.die_w[die] = leakage[die] + power.constant_w / geometry.dies() +
                         (a_die - tiles[die]) * gated_w + tiles[die] * mesh_w / mesh.tiles();
    }
    power.leakage_w = sum_of(leakage);
    heat.grid().steady(heat.cells().spread(power.die_w));
    heat.publish();
    double change = 0;
    for (std::size_t die = 0; die < leakage.size(); ++die) {
      change = std::max(change, std::abs(heat.mean_c()[die] - power.die_c[die]));
    }
    power.die_c = heat.mean_c();
    power.hottest_c = heat.hottest_c();
    power.mean_c = sum_of(power.die_c) / geometry.dies();
    if (change < 1e-6) return power;
    if (!(power.hottest_c < 1000)) break;
  }
  throw std::runtime_error("temperatures run away: leakage grows faster than heat leaves");
}

}  // namespace wse::model
