// SPDX-License-Identifier: Apache-2.0
#include "wse/base/clock_epochs.h"

#include <algorithm>

#include "wse/base/check.h"

namespace wse::base {
namespace {

constexpr std::uint64_t kPicosecondsPerSecond = 1'000'000'000'000ULL;

Picoseconds edge(const ClockEpoch& epoch, Cycles n) {
  const WideUint doubled = static_cast<WideUint>(n) * kPicosecondsPerSecond * 2 + epoch.hz;
  return epoch.time + static_cast<Picoseconds>(doubled / (WideUint{2} * epoch.hz));
}

}  // namespace

ClockEpochs::ClockEpochs(std::uint64_t hz) {
  WSE_CHECK(hz > 0 && hz <= kPicosecondsPerSecond / 2, "core clock out of range");
  epochs_.push_back({0, 0, hz});
}

void ClockEpochs::change(Picoseconds time, std::uint64_t hz) {
  WSE_CHECK(hz > 0, "core clock must not stop");
  WSE_CHECK(time >= epochs_.back().time, "clock epochs are posted in order");
  const Cycles first = find_cycle(time);
  const ClockEpoch next{first, time_of(first), hz};
  if (epochs_.back().cycle == first) {
    epochs_.back() = next;
  } else {
    epochs_.push_back(next);
  }
  asked_time_ = 0;  // cycle 0 is at time 0 in every table
  answered_cycle_ = 0;
}

Picoseconds ClockEpochs::time_of(Cycles cycle) const {
  auto it = epochs_.end() - 1;
  while (it->cycle > cycle) --it;  // the last epochs are asked for: no search
  return edge(*it, cycle - it->cycle);
}

Cycles ClockEpochs::cycle_at_or_after(Picoseconds time) const {
  if (time != asked_time_) {
    answered_cycle_ = find_cycle(time);
    asked_time_ = time;
  }
  return answered_cycle_;
}

Cycles ClockEpochs::find_cycle(Picoseconds time) const {
  auto it = epochs_.end() - 1;
  while (it->time > time && it != epochs_.begin()) --it;
  Cycles n = mul_div(time - it->time, it->hz, kPicosecondsPerSecond);
  while (n > 0 && edge(*it, n - 1) >= time) --n;
  while (edge(*it, n) < time) ++n;
  // Edges between this epoch's last and the next epoch's first do not exist.
  const Cycles cycle = it->cycle + n;
  return it + 1 == epochs_.end() ? cycle : std::min(cycle, (it + 1)->cycle);
}

std::uint64_t ClockEpochs::hz_at(Cycles cycle) const {
  auto it = epochs_.end() - 1;
  while (it->cycle > cycle) --it;
  return it->hz;
}

}  // namespace wse::base
