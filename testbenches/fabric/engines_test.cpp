// SPDX-License-Identifier: Apache-2.0
// Every engine does in every cycle what the reference does: random meshes, routes, streams, stalls.
// WSE_SEED=n replays one case.
#include <gtest/gtest.h>

#include <cstdlib>

#include "support/fabric_case.h"
#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/flow_fabric.h"
#include "wse/fabric/reference_fabric.h"

namespace wse::fabric {
namespace {

using testing::FabricCase;
using testing::FabricDriver;
using testing::FabricLog;

constexpr std::uint64_t kCases = testing::case_count(1000, 100);

::testing::AssertionResult equal(const FabricLog& reference, const FabricLog& log) {
  for (std::size_t i = 0; i < std::min(reference.entries.size(), log.entries.size()); ++i) {
    if (reference.entries[i] == log.entries[i]) continue;
    const auto text = [](const FabricLog::Entry& e) {
      return fmt::format("cycle {} tile {} color {} data {:08x} flags {}", e.cycle, tile_of(e.leaf),
                         color_of(e.leaf), e.data, e.flags);
    };
    return ::testing::AssertionFailure()
           << "event " << i << "\n  reference " << text(reference.entries[i]) << "\n  engine    "
           << text(log.entries[i]);
  }
  if (reference.entries.size() != log.entries.size()) {
    return ::testing::AssertionFailure()
           << reference.entries.size() << " events, " << log.entries.size() << " in the engine";
  }
  if (!(reference.counts == log.counts) || reference.held != log.held ||
      reference.injections != log.injections) {
    return ::testing::AssertionFailure()
           << "counts differ: hops " << reference.counts.hops << " " << log.counts.hops << ", held "
           << reference.held << " " << log.held;
  }
  return ::testing::AssertionSuccess();
}

/// A fabric of channels with some routers left out, which are models of them: up to all.
FabricLog run_with_twins(const FabricCase& c) {
  base::Random random(c.seed);
  ChannelFabric fabric(c.routes, c.config);
  std::vector<const RouterModel*> models;
  const std::uint64_t percent = random.below(4) == 0 ? 100 : random.below(60);
  for (std::uint32_t tile = 0; tile < c.routes.mesh().tiles(); ++tile) {
    if (random.below(100) >= percent) continue;
    auto router = make_router(c.routes, tile, c.config);
    models.push_back(router.get());
    fabric.set_twin(tile, std::move(router));
  }
  FabricLog log = FabricDriver(c, fabric).run();
  for (const RouterModel* model : models) log.counts.filtered += model->filtered();
  return log;
}

void check_case(std::uint64_t seed) {
  const FabricCase c = testing::random_fabric_case(seed);
  base::ConfigErrors errors;
  check_routes(c.routes, errors);
  ASSERT_TRUE(errors.empty()) << "illegal routes of seed " << seed;
  ReferenceFabric reference(c.routes, c.config);
  ChannelFabric channels(c.routes, c.config);
  const FabricLog expected = FabricDriver(c, reference).run();
  EXPECT_TRUE(equal(expected, FabricDriver(c, channels).run())) << "WSE_SEED=" << seed;
  EngineConfig threaded = c.config;
  threaded.copies_a_thread = 0;
  if (seed % 64 == 0 && c.routes.mesh().rows > 1) {
    const std::uint32_t threads = seed % 128 == 0 ? 3 : 2;
    ChannelFabric bands(c.routes, threaded, std::min(threads, c.routes.mesh().rows));
    EXPECT_TRUE(equal(expected, FabricDriver(c, bands).run())) << "threads, WSE_SEED=" << seed;
  }
  EXPECT_TRUE(equal(expected, run_with_twins(c))) << "twins, WSE_SEED=" << seed;
  FlowFabric flows(c.routes, c.config);
  EXPECT_TRUE(equal(expected, FabricDriver(c, flows).run())) << "flows, WSE_SEED=" << seed;
}

void check_shard(std::uint64_t shard) {
  const char* seed = std::getenv("WSE_SEED");
  if (seed != nullptr) return check_case(std::strtoull(seed, nullptr, 10));
  std::cout << "seeds " << shard * kCases + 1 << " .. " << (shard + 1) * kCases << "\n";
  for (std::uint64_t i = 1; i <= kCases; ++i) {
    check_case(shard * kCases + i);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(EnginesTest, EqualTheReferenceShard0) { check_shard(0); }
TEST(EnginesTest, EqualTheReferenceShard1) { check_shard(1); }
TEST(EnginesTest, EqualTheReferenceShard2) { check_shard(2); }
TEST(EnginesTest, EqualTheReferenceShard3) { check_shard(3); }
TEST(EnginesTest, EqualTheReferenceShard4) { check_shard(4); }
TEST(EnginesTest, EqualTheReferenceShard5) { check_shard(5); }
TEST(EnginesTest, EqualTheReferenceShard6) { check_shard(6); }
TEST(EnginesTest, EqualTheReferenceShard7) { check_shard(7); }
TEST(EnginesTest, EqualTheReferenceShard8) { check_shard(8); }
TEST(EnginesTest, EqualTheReferenceShard9) { check_shard(9); }

}  // namespace
}  // namespace wse::fabric
