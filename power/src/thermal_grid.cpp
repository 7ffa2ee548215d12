// SPDX-License-Identifier: Apache-2.0
#include "wse/power/thermal_grid.h"

#include <Eigen/Sparse>
#include <Eigen/SparseCholesky>
#include <cmath>
#include <map>
#include <stdexcept>

namespace wse::power {
namespace {

using Matrix = Eigen::SparseMatrix<double>;
using Factor = Eigen::SimplicialLDLT<Matrix>;
using Vector = Eigen::VectorXd;
constexpr int kLayers = 3;  ///< silicon, upper plate, lower plate

}  // namespace

struct ThermalGrid::Solver {
  ThermalConfig config;
  int nx;
  int ny;
  double area;        ///< of a cell
  double to_coolant;  ///< W/K from the lower plate of a cell
  Matrix conductance;
  Vector capacity;
  Vector temperature;           ///< above the inlet
  std::vector<double> coolant;  ///< effective temperature a cell sees, above the inlet
  double coolant_out = 0;
  double removed = 0;
  std::vector<double> silicon;
  std::map<double, std::unique_ptr<Factor>> factors;  ///< by time step; 0: steady

  Solver(const ThermalConfig& c, std::uint32_t columns, std::uint32_t rows)
      : config(c), nx(static_cast<int>(columns)), ny(static_cast<int>(rows)) {
    area = c.width_m / nx * c.height_m / ny;
    const double half_plate =
        c.plate_m / 4 / c.plate_w_mk;  // node in the middle of each half of the plate
    to_coolant = area / (half_plate + 1 / c.convection_w_m2k);
    temperature = Vector::Zero(nodes());
    coolant.assign(static_cast<std::size_t>(cells()), 0.0);
    silicon.assign(static_cast<std::size_t>(cells()), c.inlet_c);
    build();
  }
  int cells() const { return nx * ny; }
  int nodes() const { return kLayers * cells(); }
  int node(int layer, int x, int y) const { return layer * cells() + y * nx + x; }

  void build() {
    const ThermalConfig& c = config;
    const double dx = c.width_m / nx;
    const double dy = c.height_m / ny;
    // The heat enters at the far face of the silicon: its whole thickness counts, then the TIM.
    const double r01 =
        c.silicon_m / c.silicon_w_mk + c.tim_m / c.tim_w_mk + c.plate_m / 4 / c.plate_w_mk;
    const double r12 = c.plate_m / 2 / c.plate_w_mk;
    const double sheet[kLayers] = {c.silicon_m * c.silicon_w_mk, c.plate_m / 2 * c.plate_w_mk,
                                   c.plate_m / 2 * c.plate_w_mk};
    const double heat[kLayers] = {c.silicon_m * c.silicon_j_m3k + c.tim_m * c.tim_j_m3k / 2,
                                  c.plate_m / 2 * c.plate_j_m3k + c.tim_m * c.tim_j_m3k / 2,
                                  c.plate_m / 2 * c.plate_j_m3k};
    std::vector<Eigen::Triplet<double>> entries;
    const auto link = [&entries](int a, int b, double g) {
      entries.emplace_back(a, a, g);
      entries.emplace_back(b, b, g);
      entries.emplace_back(a, b, -g);
      entries.emplace_back(b, a, -g);
    };
    capacity.resize(nodes());
    for (int y = 0; y < ny; ++y) {
      for (int x = 0; x < nx; ++x) {
        for (int layer = 0; layer < kLayers; ++layer) {
          if (x + 1 < nx) link(node(layer, x, y), node(layer, x + 1, y), sheet[layer] * dy / dx);
          if (y + 1 < ny) link(node(layer, x, y), node(layer, x, y + 1), sheet[layer] * dx / dy);
          capacity[node(layer, x, y)] = heat[layer] * area;
        }
        link(node(0, x, y), node(1, x, y), area / r01);
        link(node(1, x, y), node(2, x, y), area / r12);
        entries.emplace_back(node(2, x, y), node(2, x, y), to_coolant);
      }
    }
    conductance.resize(nodes(), nodes());
    conductance.setFromTriplets(entries.begin(), entries.end());
  }

  Factor& factor(double dt) {
    std::unique_ptr<Factor>& known = factors[dt];
    if (!known) {
      Matrix matrix = conductance;
      if (dt > 0) {
        for (int i = 0; i < nodes(); ++i) matrix.coeffRef(i, i) += capacity[i] / dt;
      }
      known = std::make_unique<Factor>(matrix);
      if (known->info() != Eigen::Success)
        throw std::runtime_error("the thermal grid has no solution");
    }
    return *known;
  }

  Vector load(const std::vector<double>& power) const {
    Vector b = Vector::Zero(nodes());
    for (int i = 0; i < cells(); ++i) {
      b[i] = power[static_cast<std::size_t>(i)];
      b[2 * cells() + i] = to_coolant * coolant[static_cast<std::size_t>(i)];
    }
    return b;
  }

  /// Heat that each cell gives to the coolant of its row, eastwards. Returns the largest change.
  double march() {
    const double per_row = config.flow_kg_s * config.coolant_j_kgk / ny;  // W/K
    const double taken =
        -std::expm1(-to_coolant / per_row);  // share of the difference that the coolant takes up
    double change = 0;
    coolant_out = 0;
    removed = 0;
    for (int y = 0; y < ny; ++y) {
      double in = 0;
      for (int x = 0; x < nx; ++x) {
        const double solid = temperature[node(2, x, y)];
        const double warmed = (solid - in) * taken;
        const double effective = solid - warmed * per_row / to_coolant;
        double& now = coolant[static_cast<std::size_t>(y * nx + x)];
        change = std::max(change, std::abs(effective - now));
        now = effective;
        removed += warmed * per_row;
        in += warmed;
      }
      coolant_out += in / ny;
    }
    return change;
  }

  void publish() {
    for (int i = 0; i < cells(); ++i)
      silicon[static_cast<std::size_t>(i)] = temperature[i] + config.inlet_c;
  }
};

ThermalGrid::ThermalGrid(const ThermalConfig& config, std::uint32_t columns, std::uint32_t rows)
    : solver_(std::make_unique<Solver>(config, columns, rows)) {}
ThermalGrid::~ThermalGrid() = default;
ThermalGrid::ThermalGrid(ThermalGrid&&) noexcept = default;

void ThermalGrid::step(const std::vector<double>& power_w, double dt_s) {
  Solver& s = *solver_;
  const Vector b = s.load(power_w) + (s.capacity.array() / dt_s * s.temperature.array()).matrix();
  s.temperature = s.factor(dt_s).solve(b);
  s.march();
  s.publish();
}

void ThermalGrid::steady(const std::vector<double>& power_w) {
  Solver& s = *solver_;
  constexpr int kMostRounds = 200;
  for (int round = 0; round < kMostRounds; ++round) {
    s.temperature = s.factor(0).solve(s.load(power_w));
    if (s.march() < 1e-10) break;
  }
  s.publish();
}

const std::vector<double>& ThermalGrid::silicon_c() const { return solver_->silicon; }
double ThermalGrid::coolant_out_c() const { return solver_->coolant_out + solver_->config.inlet_c; }
double ThermalGrid::stored_j() const { return solver_->capacity.dot(solver_->temperature); }
double ThermalGrid::removed_w() const { return solver_->removed; }

}  // namespace wse::power
