// SPDX-License-Identifier: Apache-2.0
// The thermal grid against solutions that can be written down.

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <numeric>

#include "wse/power/die_cells.h"
#include "wse/power/thermal_grid.h"

namespace wse::power {
namespace {

constexpr double kPi = 3.14159265358979323846;

/// Layers of a machine over a coolant that does not warm, temperatures above it.
ThermalStack above_coolant(ThermalStack stack) {
  stack.coolant_warms = false;
  stack.inlet_c = 0;
  return stack;
}

/// One layer that conducts along itself and, without a resistance of its own, to the coolant.
struct Sheet {
  double along_w_k = 1.263;   ///< conductivity times thickness
  double out_w_m2k = 20'000;  ///< to the coolant
  double heat_j_m2k = 11'613;

  double lambda() const { return std::sqrt(along_w_k / out_w_m2k); }
  ThermalStack stack() const {
    constexpr double kThin = 1e-9;  // so that the way through it resists nothing
    ThermalStack stack;
    stack.layers = {{"sheet", kThin, along_w_k / kThin, heat_j_m2k / kThin, true}};
    stack.convection_w_m2k = out_w_m2k;
    return above_coolant(stack);
  }
};

std::vector<double> steady(const ThermalStack& stack, std::uint32_t nx, std::uint32_t ny,
                           const std::vector<double>& power) {
  ThermalGrid grid(stack, nx, ny);
  grid.steady(power);
  return grid.silicon_c();
}

// 1
TEST(ThermalClosedFormsTest, UniformPowerRisesByTheSumOfTheResistances) {
  for (const ThermalStack& stack :
       {above_coolant(ThermalConfig().stack()), above_coolant(ThermalConfig().detailed_stack())}) {
    const double rise = 15'000 / stack.area_m2() * stack.resistance();
    EXPECT_NEAR(rise, 24.06, 0.005);
    for (const double t : steady(stack, 12, 7, std::vector<double>(84, 15'000.0 / 84))) {
      EXPECT_NEAR(t / rise, 1, 1e-9);
    }
  }
}

// 2
TEST(ThermalClosedFormsTest, WhatComesInGoesOutOrStays) {
  const ThermalStack stack = above_coolant(ThermalConfig().stack());
  ThermalGrid grid(stack, 24, 14);
  std::vector<double> power(336, 0.0);
  std::iota(power.begin(), power.end(), 1.0);
  const double all = std::accumulate(power.begin(), power.end(), 0.0);
  double stored = 0;
  double out = 0;
  for (int i = 0; i < 3000; ++i) {
    grid.step(power, 0.001);
    const double balance = grid.removed_w() + (grid.stored_j() - stored) / 0.001;
    ASSERT_NEAR(balance / all, 1, 1e-10) << i;
    stored = grid.stored_j();
    out += grid.removed_w() * 0.001;
  }
  EXPECT_NEAR((out + stored) / (all * 3), 1, 1e-9);
  ThermalGrid warmed(ThermalConfig().stack(), 24, 14);
  warmed.steady(power);
  EXPECT_NEAR((warmed.coolant_out_c() - 25) * 0.5 * 4181 / all, 1, 1e-10);
  EXPECT_NEAR(warmed.removed_w() / all, 1, 1e-10);
}

// 3
TEST(ThermalClosedFormsTest, AStepOfPowerHasTheErrorOfBackwardEuler) {
  Sheet sheet;
  sheet.out_w_m2k = 16'667;
  const double flux = 15'000 / (0.215 * 0.215);
  const double end = flux / sheet.out_w_m2k;
  const double tau = sheet.heat_j_m2k / sheet.out_w_m2k;
  EXPECT_NEAR(end, 19.47, 0.005);
  EXPECT_NEAR(tau, 0.697, 0.0005);
  const auto largest_error = [&](double dt) {
    ThermalGrid grid(sheet.stack(), 1, 1);
    double largest = 0;
    for (int i = 1; i * dt < 3; ++i) {
      grid.step({15'000}, dt);
      largest =
          std::max(largest, std::abs(grid.silicon_c()[0] - end * (1 - std::exp(-i * dt / tau))));
    }
    return largest;
  };
  const double at_1_ms = largest_error(0.001);
  EXPECT_NEAR(at_1_ms / (end * 0.001 / (2 * tau * std::exp(1.0))), 1, 0.02);
  EXPECT_NEAR(at_1_ms / largest_error(0.0005), 2, 0.02);
}

/// The column of nodes under uniform power, by its modes.
double column_rise(double seconds) {
  const ThermalConfig c;
  const double flux = 15'000 / (c.width_m * c.height_m);
  const double out[3] = {c.silicon_m / c.silicon_w_mk + c.tim_m / c.tim_w_mk,
                         c.plate_m / 2 / c.plate_w_mk,
                         c.plate_m / 2 / c.plate_w_mk + 1 / c.convection_w_m2k};
  const double plate = c.plate_m / 2 * c.plate_j_m3k;
  const double tim = c.tim_m * c.tim_j_m3k / 2;
  const Eigen::Vector3d heat(c.silicon_m * c.silicon_j_m3k + tim, plate + tim, plate);
  Eigen::Matrix3d g = Eigen::Matrix3d::Zero();
  for (int n = 0; n < 3; ++n) {
    g(n, n) += 1 / out[n];
    if (n == 2) break;
    g(n + 1, n + 1) += 1 / out[n];
    g(n, n + 1) -= 1 / out[n];
    g(n + 1, n) -= 1 / out[n];
  }
  const Eigen::Vector3d root = heat.cwiseSqrt();
  const Eigen::Matrix3d scaled =
      root.cwiseInverse().asDiagonal() * g * root.cwiseInverse().asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> modes(scaled);
  Eigen::Vector3d part = modes.eigenvectors().transpose() * Eigen::Vector3d(flux / root[0], 0, 0);
  for (int n = 0; n < 3; ++n) {
    const double rate = modes.eigenvalues()[n];
    part[n] *= (1 - std::exp(-rate * seconds)) / rate;
  }
  return (modes.eigenvectors() * part)[0] / root[0];
}

TEST(ThermalClosedFormsTest, TheColumnFollowsItsModes) {
  ThermalGrid grid(above_coolant(ThermalConfig().stack()), 1, 1);
  for (int i = 1; i <= 10'000; ++i) {
    grid.step({15'000}, 1e-4);
    if (i % 500 != 0) continue;
    EXPECT_NEAR(grid.silicon_c()[0] / column_rise(i * 1e-4), 1, 1e-3) << i;
  }
}

// 4
TEST(ThermalClosedFormsTest, AFinCoolsWithTheHyperbolicCosine) {
  Sheet sheet;
  sheet.out_w_m2k = 16'667;
  const double m = 1 / sheet.lambda();
  const double length = 0.215;
  const std::pair<std::uint32_t, double> kErrors[] = {
      {24, 5.5e-2}, {48, 2.2e-2}, {96, 6.9e-3}, {192, 1.9e-3}};
  for (const auto& [cells, tolerance] : kErrors) {
    std::vector<double> power(cells, 0.0);
    power[0] = 100;
    const std::vector<double> t = steady(sheet.stack(), cells, 1, power);
    // All heat enters by the face of the first cell, half a cell before its node.
    const double dx = length / cells;
    const double base = t[0] + 100 * dx / 2 / (sheet.along_w_k * 0.215);
    double largest = 0;
    for (std::uint32_t i = 0; i < cells; ++i) {
      const double x = (i + 0.5) * dx;
      const double exact = base * std::cosh(m * (length - x)) / std::cosh(m * length);
      largest = std::max(largest, std::abs(t[i] - exact) / base);
    }
    EXPECT_LT(largest, 1.05 * tolerance) << cells;
  }
}

// 5
TEST(ThermalClosedFormsTest, APointSourceFollowsTheBesselFunction) {
  const Sheet sheet;
  const double width = 0.215;
  // Cells a row, error at 10 to 30 mm, error of the heated cell.
  const std::tuple<std::uint32_t, double, double> kErrors[] = {
      {95, 0.010, 0.02}, {189, 0.003, 0.006}, {379, 0.0010, 0.0015}};
  for (const auto& [n, around, own] : kErrors) {
    std::vector<double> power(std::size_t{n} * n, 0.0);
    const std::uint32_t middle = n / 2;
    power[middle * n + middle] = 10;
    const std::vector<double> t = steady(sheet.stack(), n, n, power);
    const double cell = width / n;
    const double scale = 10 / (2 * kPi * sheet.along_w_k);
    const auto exact = [&](double r) { return scale * std::cyl_bessel_k(0, r / sheet.lambda()); };
    for (std::uint32_t i = middle + 1; i < n; ++i) {
      const double r = (i - middle) * cell;
      if (r < 0.010 || r > 0.030) continue;
      EXPECT_NEAR(t[middle * n + i] / exact(r), 1, around) << n << " cells, " << r;
    }
    EXPECT_NEAR(t[middle * n + middle] / exact(0.1985 * cell), 1, own) << n;
  }
}

TEST(ThermalClosedFormsTest, ADiscFollowsTheBesselFunctions) {
  const Sheet sheet;
  constexpr int kCells = 301;
  constexpr int kMiddle = kCells / 2;
  constexpr double kRadius = 0.020;
  const double cell = 0.215 / kCells;
  std::vector<double> power(std::size_t{kCells} * kCells, 0.0);
  const double flux = 1e5;
  double area = 0;
  for (int y = 0; y < kCells; ++y) {
    for (int x = 0; x < kCells; ++x) {
      const double r = cell * std::hypot(x - kMiddle, y - kMiddle);
      if (r > kRadius) continue;
      power[static_cast<std::size_t>(y * kCells + x)] = flux * cell * cell;
      area += cell * cell;
    }
  }
  const double a = std::sqrt(area / kPi);  // of a disc as large as the cells
  const double lambda = sheet.lambda();
  const std::vector<double> t = steady(sheet.stack(), kCells, kCells, power);
  const double rise = flux / sheet.out_w_m2k;
  EXPECT_NEAR(
      t[kMiddle * kCells + kMiddle] / (rise * (1 - a / lambda * std::cyl_bessel_k(1, a / lambda))),
      1, 1e-3);
  for (int i = kMiddle; i < kCells; ++i) {
    const double r = (i - kMiddle) * cell;
    if (r < 1.2 * a || r > 2 * a) continue;
    const double exact =
        rise * a / lambda * std::cyl_bessel_i(1, a / lambda) * std::cyl_bessel_k(0, r / lambda);
    EXPECT_NEAR(t[static_cast<std::size_t>(kMiddle * kCells + i)] / exact, 1, 5e-3) << r;
  }
}

/// Mean rise of a die over 500 W in another one, layers of the detailed stack, by cosine modes.
class CosineSeries {
 public:
  CosineSeries(std::uint32_t row, std::uint32_t column) : row_(row), column_(column) {}
  double rise(std::uint32_t row, std::uint32_t column) const {
    double sum = 0;
    for (int m = 0; m < kModes; ++m) {
      const double x = mean(m, column_, 12) * mean(m, column, 12) * (m == 0 ? 1 : 2);
      if (x == 0) continue;
      for (int n = 0; n < kModes; ++n) {
        const double y = mean(n, row_, 7) * mean(n, row, 7) * (n == 0 ? 1 : 2);
        sum += x * y / admittance(std::hypot(m * kPi / stack_.width_m, n * kPi / stack_.height_m));
      }
    }
    return 500 / stack_.area_m2() * sum;
  }

 private:
  static constexpr int kModes = 1500;
  /// Of the cosine of a mode over a block of several side by side.
  static double mean(int mode, std::uint32_t block, std::uint32_t blocks) {
    if (mode == 0) return 1;
    const double step = mode * kPi / blocks;
    return (std::sin(step * (block + 1)) - std::sin(step * block)) / step;
  }
  /// From the active face to the coolant, as nodes at the upper face of each layer see it.
  double admittance(double k) const {
    const double k2 = k * k;
    double y = 0;
    for (std::size_t l = stack_.layers.size(); l-- > 0;) {
      const ThermalLayer& layer = stack_.layers[l];
      const double out =
          l + 1 == stack_.layers.size()
              ? layer.thickness_m / layer.conductivity_w_mk + 1 / stack_.convection_w_m2k
              : layer.thickness_m / layer.conductivity_w_mk + 1 / y;
      y = layer.thickness_m * layer.conductivity_w_mk * k2 + 1 / out;
    }
    return y;
  }
  const std::uint32_t row_, column_;
  const ThermalStack stack_ = ThermalConfig().detailed_stack();
};

// 6
TEST(ThermalClosedFormsTest, ABlockFollowsTheCosineSeries) {
  const CosineSeries series(3, 5);
  EXPECT_NEAR(series.rise(3, 5), 36.5139, 0.001);
  EXPECT_NEAR(series.rise(3, 4), 7.2616, 0.001);
  EXPECT_NEAR(series.rise(2, 5), 3.8006, 0.001);
  EXPECT_NEAR(series.rise(2, 4), 1.4572, 0.001);
  EXPECT_NEAR(series.rise(3, 3), 0.6663, 0.001);
  const ThermalStack stack = above_coolant(ThermalConfig().detailed_stack());
  // Columns and rows of cells, and the error of the heated die.
  const std::tuple<std::uint32_t, std::uint32_t, double> kErrors[] = {
      {48, 28, 0.07}, {84, 84, 0.023}, {144, 140, 0.0095}};
  for (const auto& [nx, ny, tolerance] : kErrors) {
    const DieCells cells(nx, ny, 12, 7);
    std::vector<double> power(84, 0.0);
    power[3 * 12 + 5] = 500;
    const std::vector<double> t = cells.mean(steady(stack, nx, ny, cells.spread(power)));
    EXPECT_NEAR(t[3 * 12 + 5] / 36.5139, 1, tolerance) << nx;
    EXPECT_GT(t[3 * 12 + 5], 36.5139);
    EXPECT_NEAR(t[3 * 12 + 4], 7.2616, 7.2616 * tolerance * 2) << nx;
    EXPECT_NEAR(t[2 * 12 + 5], 3.8006, 3.8006 * tolerance * 3) << nx;
  }
}

// 7
TEST(ThermalClosedFormsTest, CoolantThatWarmsFollowsTheTwoExponentials) {
  Sheet sheet;
  sheet.out_w_m2k = 16'667;
  const double kt = sheet.along_w_k;
  const double g = sheet.out_w_m2k;
  const double length = 0.215;
  const double flux = 15'000 / (length * length);
  const double flow = 0.5 * 4181 / length;
  const double half = g / (2 * flow);
  const double r1 = -half + std::sqrt(half * half + g / kt);
  const double r2 = -half - std::sqrt(half * half + g / kt);
  const double e1 = std::exp(r1 * length);
  const double e2 = std::exp(r2 * length);
  const double slope = -flux / flow;  // r1 c1 + r2 c2, and with the exponentials
  const double d2 = (slope - slope * e1) / (e2 - e1);
  const double d1 = slope - d2;
  const double b = kt * flux / (flow * flow);
  // The coolant enters at the temperature of the inlet.
  const double at_inlet = b + kt / flow * (d1 + d2);
  ThermalStack stack = sheet.stack();
  stack.coolant_warms = true;
  constexpr std::uint32_t kCells = 24;
  const std::vector<double> t =
      steady(stack, kCells, 1, std::vector<double>(kCells, 15'000.0 / kCells));
  EXPECT_NEAR(at_inlet, 0, 1e-9);
  for (std::uint32_t i = 0; i < kCells; ++i) {
    const double x = (i + 0.5) * length / kCells;
    const double exact =
        flux * x / flow + b + flux / g + d1 / r1 * std::exp(r1 * x) + d2 / r2 * std::exp(r2 * x);
    EXPECT_NEAR(t[i], exact, 0.01) << i;
  }
}

// 8
TEST(ThermalClosedFormsTest, ReciprocityAndSuperposition) {
  const ThermalStack stack = above_coolant(ThermalConfig().stack());
  const auto one = [&](std::size_t cell) {
    std::vector<double> power(84, 0.0);
    power[cell] = 500;
    return steady(stack, 12, 7, power);
  };
  const std::vector<double> a = one(40);
  const std::vector<double> b = one(3);
  const std::vector<double> c = one(41);
  EXPECT_NEAR(a[41] / c[40], 1, 1e-10);
  EXPECT_NEAR(a[3] / b[40], 1, 1e-10);
  EXPECT_NEAR(a[39] / a[41], 1, 0.05);  // nearly in the middle
  std::vector<double> both(84, 0.0);
  both[40] = 500;
  both[3] = 500;
  const std::vector<double> sum = steady(stack, 12, 7, both);
  for (std::size_t i = 0; i < 84; ++i) EXPECT_NEAR(sum[i] / (a[i] + b[i]), 1, 1e-10);
}

}  // namespace
}  // namespace wse::power
