// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "wse/tiles/cost_terms.h"

namespace wse::tiles {

/// Events by phase and cause.
using EventLedger = std::array<CauseEvents, base::kNumPhases>;

/// Counts the events of courses of work by phase and cause. What is alike is told once and then only
/// numbered: an item costs an increment.
class EventTally {
 public:
  /// The course in the slot gives way to another one; what it did stays in the sum.
  void replace(std::size_t slot, base::Phase phase, const CauseEvents& once);
  /// The course in the slot is done once more.
  void count(std::size_t slot) { ++courses_[slot].times; }
  /// Adds all since the last reset.
  void add_to(EventLedger& sum) const;
  void reset();

 private:
  struct Entry {
    std::uint32_t cause;
    std::uint32_t kind;
    std::uint64_t count;
  };
  struct Course {
    std::size_t phase = 0;
    std::uint64_t times = 0;
    std::vector<Entry> once;  ///< what is not zero
  };
  static void add(const Course& course, EventLedger& sum);

  std::vector<Course> courses_;
  EventLedger before_{};  ///< of courses that gave way
};

}  // namespace wse::tiles
