// SPDX-License-Identifier: Apache-2.0
// What crosses the lanes, name by name, and when they bind: against counts by hand. That the numbers hold in
// a run is tested in testbenches/cli/io_bound_test.cpp.
#include "wse/model/io_bound.h"

#include <gtest/gtest.h>

#include <cmath>

#include "wse/host/schedule.h"
#include "wse/model/streamed_bytes.h"

namespace wse::model {
namespace {

using base::Operation;
using base::Phase;
using base::Tensor;
using base::WorkItem;

host::ModelSpec preset(const std::string& name) {
  return host::read_model(WSE_SOURCE_DIR "/configs/models/" + name + ".json", name);
}

StreamedBytes streamed(const host::ModelSpec& model, std::uint64_t sequences, std::uint64_t tokens,
                       bool recompute) {
  host::ScheduleConfig config;
  config.micro_batches = {sequences};
  config.sequence = tokens;
  config.recompute = recompute;
  config.block_bytes = 1ULL << 30;
  StreamedBytes bytes;
  for (const WorkItem& item : host::build_schedule(model, config)) bytes.add(item);
  return bytes;
}

base::Bytes in(const StreamedBytes& bytes, Phase phase, Tensor tensor) {
  return bytes.in[static_cast<std::size_t>(phase)][static_cast<std::size_t>(tensor)];
}
base::Bytes out(const StreamedBytes& bytes, Tensor tensor) {
  return bytes.out[static_cast<std::size_t>(Phase::kBackward)][static_cast<std::size_t>(tensor)];
}

// 4 d^2 and 8 d^2 a layer, biases beside them; two norms a layer and one behind; a head without bias.
TEST(StreamedBytesTest, MatricesOfGptNeoxComeUnderTheirNames) {
  constexpr std::uint64_t d = 6144;
  constexpr base::Bytes attention = 2 * 44 * (4 * d * d + 4 * d);
  constexpr base::Bytes feed_forward = 2 * 44 * (8 * d * d + 5 * d);
  const StreamedBytes bytes = streamed(preset("gpt-neox-20b"), 2, 2048, true);
  for (const Phase phase : {Phase::kForward, Phase::kRecompute, Phase::kBackward}) {
    EXPECT_EQ(in(bytes, phase, Tensor::kAttention), attention);
    EXPECT_EQ(in(bytes, phase, Tensor::kFeedForward), feed_forward);
    EXPECT_EQ(in(bytes, phase, Tensor::kExperts), 0u);
    EXPECT_EQ(in(bytes, phase, Tensor::kNone), 0u);
    const std::uint64_t norms = phase == Phase::kRecompute ? 88 : 89;
    EXPECT_EQ(in(bytes, phase, Tensor::kNorms), norms * 2 * d * 2);
    EXPECT_EQ(in(bytes, phase, Tensor::kHead), phase == Phase::kRecompute ? 0 : 2 * 50'432 * d);
  }
  EXPECT_EQ(out(bytes, Tensor::kAttention), attention);
  EXPECT_EQ(out(bytes, Tensor::kFeedForward), feed_forward);
}

// 2 d d_ff weights an expert, 2048 experts, 30 layers: 1570 billion of 1571.
TEST(StreamedBytesTest, ExpertsOfSwitchCAreNearlyAllThatComes) {
  constexpr std::uint64_t d = 2080;
  constexpr base::Bytes experts = 2ULL * 30 * 2048 * 2 * d * 6144;
  const StreamedBytes bytes = streamed(preset("switch-c"), 8, 512, false);
  EXPECT_EQ(in(bytes, Phase::kForward, Tensor::kExperts), experts);
  EXPECT_EQ(in(bytes, Phase::kBackward, Tensor::kExperts), experts);
  EXPECT_EQ(out(bytes, Tensor::kExperts), experts);
  EXPECT_EQ(in(bytes, Phase::kForward, Tensor::kRouter), 2ULL * 30 * d * 2048);
  EXPECT_EQ(in(bytes, Phase::kForward, Tensor::kFeedForward), 0u);
  // Queries, keys, values and projection, once more in the decoder to the encoder; the tables of
  // distances.
  EXPECT_NEAR(static_cast<double>(in(bytes, Phase::kForward, Tensor::kAttention)),
              2.0 * 45 * 4 * d * 2048, 0.03 * 2 * 45 * 4 * d * 2048);
}

TEST(StreamedBytesTest, EveryByteOfAnyModelHasAName) {
  for (const char* name : {"tiny-switch", "bert-large", "dalle-12b", "llama2-7b", "gopher-280b"}) {
    const StreamedBytes bytes = streamed(preset(name), 1, preset(name).positions, true);
    for (std::size_t phase = 0; phase < base::kNumPhases; ++phase) {
      EXPECT_EQ(bytes.in[phase][0], 0u) << name;
      EXPECT_EQ(bytes.out[phase][0], 0u) << name;
    }
  }
}

/// Blocks of 400 inputs and 100 outputs on 20 x 20 tiles: 20 features and 10 tokens a tile, two lanes.
constexpr double kCycles = 100 * 20 * (5 + 1) + 100 * (5 + 2);
constexpr double kSeconds = kCycles / 1.1e9;
constexpr base::Bytes kBytes = 80'000;

WorkItem block(base::Bytes in, base::Bytes out, std::uint64_t tokens = 200) {
  WorkItem w;
  w.operation = Operation::kGemmForward;
  w.phase = Phase::kBackward;
  w.inputs = 400;
  w.outputs = 100;
  w.tokens = tokens;
  w.weight_bytes = in;
  w.gradient_bytes = out;
  return w;
}
std::vector<WorkItem> repeated(const std::vector<WorkItem>& period, int times) {
  std::vector<WorkItem> all;
  for (int i = 0; i < times; ++i) all.insert(all.end(), period.begin(), period.end());
  return all;
}

class IoBoundTest : public ::testing::Test {
 protected:
  IoBoundTest() {
    machine_.io.lanes = 4;
    machine_.io.bits_per_second = 1'000'000'000;
    machine_.io.buffer_bytes = 10 * kBytes;
  }
  IoBound count(const std::vector<WorkItem>& schedule) const {
    return io_bound_of(schedule, base::Mapping(20, 20, 1), machine_, machine_.io,
                       tiles::Precision::kMixed);
  }
  double transfer(base::Bytes bytes) const {
    return static_cast<double>(bytes) / (4 * 0.9 / 8 * 1e9);
  }
  MachineConfig machine_;
};

// A block comes while the one before works: the lanes may take 1.1 times as long.
TEST_F(IoBoundTest, BlocksThatAreAllAlikeNeedWhatTheirBytesOverTheirWorkSay) {
  const IoBound bound = count(repeated({block(kBytes, 0)}, 300));
  EXPECT_TRUE(bound.bound);
  EXPECT_FALSE(bound.outwards);
  EXPECT_EQ(bound.phase, Phase::kBackward);
  EXPECT_NEAR(bound.tiles_seconds, 300 * kSeconds, 1e-12);
  EXPECT_NEAR(bound.waits_seconds, 300 * (transfer(kBytes) - kSeconds), 1e-9);
  EXPECT_NEAR(bound.factor, transfer(kBytes) / (1.1 * kSeconds), 1e-3 * bound.factor);
  EXPECT_NEAR(bound.bits_per_second, 4e9 * bound.factor, 1);
  EXPECT_NEAR(bound.freed_step_seconds, 1.1 * 300 * kSeconds, 1e-3 * bound.freed_step_seconds);
}

TEST_F(IoBoundTest, GradientsBindAlike) {
  const IoBound bound = count(repeated({block(0, kBytes)}, 1000));
  EXPECT_TRUE(bound.outwards);
  EXPECT_NEAR(bound.factor, transfer(kBytes) / (1.1 * kSeconds), 0.01 * bound.factor);
}

// Two blocks with weights, two without. A buffer for one block lets the second come only while it works
// itself: transfer = 1.4 works. A large one lets both come during all four: 2.2.
TEST_F(IoBoundTest, ABufferThatIsSmallLeavesTheLanesIdleWhereNothingIsNeeded) {
  const auto schedule =
      repeated({block(kBytes, 0), block(kBytes, 0), block(0, 0), block(0, 0)}, 300);
  EXPECT_NEAR(count(schedule).factor, transfer(kBytes) / (2.2 * kSeconds), 0.02);
  machine_.io.buffer_bytes = kBytes;
  EXPECT_NEAR(count(schedule).factor, transfer(kBytes) / (1.4 * kSeconds), 0.02);
}

TEST_F(IoBoundTest, TheRateThatItNamesIsTheOneAtWhichTheLanesCeaseToBind) {
  const auto schedule = repeated({block(kBytes, 0), block(kBytes, kBytes), block(kBytes, 0)}, 100);
  const IoBound bound = count(schedule);
  const auto with = [&](double rate) {
    machine_.io.bits_per_second =
        static_cast<std::uint64_t>(std::ceil(rate * bound.bits_per_second / 4));
    return count(schedule);
  };
  EXPECT_FALSE(with(1).bound);
  EXPECT_NEAR(with(1).factor, 1, 1e-3);
  EXPECT_TRUE(with(0.99).bound);
  EXPECT_FALSE(with(4).bound);
  EXPECT_NEAR(with(4).factor, 0.25, 1e-3);
}

// Two lanes work at multiples of 40 tokens.
TEST_F(IoBoundTest, TheTokensThatItNamesAreTheFewestThatHideTheBytes) {
  const IoBound bound = count(repeated({block(kBytes, 0)}, 50));
  const auto with = [&](std::uint64_t tokens) {
    return count(repeated({block(kBytes, 0, tokens)}, 50)).bound;
  };
  EXPECT_EQ(bound.tokens, 200u);
  EXPECT_GT(bound.tokens_needed, 200u);
  EXPECT_FALSE(with(bound.tokens_needed));
  EXPECT_TRUE(with(bound.tokens_needed - 41));
}

// With fewer tokens an expert than rows, more of them cost nothing and hide nothing.
TEST_F(IoBoundTest, ExpertsMustFillTheRowsBeforeTheyHideTheirWeights) {
  WorkItem experts = block(8 * kBytes, 0, 32);
  experts.experts = 8;
  experts.most_tokens = 5;
  const IoBound few = count(repeated({experts}, 20));
  EXPECT_TRUE(few.bound);
  EXPECT_GT(few.tokens_needed, 8u * 40);
  EXPECT_GT(static_cast<double>(few.tokens_needed), 3 * few.factor * 32);
}

// 11.25 GB/s are 2.6 wavelets a cycle of 1.1 GHz.
TEST_F(IoBoundTest, FasterLanesNeedMoreEdgePorts) {
  machine_.io.bits_per_second = 100'000'000'000;
  const IoBound bound = count(repeated({block(2000 * kBytes, 0)}, 20));
  const double ports = bound.factor * 11.25e9 / 4.4e9;
  EXPECT_GT(ports, 10);
  EXPECT_EQ(bound.edge_ports_per_lane, static_cast<std::uint64_t>(std::ceil(ports)));
}

}  // namespace
}  // namespace wse::model
