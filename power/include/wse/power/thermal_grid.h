// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "wse/base/config_errors.h"

namespace wse::power {

/// Layers and coolant under the wafer (A-021; power flows from the active face through silicon, TIM
/// and plate).
struct ThermalConfig {
  double width_m = 0.215;  ///< [anandtech2021], in flow direction (eastwards)
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

  void validate(base::ConfigErrors& errors) const;
};

/// Temperatures of a wafer on a grid of columns x rows cells: silicon, upper and lower plate,
/// coolant.
///
/// Backward Euler; the matrix is factored once per time step length. The coolant marches eastwards
/// with the exact solution of a cell, one step behind the solid in transients and iterated in the
/// steady state.
class ThermalGrid {
 public:
  ThermalGrid(const ThermalConfig& config, std::uint32_t columns, std::uint32_t rows);
  ~ThermalGrid();
  ThermalGrid(ThermalGrid&&) noexcept;

  /// power_w: one value a cell, row-major; dt in seconds.
  void step(const std::vector<double>& power_w, double dt_s);
  /// Sets the state to the steady one.
  void steady(const std::vector<double>& power_w);

  const std::vector<double>& silicon_c() const;
  double coolant_out_c() const;
  double stored_j() const;   ///< heat above the inlet temperature
  double removed_w() const;  ///< into the coolant, after the last step

 private:
  struct Solver;
  std::unique_ptr<Solver> solver_;
};

}  // namespace wse::power
