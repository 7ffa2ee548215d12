// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <vector>

#include "wse/base/activity.h"
#include "wse/base/units.h"

namespace wse::base {

/// Events of work that runs from one cycle to another, waiting to be reported window by window.
///
/// Work that spans windows is split by cycles: of n events in [begin, end), floor(n (c - begin) /
/// (end - begin)) have happened before cycle c, so the shares add up to n exactly.
class PendingActivity {
 public:
  /// begin < end unless there are no counts. Work may be added in any order.
  void add(Phase phase, Cycles begin, Cycles end, const EventCounts& counts);

  /// Events before `cycle` that no earlier call has returned, by phase.
  using ByPhase = std::array<EventCounts, kNumPhases>;
  const ByPhase& take_until(Cycles cycle);

  bool empty() const { return work_.empty(); }

 private:
  struct Work {
    Phase phase;
    Cycles begin;
    Cycles end;
    EventCounts counts;
    EventCounts taken{};
  };
  std::vector<Work> work_;
  ByPhase result_{};
};

}  // namespace wse::base
