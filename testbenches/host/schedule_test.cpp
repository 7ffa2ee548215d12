// SPDX-License-Identifier: Apache-2.0
#include "wse/host/schedule.h"

#include <gtest/gtest.h>

namespace wse::host {
namespace {

using base::Operation;
using base::Phase;
using base::WorkItem;

ModelSpec neox() {
  return read_model(WSE_SOURCE_DIR "/configs/models/gpt-neox-20b.json", "gpt-neox-20b");
}
ModelSpec xl() { return read_model(WSE_SOURCE_DIR "/configs/models/gpt-3-xl.json", "gpt-3-xl"); }

struct Sums {
  base::Bytes in = 0;
  base::Bytes out = 0;
  std::uint64_t gradient_parameters = 0;
};
Sums sums_of(const std::vector<WorkItem>& schedule) {
  Sums s;
  for (const WorkItem& item : schedule) {
    s.in += item.weight_bytes;
    s.out += item.gradient_bytes;
    if (item.last_micro_batch) s.gradient_parameters += item.gradient_parameters;
  }
  return s;
}

// Counted from the shape alone: a layer is 12 d^2 + 13 d, the final normalisation 2 d, the head V
// d.
TEST(ScheduleTest, BytesOfGptNeoxAreThoseOfTheIndependentCountToTheByte) {
  constexpr std::uint64_t d = 6144;
  constexpr std::uint64_t layers = 44 * (12 * d * d + 13 * d);
  constexpr std::uint64_t rest = 50'432 * d + 2 * d;
  for (const bool recompute : {false, true}) {
    for (const std::vector<std::uint64_t>& micro : {std::vector<std::uint64_t>{16}, {3, 4, 3}}) {
      const Sums s = sums_of(build_schedule(neox(), {micro, 2048, recompute}));
      EXPECT_EQ(s.in, micro.size() * ((recompute ? 3 : 2) * layers + 2 * rest) * 2);
      EXPECT_EQ(s.out, micro.size() * (layers + rest) * 2);
      EXPECT_EQ(s.gradient_parameters, layers + rest);  // each parameter is updated once
    }
  }
}

// Everything but the look-up tables is streamed; what sees one token a sequence is streamed too.
TEST(ScheduleTest, BytesOfOtherTypesAreThoseOfTheIndependentCountToTheByte) {
  const auto streamed = [](const char* name, bool recompute) {
    return sums_of(build_schedule(
        read_model(WSE_SOURCE_DIR "/configs/models/" + std::string(name) + ".json", name),
        {{2}, 128, recompute}));
  };
  const auto expect = [&](const char* name, std::uint64_t layers, std::uint64_t rest) {
    EXPECT_EQ(streamed(name, false).in, 2 * (2 * layers + 2 * rest)) << name;
    EXPECT_EQ(streamed(name, true).in, 2 * (3 * layers + 2 * rest)) << name;
    EXPECT_EQ(streamed(name, true).out, 2 * (layers + rest)) << name;
  };
  constexpr std::uint64_t d = 4096;
  expect("gpt-j-6b", 28 * (12 * d * d + 4 * d + d + 2 * d), 2 * d + 50'400 * d + 50'400);
  expect("llama2-7b", 32 * (4 * d * d + 3 * d * 11'008 + 2 * d), d + 32'000 * d);
  constexpr std::uint64_t b = 1024;
  constexpr std::uint64_t bert = 24 * (12 * b * b + 13 * b);
  expect("bert-large-sst2", bert, 2 * b + b * b + b + 2 * b + 2);
  expect("bert-large", bert,
         2 * b + b * b + b + 2 * b + 2 + b * b + b + 2 * b + 30'522 * b + 30'522);
}

TEST(ScheduleTest, BlocksDoNotChangeTheBytes) {
  for (const base::Bytes block :
       {base::Bytes{1} << 16, base::Bytes{1} << 22, base::Bytes{1} << 40}) {
    ScheduleConfig config{{8}, 2048, true};
    config.block_bytes = block;
    const Sums s = sums_of(build_schedule(xl(), config));
    constexpr std::uint64_t layers = 24 * (12 * 2048ull * 2048 + 13 * 2048ull);
    constexpr std::uint64_t rest = 50'257 * 2048ull + 2 * 2048;
    EXPECT_EQ(s.in, (3 * layers + 2 * rest) * 2) << block;
    EXPECT_EQ(s.out, (layers + rest) * 2) << block;
  }
}

TEST(ScheduleTest, SparseWeightsTravelWithTheirIndexAndOnlyTheNonZeroOnes) {
  ScheduleConfig config{{1}, 2048, false};
  const Sums dense = sums_of(build_schedule(xl(), config));
  config.density_ppm = 200'000;
  const Sums sparse = sums_of(build_schedule(xl(), config));
  EXPECT_NEAR(static_cast<double>(sparse.in) / static_cast<double>(dense.in), 0.4, 0.001);
}

TEST(ScheduleTest, ItemsAreNumberedAndEveryOperationBeginsAndEnds) {
  const auto schedule = build_schedule(neox(), {{1}, 2048, true});
  bool open = false;
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    EXPECT_EQ(schedule[i].id, i);
    if (schedule[i].begins_operation) {
      EXPECT_FALSE(open) << i;
      open = true;
    }
    EXPECT_TRUE(open) << i;
    if (schedule[i].ends_operation) open = false;
  }
  EXPECT_FALSE(open);
}

TEST(ScheduleTest, ParallelBlocksStreamInTwoGroupsALayerAndOthersInFour) {
  const auto groups = [](const ModelSpec& model) {
    int n = 0;
    for (const WorkItem& item : build_schedule(model, {{1}, 2048, false})) {
      if (item.layer == 1 && item.phase == Phase::kForward &&
          item.operation == Operation::kGemmForward && item.begins_operation) {
        ++n;
      }
    }
    return n;
  };
  EXPECT_EQ(groups(neox()), 2);
  EXPECT_EQ(groups(xl()), 4);
}

TEST(ScheduleTest, RecomputationIsAPhaseOfItsOwnAndVisitsEveryLayer) {
  int forward = 0;
  int recompute = 0;
  for (const WorkItem& item : build_schedule(neox(), {{1}, 2048, true})) {
    if (item.operation != Operation::kAttentionForward) continue;
    ++(item.phase == Phase::kRecompute ? recompute : forward);
  }
  EXPECT_EQ(forward, 44);
  EXPECT_EQ(recompute, 44);
}

}  // namespace
}  // namespace wse::host
