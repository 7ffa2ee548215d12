// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wse/base/units.h"

namespace wse::base {

/// A stretch of time with one core clock. Edge n of the epoch is at time + round(n / f).
struct ClockEpoch {
  Cycles cycle = 0;      ///< first cycle of the epoch
  Picoseconds time = 0;  ///< its edge
  std::uint64_t hz = 0;
};

/// The one table that turns core cycles into time and back. Written by the clock control only, read
/// by the fabric and the regions. Epochs begin in the future of everything that was timed with the
/// table before.
class ClockEpochs {
 public:
  explicit ClockEpochs(std::uint64_t hz);

  /// From the first edge at or after `time` on, the clock runs at hz. `time` must not be before an
  /// epoch.
  void change(Picoseconds time, std::uint64_t hz);

  Picoseconds time_of(Cycles cycle) const;
  /// The first cycle whose edge is at or after `time`.
  Cycles cycle_at_or_after(Picoseconds time) const;
  std::uint64_t hz_at(Cycles cycle) const;
  const std::vector<ClockEpoch>& epochs() const { return epochs_; }

 private:
  Cycles find_cycle(Picoseconds time) const;

  std::vector<ClockEpoch> epochs_;
  // The same question is asked many times in a row.
  mutable Picoseconds asked_time_ = 0;
  mutable Cycles answered_cycle_ = 0;
};

}  // namespace wse::base
