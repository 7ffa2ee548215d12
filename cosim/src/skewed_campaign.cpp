// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "router_traffic.h"
#include "run_seeds.h"
#include "wse/cosim/skewed_router.h"

namespace wse::cosim {

using fabric::kPorts;
using fabric::Port;
using fabric::RouterPins;

namespace {

/// Colors whose order is a matter of timing keep one input.
void make_ordered(RouterSetup& setup) {
  for (auto& route : setup.routes) {
    if (!route || keeps_order(*route)) continue;
    const fabric::PortSet inputs = route->inputs();
    const Port first = *std::find_if(kPorts.begin(), kPorts.end(),
                                     [&](Port port) { return inputs.contains(port); });
    for (std::size_t p = 0; p < route->position_count; ++p) route->positions[p].inputs = first;
  }
}

/// A random router for some clocks, and until it has nothing more to give.
void run_router(const RouterTwinKind& kind, const RouterSetup& setup, const std::string& name,
                base::Random& random, std::uint64_t clocks, SkewedCampaignResult& result) {
  SkewedRouter router(name, make_router_twin(kind, setup), setup, result.skew);
  RouterSurroundings around(setup, random.next(), result.wavelets);
  for (std::uint64_t clock = 0; clock < clocks; ++clock) {
    router.clock(around.next(router.outputs(), clock));
    ++result.cycles;
  }
  for (unsigned quiet = 0; quiet < fabric::RouterTwin::kQuietClocks;) {
    const RouterPins out = router.outputs();
    quiet = out == RouterPins() && around.is_idle() ? quiet + 1 : 0;
    router.clock(around.drain(out));
  }
  router.finish();
}

}  // namespace

SkewedCampaignResult run_skewed_campaign(const RouterTwinKind& kind, const Campaign& campaign) {
  constexpr std::uint64_t kEach = 1000;  // clocks of a router; then another one
  SkewedCampaignResult result;
  run_seeds(campaign, result, [&](std::uint64_t seed, std::uint64_t cycles) {
    base::Random random(seed);
    for (std::uint64_t done = 0; done < cycles; done += kEach) {
      RouterSetup setup = random_router(random, kind.size);
      make_ordered(setup);
      setup.mutant = campaign.mutant;
      setup.checked = true;
      const std::string name =
          fmt::format("rtl:{}, seed {}, router {},", kind.name, seed, done / kEach);
      run_router(kind, setup, name, random, std::min(kEach, cycles - done), result);
    }
  });
  return result;
}

}  // namespace wse::cosim
