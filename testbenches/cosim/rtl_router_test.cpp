// SPDX-License-Identifier: Apache-2.0
// RTL routers in a fabric do in every cycle what the reference does: random meshes, routes, switches,
// filters, streams, stalls. WSE_SEED=n replays one case.
#include <gtest/gtest.h>

#include <cstdlib>

#include "support/fabric_case.h"
#include "wse/cosim/router_twins.h"
#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/reference_fabric.h"

namespace wse::cosim {
namespace {

using testing::FabricCase;
using testing::FabricDriver;
using testing::FabricLog;

class RtlRouterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (router_twins().empty()) GTEST_SKIP() << "this program was built without Verilator";
  }
};

/// A fabric of channels with RTL routers at a share of its tiles.
FabricLog run_with_rtl(const FabricCase& c, std::uint64_t percent) {
  const RouterTwinKind& kind = router_twin("router", "test");
  base::Random random(c.seed);
  fabric::ChannelFabric fabric(c.routes, c.config);
  for (std::uint32_t tile = 0; tile < c.routes.mesh().tiles(); ++tile) {
    if (random.below(100) >= percent) continue;
    fabric.set_twin(tile, make_router_twin(kind, fabric::router_setup(c.routes, tile, c.config)));
  }
  return FabricDriver(c, fabric).run();
}

bool fits(const FabricCase& c) {
  return fabric::router_setup(c.routes, 0, c.config).own_slots <=
             router_twin("router", "test").size &&
         c.routes.mesh().tiles() <= 20;
}

TEST_F(RtlRouterTest, EqualsTheReference) {
  const char* only = std::getenv("WSE_SEED");
  std::uint64_t cases = 0;
  for (std::uint64_t seed = 1; cases < testing::case_count(60, 6); ++seed) {
    if (only != nullptr) seed = std::strtoull(only, nullptr, 10);
    const FabricCase c = testing::random_fabric_case(seed);
    if (!fits(c)) continue;
    ++cases;
    fabric::ReferenceFabric reference(c.routes, c.config);
    const FabricLog expected = FabricDriver(c, reference).run();
    for (const std::uint64_t percent : {30, 100}) {
      const FabricLog log = run_with_rtl(c, percent);
      ASSERT_EQ(log.entries.size(), expected.entries.size()) << "seed " << seed;
      ASSERT_TRUE(log.entries == expected.entries) << "seed " << seed;
      ASSERT_EQ(log.counts.hops, expected.counts.hops) << "seed " << seed;
      ASSERT_EQ(log.injections, expected.injections) << "seed " << seed;
    }
    if (only != nullptr) return;
  }
}

TEST_F(RtlRouterTest, QueuesThatAreTooShortAreRefused) {
  RouterSetup setup;
  setup.own_slots = 7;
  EXPECT_THROW(make_router_twin(router_twin("router", "test"), setup), base::ConfigError);
  EXPECT_THROW(router_twin("ruter", "--twin"), base::ConfigError);
}

}  // namespace
}  // namespace wse::cosim
