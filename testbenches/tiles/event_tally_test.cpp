// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/event_tally.h"

#include <gtest/gtest.h>

#include "wse/base/random.h"
#include "wse/tiles/region_core.h"

namespace wse::tiles {
namespace {

using base::Operation;
using base::WorkItem;

constexpr std::size_t index(Cause cause) { return static_cast<std::size_t>(cause); }

/// Any work but a change of the mapping, in any phase.
WorkItem random_item(base::Random& random) {
  constexpr std::array kOperations{Operation::kGemmForward,        Operation::kGemmInputGradient,
                                   Operation::kGemmWeightGradient, Operation::kAttentionForward,
                                   Operation::kAttentionBackward,  Operation::kVector,
                                   Operation::kLayerChange};
  WorkItem item;
  item.operation = kOperations[random.below(kOperations.size())];
  item.phase = static_cast<base::Phase>(random.between(1, 3));
  item.inputs = 4ULL * random.between(1, 30);
  item.outputs = random.between(1, 50);
  item.tokens = random.between(1, 200);
  item.pattern.sequence = random.between(1, 40);
  item.heads = 4;
  item.vector = static_cast<base::VectorKind>(random.below(base::kNumVectorKinds));
  return item;
}

const base::Mapping kMapping(12, 10, 1);
const base::Rectangle kTiles{{3, 9}, {2, 7}};

TEST(EventsByCauseTest, AnActiveCycleBelongsToTheCauseOfItsTimeAndWorkToItsOwn) {
  base::Random random(5);
  for (int i = 0; i < 500; ++i) {
    const WorkItem item = random_item(random);
    const CauseCycles cycles = cycles_of(item, kMapping, {}, Precision::kMixed);
    const CauseEvents by = events_by_cause(item, kMapping, {}, Precision::kMixed, kTiles);
    for (std::size_t cause = 0; cause < kNumCauses; ++cause) {
      EXPECT_EQ(at(by[cause], base::EventKind::kClockRunning), cycles[cause] * kTiles.tiles());
      EXPECT_EQ(at(by[cause], base::EventKind::kControlCycle), cycles[cause] * kTiles.tiles());
    }
    const bool again = item.phase == base::Phase::kRecompute;
    const std::uint64_t adds = at(by[index(Cause::kMultiplyAdd)], base::EventKind::kFmacMixed) +
                               at(by[index(Cause::kAttention)], base::EventKind::kFmacMixed) +
                               at(by[index(Cause::kRecompute)], base::EventKind::kFmacMixed);
    EXPECT_EQ(adds, multiply_adds(item, kMapping, kTiles));
    if (again) {
      EXPECT_EQ(sum_of(by), by[index(Cause::kRecompute)]);
    }
  }
}

TEST(EventsByCauseTest, ARecomputationCostsWhatTheFirstPassDid) {
  base::Random random(6);
  for (int i = 0; i < 100; ++i) {
    WorkItem item = random_item(random);
    item.phase = base::Phase::kForward;
    const auto first = events_of(item, kMapping, {}, Precision::kFp16, kTiles);
    item.phase = base::Phase::kRecompute;
    EXPECT_EQ(events_of(item, kMapping, {}, Precision::kFp16, kTiles), first);
  }
}

// Half of the lanes idle: half of what the steps read is padding.
TEST(EventsByCauseTest, PaddingTakesItsShareOfTheSteps) {
  WorkItem item;
  item.operation = Operation::kGemmForward;
  item.inputs = 12;
  item.outputs = 10;
  item.tokens = 10;  // one a tile, two lanes
  const CauseEvents by = events_by_cause(item, kMapping, {}, Precision::kMixed, kTiles);
  for (const auto kind : {base::EventKind::kSramRead32, base::EventKind::kIntAlu}) {
    EXPECT_GT(at(by[index(Cause::kPadding)], kind), 0u);
    EXPECT_EQ(at(by[index(Cause::kPadding)], kind), at(by[index(Cause::kMultiplyAdd)], kind));
  }
  EXPECT_EQ(at(by[index(Cause::kPadding)], base::EventKind::kFmacMixed), 0u);
}

/// Many more kinds of work than a part remembers, each several times.
TEST(EventTallyTest, APartTalliesWhatItReportsHoweverOftenCoursesGiveWay) {
  base::RegionPart region;
  region.tiles = kTiles;
  PartCore part(region, kMapping, {}, Precision::kMixed);
  base::Random random(7);
  std::vector<WorkItem> kinds(100);
  for (WorkItem& kind : kinds) kind = random_item(random);
  std::vector<WorkItem> items(1000);
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    items[i] = kinds[random.below(kinds.size())];
    items[i].id = i;
  }
  EventLedger expected{};
  Ledger cycles{};
  for (const WorkItem& item : items) {
    fabric::RampStream stream;
    stream.kind = fabric::StreamKind::kWeights;
    stream.item = &item;
    part.receive(stream);
    ASSERT_TRUE(part.next_done());
    const CauseEvents once = events_by_cause(item, kMapping, {}, Precision::kMixed, kTiles);
    const CauseCycles spent = cycles_of(item, kMapping, {}, Precision::kMixed);
    for (std::size_t cause = 0; cause < kNumCauses; ++cause) {
      cycles[static_cast<std::size_t>(item.phase)][cause] += spent[cause];
      for (std::size_t kind = 0; kind < base::kNumEventKinds; ++kind) {
        expected[static_cast<std::size_t>(item.phase)][cause][kind] += once[cause][kind];
      }
    }
  }
  const PartWindow& window = part.take_until(part.free_at() + 1);
  EventLedger tallied{};
  part.tally().add_to(tallied);
  EXPECT_EQ(tallied, expected);
  EXPECT_EQ(window.cycles, cycles);  // what a course gives again is what it would give anew
  for (std::size_t phase = 0; phase < base::kNumPhases; ++phase) {
    EXPECT_EQ(sum_of(tallied[phase]), window.events[phase]);
  }
  part.reset_tally();
  tallied = {};
  part.tally().add_to(tallied);
  EXPECT_EQ(tallied, EventLedger{});
}

}  // namespace
}  // namespace wse::tiles
