// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/region_core.h"

#include <gtest/gtest.h>

#include "wse/base/check.h"

namespace wse::tiles {
namespace {

using base::WorkItem;
using fabric::RampStream;
using fabric::StreamKind;

class PartCoreTest : public ::testing::Test {
 protected:
  PartCoreTest() {
    config_.layer_change_cycles = 1'000;
    core_.begin_step(0);
  }
  WorkItem& change(std::uint32_t id) {  // an item of exactly 1000 cycles
    WorkItem& item = items_[id];
    item.id = id;
    item.operation = base::Operation::kLayerChange;
    return item;
  }
  static RampStream stream(StreamKind kind, const WorkItem& item, base::Cycles first,
                           base::Cycles last) {
    RampStream s;
    s.kind = kind;
    s.item = &item;
    s.first_cycle = first;
    s.last_cycle = last;
    return s;
  }
  base::Cycles spent(Cause cause, base::Cycles until) {
    base::Cycles sum = 0;
    for (const CauseCycles& phase : core_.take_until(until).cycles)
      sum += phase[static_cast<std::size_t>(cause)];
    return sum;
  }

  TileConfig config_ = [] {
    TileConfig c;
    c.layer_change_cycles = 1'000;
    return c;
  }();
  PartCore core_{
      {0, 0, 0, {{0, 10}, {0, 10}}}, base::Mapping(10, 10, 1), config_, Precision::kMixed};
  WorkItem items_[8];
};

TEST_F(PartCoreTest, AnItemStartsWhenItsWeightsBeginToArrive) {
  core_.receive(stream(StreamKind::kWeights, change(0), 300, 400));
  const auto done = core_.next_done();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->first_cycle, 300u);
  EXPECT_EQ(done->last_cycle, 1'300u);
  EXPECT_EQ(spent(Cause::kWeightWait, 2'000), 300u);
}

TEST_F(PartCoreTest, AnItemCannotEndBeforeItsLastWeight) {
  core_.receive(stream(StreamKind::kWeights, change(0), 300, 5'000));
  EXPECT_EQ(core_.next_done()->last_cycle, 5'000u);
  EXPECT_EQ(spent(Cause::kWeightWait, 6'000), 300u + 3'700u);
}

TEST_F(PartCoreTest, AWatchNotesTheFirstExecutionOfItsItem) {
  BlockWatch watch;
  watch.item = 1;
  watch.tile = {3, 4};
  core_.set_watch(&watch);
  core_.receive(stream(StreamKind::kWeights, change(0), 300, 400));
  core_.next_done();
  EXPECT_FALSE(watch.seen);
  core_.receive(stream(StreamKind::kWeights, change(1), 500, 3'000));
  core_.next_done();
  ASSERT_TRUE(watch.seen);
  EXPECT_EQ(watch.arrived_first, 500u);
  EXPECT_EQ(watch.arrived_last, 3'000u);
  EXPECT_EQ(watch.start, 1'300u);
  EXPECT_EQ(watch.finish, 3'000u);
  EXPECT_EQ(watch.tile, (base::Coordinate{3, 4}));
  core_.begin_step(10'000);  // the item again
  core_.receive(stream(StreamKind::kWeights, change(1), 10'500, 10'600));
  core_.next_done();
  EXPECT_EQ(watch.start, 1'300u);
}

TEST_F(PartCoreTest, AnOperationWaitsForTheResultsOfTheOneBefore) {
  change(0).ends_operation = true;
  change(1).begins_operation = true;
  core_.receive(stream(StreamKind::kWeights, items_[0], 0, 0));
  core_.receive(stream(StreamKind::kWeights, items_[1], 0, 0));
  ASSERT_TRUE(core_.next_done());
  EXPECT_FALSE(core_.next_done());
  core_.receive(stream(StreamKind::kResultsReady, items_[0], 1'250, 1'250));
  const auto done = core_.next_done();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->first_cycle, 1'250u);
  EXPECT_EQ(spent(Cause::kResultWait, 9'000), 250u);
}

TEST_F(PartCoreTest, GradientsWaitForABuffer) {
  for (std::uint32_t id = 0; id < 3; ++id) {
    change(id).gradient_bytes = 64;
    core_.receive(stream(StreamKind::kWeights, items_[id], 0, 0));
  }
  EXPECT_EQ(core_.next_done()->last_cycle, 1'000u);
  EXPECT_EQ(core_.next_done()->last_cycle, 2'000u);
  EXPECT_FALSE(core_.next_done());  // two buffers by default
  core_.receive(stream(StreamKind::kGradientCredit, items_[0], 2'600, 2'600));
  EXPECT_EQ(core_.next_done()->first_cycle, 2'600u);
  EXPECT_EQ(spent(Cause::kGradientWait, 9'000), 600u);
}

TEST_F(PartCoreTest, EveryCycleOfAStepHasACause) {
  core_.receive(stream(StreamKind::kWeights, change(0), 300, 400));
  core_.receive(stream(StreamKind::kWeights, change(1), 2'000, 2'100));
  while (core_.next_done()) {
  }
  core_.end_step(7'777);
  base::Cycles sum = 0;
  for (base::Cycles until = 500; until < 9'000; until += 500) {
    for (const CauseCycles& phase : core_.take_until(until).cycles) sum += total(phase);
  }
  EXPECT_EQ(sum, 7'777u);
  EXPECT_TRUE(core_.idle());
}

TEST_F(PartCoreTest, ItemsOutOfOrderAreABrokenInvariant) {
  core_.receive(stream(StreamKind::kWeights, change(1), 0, 0));
  EXPECT_THROW(core_.receive(stream(StreamKind::kWeights, change(0), 0, 0)), base::InternalError);
}

}  // namespace
}  // namespace wse::tiles
