// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/stream_fabric.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "wse/base/check.h"
#include "wse/base/random.h"

namespace wse::fabric {
namespace {

using base::WorkItem;

/// A wafer of 3 x 2 dies of 10 x 10 tiles, four lanes, and one GEMM block.
class StreamFabricTest : public ::testing::Test {
 protected:
  StreamFabricTest() {
    geometry_config_.die_columns = 3;
    geometry_config_.die_rows = 2;
    geometry_config_.die_tiles_columns = geometry_config_.die_tiles_rows = 10;
    geometry_config_.fabric_columns = 30;
    geometry_config_.fabric_rows = 20;
    geometry_config_.user_columns = 28;
    geometry_config_.user_rows = 18;
    geometry_config_.user_x = geometry_config_.user_y = 1;
    geometry_config_.defects = 0;
    io_.lanes = 4;
    io_.edge_ports_per_lane = 3;
    item_.operation = base::Operation::kGemmForward;
    item_.inputs = 56;
    item_.outputs = 100;
    item_.tokens = 180;
    item_.weight_bytes = 11'200;
    item_.ends_operation = true;
  }
  struct Wafer {
    Wafer(const StreamFabricTest& t)
        : geometry(t.geometry_config_),
          layout(geometry, 0, 0),
          mapping(28, 18, 1),
          epochs(1'000'000'000),
          fabric({}, t.io_, geometry, layout, mapping, 32, epochs) {}
    base::WaferGeometry geometry;
    base::RegionLayout layout;
    base::Mapping mapping;
    base::ClockEpochs epochs;
    StreamFabric fabric;
  };
  static LaneBlock share(const WorkItem& item, std::uint64_t first_ns) {
    return {LaneBlock::Kind::kShare, &item, item.weight_bytes / 4, first_ns * 1000,
            (first_ns + 300) * 1000};
  }
  static RampStream done(const WorkItem& item, std::uint32_t part, base::Cycles first,
                         base::Cycles last) {
    RampStream stream;
    stream.kind = StreamKind::kPartialSums;
    stream.part = part;
    stream.item = &item;
    stream.first_cycle = first;
    stream.last_cycle = last;
    return stream;
  }

  base::GeometryConfig geometry_config_;
  IoConfig io_;
  WorkItem item_;
};

// Each of four lanes feeds a quarter of the 28 columns.
TEST_F(StreamFabricTest, WeightsReachAPartOnceTheLanesThatFeedItsColumnsHaveBroughtTheirs) {
  Wafer w(*this);
  std::vector<std::uint32_t> told(w.layout.parts().size());
  for (std::uint32_t lane = 0; lane < 4; ++lane) {
    w.fabric.receive_share(lane, share(item_, 100 + lane), 0);
    w.fabric.advance(100 + lane);
    for (const auto& out : w.fabric.to_parts()) {
      ++told[out.part];
      const base::Span columns = w.layout.parts()[out.part].tiles.columns;
      EXPECT_EQ((columns.end - 1) / 7, lane) << out.part;  // its last lane
      EXPECT_EQ(out.stream.kind, StreamKind::kWeights);
      EXPECT_GT(out.stream.first_cycle, 100u);
      EXPECT_GE(out.stream.last_cycle, out.stream.first_cycle + 300);
    }
  }
  EXPECT_EQ(told, std::vector<std::uint32_t>(w.layout.parts().size(), 1));
  EXPECT_EQ(w.fabric.stats().bytes_in, 11'200u);
}

TEST_F(StreamFabricTest, ResultsAreReadyWhenTheirSumsHaveGoneAroundTheRow) {
  Wafer w(*this);
  for (std::uint32_t lane = 0; lane < 4; ++lane) w.fabric.receive_share(lane, share(item_, 100), 0);
  w.fabric.advance(100);
  for (const base::RegionPart& part : w.layout.parts()) {
    w.fabric.receive_stream(done(item_, part.index, 500, 5'000), 500);
  }
  w.fabric.advance(4'999);
  EXPECT_TRUE(w.fabric.to_parts().empty() && w.fabric.to_lanes().empty());
  w.fabric.advance(5'000);
  ASSERT_EQ(w.fabric.to_parts().size(), w.layout.parts().size());
  // Twice 28 columns at 6 cycles each; the row links were free in time (100 outputs x 10 sums from cycle
  // 500 on).
  EXPECT_EQ(w.fabric.to_parts().front().stream.kind, StreamKind::kResultsReady);
  EXPECT_EQ(w.fabric.to_parts().front().stream.first_cycle, 5'000u + 2 * 28 * 6);
  ASSERT_EQ(w.fabric.to_lanes().size(), 4u);
  EXPECT_EQ(w.fabric.to_lanes().front().block.kind, LaneBlock::Kind::kCredit);
  EXPECT_EQ(w.fabric.to_lanes().front().block.first, 5'000'000u);
  EXPECT_TRUE(w.fabric.idle());
}

TEST_F(StreamFabricTest, HopsOfWeightsAndSumsAreThoseOfTheFormula) {
  Wafer w(*this);
  for (std::uint32_t lane = 0; lane < 4; ++lane) w.fabric.receive_share(lane, share(item_, 100), 0);
  w.fabric.advance(100);
  const std::uint64_t before = w.fabric.stats().wavelet_hops;
  for (const base::RegionPart& part : w.layout.parts()) {
    w.fabric.receive_stream(done(item_, part.index, 500, 5'000), 500);
  }
  const std::uint64_t weights = 56u * 100 * 18;  // every weight passes every row
  // 10 tokens a tile, fp32, from every tile to the second next: the ring of a row is folded.
  const std::uint64_t sums = 2u * 100 * 10 * (28 * 18);
  EXPECT_EQ(w.fabric.stats().wavelet_hops - before, weights + sums);
}

// Of two copies each has 14 columns: a lane brings its quarter to both, and weights cross no more rows than
// before; what moves to two copies goes a quarter of the way across 28 columns and 18 rows.
TEST_F(StreamFabricTest, AnItemIsRoutedByItsOwnCopies) {
  item_.copies = 2;
  WorkItem moved = item_;
  moved.id = 1;
  moved.operation = base::Operation::kRedistribute;
  moved.weight_bytes = 0;
  Wafer w(*this);
  std::vector<std::uint32_t> told(w.layout.parts().size());
  for (const WorkItem* item : {&item_, &moved}) {
    for (std::uint32_t lane = 0; lane < 4; ++lane) {
      w.fabric.receive_share(lane, share(*item, 100 + lane), 0);
      w.fabric.advance(100 + lane);
      for (const auto& out : w.fabric.to_parts()) ++told[out.part];
    }
  }
  EXPECT_EQ(told, std::vector<std::uint32_t>(w.layout.parts().size(), 2));
  const auto hops = [&](const WorkItem& item) {
    const std::uint64_t before = w.fabric.stats().wavelet_hops;
    for (const base::RegionPart& part : w.layout.parts()) {
      w.fabric.receive_stream(done(item, part.index, 500, 5'000), 500);
    }
    return w.fabric.stats().wavelet_hops - before;
  };
  EXPECT_EQ(hops(item_), 2u * 56 * 100 * 18 + 2u * 100 * 5 * (28 * 18));  // 5 tokens a tile
  EXPECT_EQ(hops(moved), 28u * 18 * 20 * ((28 + 18) / 4));                // 20 words a tile
}

// Of two copies, lane 2 feeds the western dies too. It is late: the next item, of one copy, is complete
// there before.
TEST_F(StreamFabricTest, APartHearsOfItemsInTheirOrderWhicheverLanesFeedIt) {
  item_.copies = 2;
  WorkItem next = item_;
  next.id = 1;
  next.copies = 1;
  Wafer w(*this);
  std::vector<std::vector<std::uint32_t>> told(w.layout.parts().size());
  const auto arrive = [&](const WorkItem& item, std::uint32_t lane, std::uint64_t ns) {
    w.fabric.receive_share(lane, share(item, ns), 0);
    w.fabric.advance(ns);
    for (const auto& out : w.fabric.to_parts()) told[out.part].push_back(out.stream.item->id);
  };
  for (const std::uint32_t lane : {0u, 1u, 3u}) arrive(item_, lane, 100 + lane);
  for (const std::uint32_t lane : {0u, 1u, 3u}) arrive(next, lane, 500 + lane);
  for (const auto& ids : told) EXPECT_TRUE(ids.empty());
  arrive(item_, 2, 1000);
  arrive(next, 2, 1400);
  for (const auto& ids : told) EXPECT_EQ(ids, (std::vector<std::uint32_t>{0, 1}));
}

// Lanes that are faster than their edge ports: three wavelets a cycle and lane.
TEST_F(StreamFabricTest, EdgePortsAreHeldByOneItemAfterTheOther) {
  io_.bits_per_second = 1'000'000'000'000'000;
  item_.operation = base::Operation::kGemmWeightGradient;
  item_.weight_bytes = item_.gradient_bytes = 48'000;
  WorkItem next = item_;
  next.id = 1;
  Wafer w(*this);
  base::Cycles last = 0;
  for (const WorkItem* item : {&item_, &next}) {
    for (std::uint32_t lane = 0; lane < 4; ++lane) {
      w.fabric.receive_share(lane, {LaneBlock::Kind::kShare, item, 12'000, 100'000, 100'000}, 0);
    }
    w.fabric.advance(100);
    for (const auto& out : w.fabric.to_parts()) last = std::max(last, out.stream.last_cycle);
  }
  EXPECT_GE(last, 100u + 2 * 1000);
  base::Picoseconds left = 0;
  for (const WorkItem* item : {&item_, &next}) {
    for (const base::RegionPart& part : w.layout.parts()) {
      w.fabric.receive_stream(done(*item, part.index, 2'500, 3'000), 2'500);
    }
    w.fabric.advance(3'000);
    for (const auto& out : w.fabric.to_lanes()) left = std::max(left, out.block.last);
  }
  EXPECT_GE(left, (3'000u + 2 * 1000) * 1000);
}

TEST_F(StreamFabricTest, GradientsLeaveByAllLanesToTheByteAtTheRateOfTheLane) {
  item_.operation = base::Operation::kGemmWeightGradient;
  item_.gradient_bytes = 9'999;
  item_.weight_bytes = 0;
  Wafer w(*this);
  for (std::uint32_t lane = 0; lane < 4; ++lane) w.fabric.receive_share(lane, share(item_, 100), 0);
  w.fabric.advance(100);
  for (const base::RegionPart& part : w.layout.parts()) {
    w.fabric.receive_stream(done(item_, part.index, 500, 5'000), 500);
  }
  w.fabric.advance(5'000);
  base::Bytes left = 0;
  for (const auto& out : w.fabric.to_lanes()) {
    if (out.block.kind != LaneBlock::Kind::kShare) continue;
    left += out.block.bytes;
    EXPECT_EQ(out.block.last - out.block.first, io_.transfer_time(out.block.bytes));
  }
  EXPECT_EQ(left, 9'999u);
  EXPECT_EQ(w.fabric.stats().bytes_out, 9'999u);
}

TEST_F(StreamFabricTest, ResultsDoNotDependOnTheOrderOfTheCalls) {
  std::vector<WorkItem> items(5, item_);
  for (std::uint32_t i = 0; i < items.size(); ++i) items[i].id = i;
  std::vector<base::Cycles> reference;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Wafer w(*this);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> calls;
    for (std::uint32_t i = 0; i < items.size(); ++i) {
      for (std::uint32_t lane = 0; lane < 4; ++lane) calls.emplace_back(i, lane);
    }
    base::Random random(seed);
    for (std::size_t n = calls.size(); n > 1; --n) std::swap(calls[n - 1], calls[random.below(n)]);
    for (const auto& [i, lane] : calls)
      w.fabric.receive_share(lane, share(items[i], 100 + 10 * i), 0);
    w.fabric.advance(1'000);
    std::vector<base::Cycles> seen;
    for (const auto& out : w.fabric.to_parts()) seen.push_back(out.stream.last_cycle);
    if (reference.empty()) reference = seen;
    EXPECT_EQ(seen, reference) << "seed " << seed;
  }
  EXPECT_EQ(reference.size(), 5u * 6);
}

TEST_F(StreamFabricTest, AMessageFromThePastIsABrokenInvariant) {
  Wafer w(*this);
  EXPECT_THROW(w.fabric.receive_share(0, share(item_, 100), 101), base::InternalError);
}

}  // namespace
}  // namespace wse::fabric
