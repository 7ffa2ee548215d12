// SPDX-License-Identifier: Apache-2.0
#include "wse/host/schedule.h"

#include <gtest/gtest.h>

#include <set>

#include <algorithm>
#include <map>

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

// 15 + 15 layers; every feed-forward block is a router and 2,048 experts; one table of distances a
// stack; a normalisation after each stack; the head is the embedding.
TEST(ScheduleTest, BytesOfSwitchCAreThoseOfTheIndependentCountToTheByte) {
  const ModelSpec model = read_model(WSE_SOURCE_DIR "/configs/models/switch-c.json", "switch-c");
  constexpr std::uint64_t d = 2080;
  constexpr std::uint64_t attention = 4 * d * 32 * 64;
  constexpr std::uint64_t experts = d * 2048 + 2048 * (2 * d * 6144);
  constexpr std::uint64_t layers =
      30 * (attention + experts + 2 * d) + 15 * (attention + d) + 2 * 32 * 32;
  constexpr std::uint64_t rest = 2 * d + 32'128 * d;
  EXPECT_EQ(model.parameters(), layers + rest);
  for (const bool recompute : {false, true}) {
    ScheduleConfig config{{8}, 512, recompute};
    config.block_bytes = 1ULL << 30;
    const Sums s = sums_of(build_schedule(model, config));
    EXPECT_EQ(s.in, 2 * ((recompute ? 3 : 2) * layers + 2 * rest));
    EXPECT_EQ(s.out, 2 * (layers + rest));
    EXPECT_EQ(s.gradient_parameters, layers + rest);
  }
}

// Four layers with attention, two of them to the encoder's result; two dense and two sparse
// feed-forward blocks.
TEST(ScheduleTest, EveryPassOfASparseLayerComputesTheTokensThatItsRouterChose) {
  const ModelSpec model =
      read_model(WSE_SOURCE_DIR "/configs/models/tiny-switch.json", "tiny-switch");
  for (const base::Bytes block : {1ULL << 12, 1ULL << 16, 1ULL << 30}) {
    ScheduleConfig config{{5, 6}, 32, true};
    config.block_bytes = block;
    std::uint64_t sparse = 0;
    for (const std::uint64_t layer : {1, 3}) {
      for (const std::uint64_t micro : {0, 1}) {
        const auto load = route_tokens(config.routing, 8, (5 + micro) * 32, layer, micro);
        sparse += 2 * 64 * 128 * load.computed();
      }
    }
    const std::uint64_t layers =
        11 * 32 * (6 * 4 * 64 * 64 + 2 * 2 * 64 * 128 + 2 * 64 * 8) + sparse;
    const std::uint64_t head = 11 * 32 * 64 * 128;
    std::map<std::pair<Phase, Operation>, std::uint64_t> sums;
    for (const WorkItem& item : build_schedule(model, config)) {
      sums[{item.phase, item.operation}] += item.inputs * item.outputs * item.tokens;
    }
    EXPECT_EQ((sums[{Phase::kForward, Operation::kGemmForward}]), layers + head) << block;
    // Results of a layer were kept as the input of the next one.
    const std::uint64_t down = 11 * 32 * 2 * 64 * 128 + sparse / 2;
    EXPECT_EQ((sums[{Phase::kRecompute, Operation::kGemmForward}]), layers - down) << block;
    EXPECT_EQ((sums[{Phase::kBackward, Operation::kGemmInputGradient}]), layers + head) << block;
    EXPECT_EQ((sums[{Phase::kBackward, Operation::kGemmWeightGradient}]), layers + head) << block;
  }
}

// While the weights of one block come in, the gradients of another go out.
TEST(ScheduleTest, BlocksOfBothGradientsTakeTurns) {
  int in_a_row = 0;
  int most = 0;
  for (const WorkItem& item : build_schedule(neox(), {{1}, 2048, true})) {
    in_a_row = item.operation == Operation::kGemmInputGradient ? in_a_row + 1 : 0;
    most = std::max(most, in_a_row);
  }
  EXPECT_EQ(most, 1);
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

// Of 80 % an index each would be more than all weights; an index is no parameter.
TEST(ScheduleTest, WeightsOfADenserMatrixTravelWithoutTheirIndex) {
  ScheduleConfig config{{1}, 2048, false};
  const Sums dense = sums_of(build_schedule(xl(), config));
  for (const std::uint32_t density : {200'000U, 800'000U}) {
    config.density_ppm = density;
    const auto schedule = build_schedule(xl(), config);
    const Sums sums = sums_of(schedule);
    if (density > 500'000) {
      EXPECT_EQ(sums.in, dense.in);
      EXPECT_EQ(sums.out, dense.out);
    }
    std::uint64_t parameters = 0;
    for (const WorkItem& item : schedule) parameters += item.gradient_parameters;
    EXPECT_NEAR(static_cast<double>(parameters) / (static_cast<double>(dense.out) / 2),
                density / 1e6, 0.001);
  }
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

// Of a layer with parallel blocks the projection and the down matrix make its result, 5 of 12 d^2; of
// another one the down matrix, 4 of 12. All weights pass, whoever reads them.
TEST(ScheduleTest, WhatNobodyReadsIsNotComputedAgain) {
  const auto expect = [](const ModelSpec& model, std::uint64_t read_twelfths) {
    std::uint64_t products[2]{};
    base::Bytes bytes[2]{};
    for (const WorkItem& item : build_schedule(model, {{1}, 2048, true})) {
      if (item.operation != Operation::kGemmForward || !item.in_layer) continue;
      const bool again = item.phase == Phase::kRecompute;
      products[again ? 1 : 0] += item.inputs * item.outputs * item.tokens;
      bytes[again ? 1 : 0] += item.weight_bytes;
    }
    EXPECT_EQ(products[1] * 12, products[0] * read_twelfths);
    EXPECT_EQ(bytes[1], bytes[0]);
  };
  expect(neox(), 7);
  expect(xl(), 8);
}

TEST(ScheduleTest, ScoresOfAVocabularyThatDoNotFitAreComputedAgainWithoutTheirWeights) {
  const ModelSpec model = xl();
  for (const bool again : {false, true}) {
    ScheduleConfig config{{1}, 2048, true};
    config.scores_again = again;
    std::uint64_t products = 0;
    base::Bytes bytes = 0;
    for (const WorkItem& item : build_schedule(model, config)) {
      if (item.phase != Phase::kRecompute || item.in_layer) continue;
      if (item.operation == Operation::kGemmForward) {
        products += item.inputs * item.outputs * item.tokens;
      }
      bytes += item.weight_bytes;
    }
    EXPECT_EQ(products, again ? 2048 * model.width * model.vocabulary : 0);
    EXPECT_EQ(bytes, 0U);
  }
}

TEST(ScheduleTest, KeptLayersAreNotVisitedAgainAndHoldTheirActivations) {
  const ModelSpec model = xl();
  ScheduleConfig config{{1}, 2048, true};
  config.kept_layers = 5;
  std::set<std::uint32_t> again;
  base::Bytes most = 0;
  base::Bytes bytes = 0;
  for (const WorkItem& item : build_schedule(model, config)) {
    if (item.phase == Phase::kRecompute && item.in_layer) again.insert(item.layer);
    most = std::max(most, item.resident_bytes);
    bytes += item.weight_bytes;
  }
  EXPECT_EQ(again.size(), model.layers - 5);
  EXPECT_EQ(*again.rbegin(), model.layers - 6);
  const base::Bytes tokens = 2048;
  EXPECT_EQ(most,
            tokens * ((model.layers - 5) * 2 * model.width + 5 * model.intermediate_bytes(0)));
  base::Bytes full = 0;
  for (const WorkItem& item : build_schedule(model, {{1}, 2048, true})) full += item.weight_bytes;
  EXPECT_EQ(full - bytes, 5 * 2 * model.layer_parameters(0));
}

// The layers of 2 and 3 copies in turn, the head of 2: a move at each change, there and back.
TEST(ScheduleTest, ActivationsMoveWhereTheMappingChanges) {
  const ModelSpec model = xl();
  ScheduleConfig config{{1, 1}, 2048, false};
  for (std::uint64_t layer = 0; layer <= model.layers; ++layer) {
    config.copies.push_back(layer % 2 == 0 ? 2 : 3);
  }
  std::uint64_t moves = 0;
  std::uint32_t copies = 2;
  for (const WorkItem& item : build_schedule(model, config)) {
    if (item.operation == Operation::kRedistribute) {
      ++moves;
      EXPECT_EQ(item.copies_before, copies);
      EXPECT_NE(item.copies, copies);
      EXPECT_EQ(item.inputs, model.width);
      EXPECT_EQ(item.tokens, 2048U);
      copies = item.copies;
    }
    EXPECT_EQ(item.copies, copies);
    EXPECT_TRUE(!item.in_layer || item.copies == config.copies[item.layer]);
  }
  EXPECT_EQ(moves, 2 * 2 * model.layers);
  config.copies.assign(model.layers + 1, 4);
  for (const WorkItem& item : build_schedule(model, config)) {
    EXPECT_NE(item.operation, Operation::kRedistribute);
    EXPECT_EQ(item.copies, 4U);
  }
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
