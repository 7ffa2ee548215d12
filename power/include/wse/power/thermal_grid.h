// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "wse/power/thermal_stack.h"

namespace wse::power {

/// Temperatures of a wafer on a grid of columns x rows cells, row by row: a node for each layer of
/// the stack, at its face towards the heat, and the coolant.
///
/// Between two nodes lies the whole thickness of the upper one, and of what is between them; behind
/// the last one its own thickness and the convection. Backward Euler with a sparse Cholesky factor
/// (Eigen's SimplicialLDLT) for each length of a step. The coolant marches eastwards with the exact
/// solution of a cell, one step behind the solid in transients and iterated in the steady state.
class ThermalGrid {
 public:
  ThermalGrid(const ThermalStack& stack, std::uint32_t columns, std::uint32_t rows);
  ~ThermalGrid();
  ThermalGrid(ThermalGrid&&) noexcept;

  /// power_w: one value a cell; dt in seconds.
  void step(const std::vector<double>& power_w, double dt_s);
  /// Sets the state to the steady one. std::runtime_error if the coolant does not settle.
  void steady(const std::vector<double>& power_w);

  /// A stretch of time with constant power.
  struct Segment {
    std::vector<double> power_w;
    double seconds = 0;
  };
  /// Sets the state to the one that a period of segments returns to, within `tolerance_k`. Returns
  /// the periods that were simulated for it.
  int settle_periodic(const std::vector<Segment>& period, double tolerance_k);

  const std::vector<double>& silicon_c() const;
  double coolant_out_c() const;
  double stored_j() const;   ///< heat above the inlet temperature
  double removed_w() const;  ///< into the coolant, after the last step

 private:
  struct Solver;
  std::unique_ptr<Solver> solver_;
};

}  // namespace wse::power
