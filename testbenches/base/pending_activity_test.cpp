// SPDX-License-Identifier: Apache-2.0
#include "wse/base/pending_activity.h"

#include <gtest/gtest.h>

#include "wse/base/check.h"
#include "wse/base/random.h"
#include "wse/base/result_hash.h"

namespace wse::base {
namespace {

TEST(PendingActivityTest, SharesOfWindowsAddUpToTheCountExactly) {
  Random random(3);
  for (int run = 0; run < 200; ++run) {
    PendingActivity pending;
    EventCounts given{};
    for (int i = 0; i < 20; ++i) {
      EventCounts counts{};
      at(counts, EventKind::kLinkHop) = random.below(1'000'000'000'000);
      at(counts, EventKind::kRamp) = random.below(7);
      const Cycles begin = random.below(5'000);
      pending.add(Phase::kForward, begin, begin + 1 + random.below(9'000), counts);
      for (std::size_t k = 0; k < kNumEventKinds; ++k) given[k] += counts[k];
    }
    EventCounts taken{};
    for (Cycles window = 1; !pending.empty(); ++window) {
      const auto& now = pending.take_until(window * 777)[static_cast<std::size_t>(Phase::kForward)];
      for (std::size_t k = 0; k < kNumEventKinds; ++k) taken[k] += now[k];
    }
    EXPECT_EQ(taken, given) << "run " << run;
  }
}

TEST(PendingActivityTest, NothingIsReportedBeforeItHappens) {
  PendingActivity pending;
  EventCounts counts{};
  at(counts, EventKind::kRamp) = 100;
  pending.add(Phase::kBackward, 1'000, 2'000, counts);
  const auto share = [&pending](Cycles until) {
    return at(pending.take_until(until)[static_cast<std::size_t>(Phase::kBackward)],
              EventKind::kRamp);
  };
  EXPECT_EQ(share(1'000), 0u);
  EXPECT_EQ(share(1'500), 50u);
  EXPECT_EQ(share(2'000), 50u);
  EXPECT_THROW(pending.add(Phase::kForward, 5, 5, counts), InternalError);
}

TEST(ResultHashTest, DependsOnEveryBitAndOnTheOrder) {
  ResultHash a;
  a.add(1);
  a.add(2);
  ResultHash b;
  b.add(2);
  b.add(1);
  EXPECT_NE(a.value(), b.value());
  EXPECT_EQ(ResultHash().text(), "cbf29ce484222325");  // FNV-1a offset basis
}

}  // namespace
}  // namespace wse::base
