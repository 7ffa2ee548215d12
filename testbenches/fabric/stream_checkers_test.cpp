// SPDX-License-Identifier: Apache-2.0
// The checkers of lanes and ramps find what they are for.
#include "support/stream_checkers.h"

#include <gtest/gtest.h>

#include "support/systemc_test.h"

namespace wse::testing_support {
namespace {

using fabric::LaneBlock;
using fabric::RampFrame;
using fabric::RampStream;
using fabric::StreamKind;

template <class Target, class Initiator>
struct Ends : sc_core::sc_module {
  Initiator down{"down"};
  Target down_end{"down_end"};
  Initiator up{"up"};
  Target up_end{"up_end"};
  explicit Ends(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    down_end.on_receive([](auto&) {});
    up_end.on_receive([](auto&) {});
  }
};

std::vector<std::string> rules(const std::vector<std::string>& violations) {
  std::vector<std::string> names;
  for (const std::string& v : violations) names.push_back(v.substr(0, v.find(':')));
  return names;
}
using Names = std::vector<std::string>;

class LaneCheckerTest : public SystemCTest {
 protected:
  LaneCheckerTest() {
    ends_.down.bind(checker_.from_host);
    checker_.to_wafer.bind(ends_.down_end);
    ends_.up.bind(checker_.from_wafer);
    checker_.to_host.bind(ends_.up_end);
    for (std::uint32_t i = 0; i < 3; ++i) {
      items_[i].id = i;
      items_[i].weight_bytes = 9000;
    }
    items_[2].gradient_bytes = 9000;
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  /// 9,000 bytes take 0.8 us at 90 Gb/s.
  void share(std::uint32_t item, base::Picoseconds first, base::Picoseconds took = 800'000) {
    LaneBlock block{LaneBlock::Kind::kShare, &items_[item], 9000, first, first + took};
    ends_.down.send(block);
  }
  void answer(LaneBlock::Kind kind, std::uint32_t item) {
    LaneBlock block{kind, &items_[item], 9000, 10'000'000, 11'000'000};
    ends_.up.send(block);
  }

  base::WorkItem items_[3];
  Ends<fabric::Fabric::LaneTarget, fabric::Fabric::LaneInitiator> ends_{"ends"};
  LaneChecker checker_{"checker", fabric::IoConfig{}};
};

TEST_F(LaneCheckerTest, GoodTrafficPasses) {
  share(1, 0);
  share(2, 800'000);
  answer(LaneBlock::Kind::kCredit, 1);
  answer(LaneBlock::Kind::kCredit, 2);
  answer(LaneBlock::Kind::kShare, 2);
  EXPECT_EQ(checker_.violations(), Names{});
  EXPECT_EQ(checker_.shares(), 2u);
}

TEST_F(LaneCheckerTest, SharesThatOverlapAreTooFastOrOutOfOrderAreFound) {
  share(1, 0);
  share(2, 799'999, 799'999);
  share(0, 2'000'000);
  EXPECT_EQ(rules(checker_.violations()),
            (Names{"overlap", "rate", "order", "credit-missing", "gradient-missing"}));
}

TEST_F(LaneCheckerTest, CreditsOutOfOrderAndGradientsNobodyOwesAreFound) {
  share(1, 0);
  share(2, 800'000);
  answer(LaneBlock::Kind::kCredit, 2);
  answer(LaneBlock::Kind::kShare, 1);
  EXPECT_EQ(rules(checker_.violations()),
            (Names{"credit-order", "gradient-unasked", "credit-missing", "gradient-missing"}));
}

class RampCheckerTest : public SystemCTest {
 protected:
  RampCheckerTest() {
    ends_.down.bind(checker_.from_fabric);
    checker_.to_region.bind(ends_.down_end);
    ends_.up.bind(checker_.from_region);
    checker_.to_fabric.bind(ends_.up_end);
    item_.gradient_bytes = 4;
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  RampFrame frame(StreamKind kind, base::Cycles first, base::Cycles last) {
    RampFrame f;
    RampStream stream;
    stream.kind = kind;
    stream.item = &item_;
    stream.first_cycle = first;
    stream.last_cycle = last;
    f.streams.push_back(stream);
    return f;
  }
  void down(StreamKind kind, base::Cycles first = 1, base::Cycles last = 2) {
    RampFrame f = frame(kind, first, last);
    ends_.down.send(f);
  }
  void up(StreamKind kind, base::Cycles first = 1, base::Cycles last = 2) {
    RampFrame f = frame(kind, first, last);
    ends_.up.send(f);
  }

  base::WorkItem item_;
  base::ClockEpochs epochs_{1'000'000'000};
  Ends<fabric::Fabric::RampTarget, fabric::Fabric::RampInitiator> ends_{"ends"};
  RampChecker checker_{"checker", epochs_};
};

TEST_F(RampCheckerTest, GoodTrafficPasses) {
  down(StreamKind::kWeights);
  up(StreamKind::kPartialSums);
  down(StreamKind::kGradientCredit);
  EXPECT_EQ(checker_.violations(), Names{});
  EXPECT_EQ(checker_.frames(), 3u);
}

TEST_F(RampCheckerTest, StreamsNobodyOwesAreFound) {
  down(StreamKind::kGradientCredit);
  up(StreamKind::kPartialSums);
  down(StreamKind::kResultsReady);
  EXPECT_EQ(rules(checker_.violations()), (Names{"gradient-credit-unowed", "sums-before-weights",
                                                 "results-unasked", "gradient-credit-missing"}));
}

TEST_F(RampCheckerTest, FramesOfAnotherCycleAndStreamsBackwardsAreFound) {
  down(StreamKind::kWeights, 3, 2);
  RampFrame late = frame(StreamKind::kPartialSums, 1, 2);
  late.cycle = 7;
  ends_.up.send(late);
  RampFrame empty;
  ends_.up.send(empty);
  EXPECT_EQ(rules(checker_.violations()),
            (Names{"span", "stamp", "past", "frame-order", "empty", "gradient-credit-missing"}));
}

}  // namespace
}  // namespace wse::testing_support
