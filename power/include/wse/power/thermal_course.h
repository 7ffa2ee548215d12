// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wse/power/die_cells.h"
#include "wse/power/thermal_grid.h"

namespace wse::power {

/// Takes the temperatures of a wafer through time, window by window, in as few steps of its grid as
/// do: windows of nearly equal power are gathered.
///
/// Nearly equal: no die would be warmer or colder against its plate by more than kAlike in the end,
/// or they last no longer than kShortest together.
/// Temperatures then lag by up to kLongest, a tenth of the time constant of the plate against the
/// coolant.
class ThermalCourse {
 public:
  static constexpr double kAlike = 0.5;       ///< K
  static constexpr double kShortest = 0.010;  ///< s; half the time constant of silicon and plate
  static constexpr double kLongest = 0.064;   ///< s

  ThermalCourse(const ThermalConfig& config, std::uint32_t die_columns, std::uint32_t die_rows);

  enum class Pace { kAtOnce, kGather, kCoarse };
  /// Power of each die in a window. kAtOnce: without gathering; kCoarse: gather whatever it is, for
  /// stretches whose temperatures nobody asks for.
  void add(const std::vector<double>& die_w, double seconds, Pace pace);
  /// Steps what has been gathered.
  void catch_up();

  const ThermalGrid& grid() const { return grid_; }
  ThermalGrid& grid() { return grid_; }
  const DieCells& cells() const { return cells_; }
  /// By die; of the last step.
  const std::vector<double>& mean_c() const { return mean_c_; }
  double hottest_c() const { return hottest_c_; }
  /// To be called when the grid was set from outside.
  void publish();

 private:
  bool alike(const std::vector<double>& die_w) const;

  DieCells cells_;
  ThermalGrid grid_;
  const double alike_w_;  ///< of a die
  std::vector<double> gathered_j_;
  double gathered_s_ = 0;
  std::vector<double> mean_c_;
  double hottest_c_ = 0;
};

}  // namespace wse::power
