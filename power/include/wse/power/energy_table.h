// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>

#include "wse/base/activity.h"
#include "wse/base/config_errors.h"

namespace wse::power {

/// Energy per event at the nominal voltage, read from a CSV file: component, action, kind,
/// energy_pj, v0, source, confidence. Two kinds are no events: leakage_mw (a core, at 60 C) and
/// constant_w (the wafer).
class EnergyTable {
 public:
  /// Throws ConfigError with every bad row (file and line): unknown, missing, double, negative, not
  /// a number.
  static EnergyTable read(const std::string& file);

  double joules(base::EventKind kind) const { return joules_[static_cast<std::size_t>(kind)]; }
  double joules(const base::EventCounts& counts) const;  ///< at v0
  double leakage_w() const { return leakage_w_; }    ///< a core at v0 and the reference temperature
  double constant_w() const { return constant_w_; }  ///< the wafer
  double v0() const { return v0_; }

 private:
  std::array<double, base::kNumEventKinds> joules_{};
  double leakage_w_ = 0;
  double constant_w_ = 0;
  double v0_ = 0;
};

}  // namespace wse::power
