// SPDX-License-Identifier: Apache-2.0
#include "wse/base/pending_activity.h"

#include <algorithm>

#include "wse/base/check.h"

namespace wse::base {

void PendingActivity::add(Phase phase, Cycles begin, Cycles end, const EventCounts& counts) {
  if (std::all_of(counts.begin(), counts.end(), [](std::uint64_t n) { return n == 0; })) return;
  WSE_CHECK(begin < end, "activity needs time to happen in");
  work_.push_back({phase, begin, end, counts, {}});
}

const PendingActivity::ByPhase& PendingActivity::take_until(Cycles cycle) {
  result_ = {};
  for (Work& work : work_) {
    if (work.begin >= cycle) continue;
    EventCounts& sum = result_[static_cast<std::size_t>(work.phase)];
    if (work.end <= cycle) {
      for (std::size_t kind = 0; kind < kNumEventKinds; ++kind) {
        sum[kind] += work.counts[kind] - work.taken[kind];
      }
      continue;
    }
    const Cycles done = cycle - work.begin;
    for (std::size_t kind = 0; kind < kNumEventKinds; ++kind) {
      if (work.counts[kind] == 0) continue;
      const std::uint64_t until = mul_div(work.counts[kind], done, work.end - work.begin);
      sum[kind] += until - work.taken[kind];
      work.taken[kind] = until;
    }
  }
  work_.erase(std::remove_if(work_.begin(), work_.end(),
                             [cycle](const Work& work) { return work.end <= cycle; }),
              work_.end());
  return result_;
}

}  // namespace wse::base
