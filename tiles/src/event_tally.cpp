// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/event_tally.h"

namespace wse::tiles {

void EventTally::add(const Course& course, EventLedger& sum) {
  if (course.times == 0) return;
  CauseEvents& to = sum[course.phase];
  for (const Entry& e : course.once) to[e.cause][e.kind] += course.times * e.count;
}

void EventTally::replace(std::size_t slot, base::Phase phase, const CauseEvents& once) {
  if (courses_.size() <= slot) courses_.resize(slot + 1);
  Course& course = courses_[slot];
  add(course, before_);
  course.phase = static_cast<std::size_t>(phase);
  course.times = 0;
  course.once.clear();
  for (std::uint32_t cause = 0; cause < kNumCauses; ++cause) {
    for (std::uint32_t kind = 0; kind < base::kNumEventKinds; ++kind) {
      const std::uint64_t count = once[cause][kind];
      if (count > 0) course.once.push_back({cause, kind, count});
    }
  }
}

void EventTally::add_to(EventLedger& sum) const {
  for (std::size_t phase = 0; phase < base::kNumPhases; ++phase) {
    for (std::size_t cause = 0; cause < kNumCauses; ++cause) {
      for (std::size_t kind = 0; kind < base::kNumEventKinds; ++kind) {
        sum[phase][cause][kind] += before_[phase][cause][kind];
      }
    }
  }
  for (const Course& course : courses_) add(course, sum);
}

void EventTally::reset() {
  before_ = {};
  for (Course& course : courses_) course.times = 0;
}

}  // namespace wse::tiles
