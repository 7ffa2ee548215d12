// SPDX-License-Identifier: Apache-2.0
#include "wse/power/thermal_course.h"

#include <algorithm>
#include <cmath>

namespace wse::power {
namespace {

/// Between the active face of a die and the plate, K/W.
double resistance_to_plate(const ThermalConfig& c, std::uint32_t dies) {
  const double area = c.width_m * c.height_m / dies;
  return (c.silicon_m / c.silicon_w_mk + c.tim_m / c.tim_w_mk) / area;
}

}  // namespace

ThermalCourse::ThermalCourse(const ThermalConfig& config, std::uint32_t die_columns,
                             std::uint32_t die_rows)
    : cells_(config.die_columns * die_columns, config.die_rows * die_rows, die_columns, die_rows),
      grid_(config.stack(), config.die_columns * die_columns, config.die_rows * die_rows),
      alike_w_(kAlike / resistance_to_plate(config, die_columns * die_rows)),
      gathered_j_(std::size_t{die_columns} * die_rows, 0.0) {
  publish();
}

bool ThermalCourse::alike(const std::vector<double>& die_w) const {
  for (std::size_t die = 0; die < die_w.size(); ++die) {
    if (!(std::abs(die_w[die] - gathered_j_[die] / gathered_s_) <= alike_w_)) return false;
  }
  return true;
}

void ThermalCourse::add(const std::vector<double>& die_w, double seconds, Pace pace) {
  constexpr double kCoarsest = 0.2;
  const bool long_enough = gathered_s_ + seconds > kShortest * (1 + 1e-9);
  if (gathered_s_ > 0 && long_enough && pace != Pace::kCoarse && !alike(die_w)) catch_up();
  gathered_s_ += seconds;
  for (std::size_t die = 0; die < die_w.size(); ++die) gathered_j_[die] += die_w[die] * seconds;
  const double longest = pace == Pace::kCoarse ? kCoarsest : kLongest;
  if (pace == Pace::kAtOnce || gathered_s_ + seconds > longest * (1 + 1e-9)) catch_up();
}

void ThermalCourse::catch_up() {
  if (gathered_s_ == 0) return;
  for (double& j : gathered_j_) j /= gathered_s_;
  // Steps of one length need one factor: lengths are told to a microsecond.
  grid_.step(cells_.spread(gathered_j_), std::max(1.0, std::round(gathered_s_ * 1e6)) * 1e-6);
  std::fill(gathered_j_.begin(), gathered_j_.end(), 0.0);
  gathered_s_ = 0;
  publish();
}

void ThermalCourse::publish() {
  const std::vector<double>& t = grid_.silicon_c();
  mean_c_ = cells_.mean(t);
  hottest_c_ = *std::max_element(t.begin(), t.end());
}

}  // namespace wse::power
