// SPDX-License-Identifier: Apache-2.0
#include "wse/power/thermal_grid.h"

#include <Eigen/Sparse>
#include <Eigen/SparseCholesky>
#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

namespace wse::power {
namespace {

using Matrix = Eigen::SparseMatrix<double>;
using Factor = Eigen::SimplicialLDLT<Matrix>;
using Vector = Eigen::VectorXd;

/// A node of each cell: what a layer, with its share of those that are none, has for an area of one.
struct Node {
  double sheet = 0;       ///< W/K along it, for a square
  double heat = 0;        ///< J/(K m2)
  double resistance = 0;  ///< K m2/W to the next node, or to the coolant
};

std::vector<Node> nodes_of(const ThermalStack& stack) {
  std::vector<Node> nodes;
  for (std::size_t i = 0; i < stack.layers.size(); ++i) {
    const ThermalLayer& layer = stack.layers[i];
    const double heat = layer.thickness_m * layer.heat_j_m3k;
    const double resistance = layer.thickness_m / layer.conductivity_w_mk;
    if (layer.node) {
      nodes.push_back({layer.thickness_m * layer.conductivity_w_mk, heat, resistance});
    } else {
      nodes.back().heat += heat / 2;
      nodes.back().resistance += resistance;
    }
  }
  // The other half of what a layer without a node stores goes to the next one.
  std::size_t node = 0;
  for (std::size_t i = 0; i < stack.layers.size(); ++i) {
    const ThermalLayer& layer = stack.layers[i];
    if (layer.node) {
      ++node;
    } else {
      nodes[std::min(node, nodes.size() - 1)].heat += layer.thickness_m * layer.heat_j_m3k / 2;
    }
  }
  nodes.back().resistance += 1 / stack.convection_w_m2k;
  return nodes;
}

}  // namespace

struct ThermalGrid::Solver {
  const ThermalStack stack;
  const std::vector<Node> layers;
  const int nx, ny;
  double to_coolant;  ///< W/K from the last node of a cell
  Matrix conductance;
  Vector capacity;
  Vector temperature;           ///< above the inlet
  std::vector<double> coolant;  ///< effective temperature a cell sees, above the inlet
  double coolant_out = 0;
  double removed = 0;
  std::vector<double> silicon;
  std::map<double, std::unique_ptr<Factor>> factors;  ///< by time step; 0: steady

  Solver(const ThermalStack& s, std::uint32_t columns, std::uint32_t rows)
      : stack(s), layers(nodes_of(s)), nx(static_cast<int>(columns)), ny(static_cast<int>(rows)) {
    to_coolant = cell_area() / layers.back().resistance;
    temperature = Vector::Zero(nodes());
    coolant.assign(static_cast<std::size_t>(cells()), 0.0);
    silicon.assign(static_cast<std::size_t>(cells()), stack.inlet_c);
    build();
  }
  int cells() const { return nx * ny; }
  int depth() const { return static_cast<int>(layers.size()); }
  int nodes() const { return depth() * cells(); }
  double cell_area() const { return stack.area_m2() / (double{1} * nx * ny); }
  /// Layer by layer in a cell: what is linked lies close together.
  int node(int layer, int x, int y) const { return (y * nx + x) * depth() + layer; }
  int last(int cell) const { return cell * depth() + depth() - 1; }

  void build() {
    const double dx = stack.width_m / nx;
    const double dy = stack.height_m / ny;
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
        for (int l = 0; l < depth(); ++l) {
          const Node& n = layers[static_cast<std::size_t>(l)];
          const int here = node(l, x, y);
          if (x + 1 < nx) link(here, node(l, x + 1, y), n.sheet * dy / dx);
          if (y + 1 < ny) link(here, node(l, x, y + 1), n.sheet * dx / dy);
          if (l + 1 < depth()) link(here, node(l + 1, x, y), cell_area() / n.resistance);
          capacity[here] = n.heat * cell_area();
        }
        entries.emplace_back(last(y * nx + x), last(y * nx + x), to_coolant);
      }
    }
    conductance.resize(nodes(), nodes());
    conductance.setFromTriplets(entries.begin(), entries.end());
  }

  Factor& factor(double dt) {
    constexpr std::size_t kMostFactors = 16;
    std::unique_ptr<Factor>& known = factors[dt];
    if (!known) {
      if (factors.size() > kMostFactors) {
        factors.clear();
        return factor(dt);
      }
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
      b[i * depth()] = power[static_cast<std::size_t>(i)];
      b[last(i)] += to_coolant * coolant[static_cast<std::size_t>(i)];
    }
    return b;
  }

  /// Heat that each cell gives to the coolant of its row, eastwards. Returns the largest change.
  double march() {
    const double per_row = stack.flow_kg_s * stack.coolant_j_kgk / ny;  // W/K
    // Share of the difference that the coolant takes up.
    const double taken = -std::expm1(-to_coolant / per_row);
    double change = 0;
    coolant_out = 0;
    removed = 0;
    for (int y = 0; y < ny; ++y) {
      double in = 0;
      for (int x = 0; x < nx; ++x) {
        const int cell = y * nx + x;
        const double solid = temperature[last(cell)];
        if (!stack.coolant_warms) {
          removed += solid * to_coolant;
          continue;
        }
        const double warmed = (solid - in) * taken;
        const double effective = solid - warmed * per_row / to_coolant;
        double& now = coolant[static_cast<std::size_t>(cell)];
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
      silicon[static_cast<std::size_t>(i)] = temperature[i * depth()] + stack.inlet_c;
  }

  void step(const std::vector<double>& power, double dt) {
    const Vector b = load(power) + (capacity.array() / dt * temperature.array()).matrix();
    temperature = factor(dt).solve(b);
    march();
  }

  /// After which a difference has fallen to e^-6: the slowest is that of all layers against the
  /// coolant.
  double memory_s() const {
    double heat = 0;
    for (const Node& n : layers) heat += n.heat;
    return 6 * heat * stack.resistance();
  }

  void steady(const std::vector<double>& power) {
    constexpr int kMostRounds = 1000;
    for (int round = 0; round < kMostRounds; ++round) {
      temperature = factor(0).solve(load(power));
      const double change = march();
      if (change < 1e-10) return;
      if (!(change < 1e9)) break;
    }
    throw std::runtime_error("the coolant does not settle: its flow is too small for the power");
  }
};

ThermalGrid::ThermalGrid(const ThermalStack& stack, std::uint32_t columns, std::uint32_t rows)
    : solver_(std::make_unique<Solver>(stack, columns, rows)) {}
ThermalGrid::~ThermalGrid() = default;
ThermalGrid::ThermalGrid(ThermalGrid&&) noexcept = default;

void ThermalGrid::step(const std::vector<double>& power_w, double dt_s) {
  solver_->step(power_w, dt_s);
  solver_->publish();
}

void ThermalGrid::steady(const std::vector<double>& power_w) {
  solver_->steady(power_w);
  solver_->publish();
}

int ThermalGrid::settle_periodic(const std::vector<Segment>& period, double tolerance_k) {
  Solver& s = *solver_;
  std::vector<double> mean(static_cast<std::size_t>(s.cells()), 0.0);
  double seconds = 0;
  for (const Segment& segment : period) {
    seconds += segment.seconds;
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += segment.power_w[i] * segment.seconds;
  }
  for (double& w : mean) w /= seconds;
  s.steady(mean);
  // Of a long period only the end is remembered.
  if (seconds > s.memory_s()) {
    std::size_t first = period.size();
    for (double left = s.memory_s(); left > 0; left -= period[first].seconds) --first;
    for (; first < period.size(); ++first) s.step(period[first].power_w, period[first].seconds);
    s.publish();
    return 1;
  }
  // The steady state has the right mean; a period brings the ripple to it. What is left falls by the
  // same factor each period: the sum of that series is taken at once.
  constexpr int kMostPeriods = 200;
  Vector before = s.temperature;
  Vector drift;
  int periods = 0;
  while (periods < kMostPeriods) {
    for (const Segment& segment : period) s.step(segment.power_w, segment.seconds);
    ++periods;
    const Vector now = s.temperature - before;
    const double largest = now.cwiseAbs().maxCoeff();
    if (largest < tolerance_k) break;
    if (drift.size() != 0 && periods % 2 == 0) {
      const double factor = now.dot(drift) / drift.squaredNorm();
      if (factor > 0 && factor < 0.999) s.temperature += now * (factor / (1 - factor));
    }
    drift = now;
    before = s.temperature;
  }
  s.publish();
  return periods;
}

const std::vector<double>& ThermalGrid::silicon_c() const { return solver_->silicon; }
double ThermalGrid::coolant_out_c() const { return solver_->coolant_out + solver_->stack.inlet_c; }
double ThermalGrid::stored_j() const { return solver_->capacity.dot(solver_->temperature); }
double ThermalGrid::removed_w() const { return solver_->removed; }

}  // namespace wse::power
