// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <vector>

#include "wse/tiles/cost_terms.h"

namespace wse::tiles {

/// Cycles by cause and phase.
using Ledger = std::array<CauseCycles, base::kNumPhases>;

/// A stretch of a tile's cycles with one cause.
struct Segment {
  base::Cycles begin;
  base::Cycles end;
  base::Phase phase;
  Cause cause;
  std::uint32_t place;  ///< WorkItem::place of the work, or of the work waited for
};

/// What a tile's cycles were spent on, one cause after the other, and what of it was not yet reported.
class TileTime {
 public:
  /// The first cycle that has no cause yet.
  base::Cycles free_at() const { return free_at_; }
  /// Cycles before belong to nobody.
  void begin(base::Cycles cycle) { free_at_ = cycle; }
  /// Cycles from the last one accounted for up to `until`, if any, go to the cause.
  void spend(base::Cycles until, base::Phase phase, Cause cause, std::uint32_t place) {
    if (until <= free_at_) return;
    segments_.push_back({free_at_, until, phase, cause, place});
    free_at_ = until;
  }
  bool all_taken() const { return segments_.empty(); }
  /// Takes what lies before `until`: sums in `cycles`, and the same in their order in `segments`.
  void take_until(base::Cycles until, Ledger& cycles, std::vector<Segment>& segments) {
    cycles = {};
    segments.clear();
    while (!segments_.empty() && segments_.front().begin < until) {
      Segment& s = segments_.front();
      const base::Cycles end = std::min(s.end, until);
      cycles[static_cast<std::size_t>(s.phase)][static_cast<std::size_t>(s.cause)] += end - s.begin;
      segments.push_back({s.begin, end, s.phase, s.cause, s.place});
      s.begin = end;
      if (s.begin < s.end) break;
      segments_.pop_front();
    }
  }

 private:
  std::deque<Segment> segments_;
  base::Cycles free_at_ = 0;
};

}  // namespace wse::tiles
