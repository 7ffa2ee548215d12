// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/router_setup.h"

#include <algorithm>

namespace wse::fabric {

RouterSetup router_setup(const RouteTable& routes, std::uint32_t tile, const EngineConfig& config) {
  RouterSetup setup;
  setup.arbitration = config.arbitration;
  setup.own_slots = std::max(config.link_slots(), config.ramp_slots());
  for (std::uint8_t color = 0; color < kNumColors; ++color) {
    const ColorRoute* route = routes.find(tile, color);
    if (route == nullptr) continue;
    setup.routes[color] = *route;
    for (const Port port : kPorts) setup.slots[index_of(port)][color] = config.link_slots();
    setup.slots[index_of(Port::kRamp)][color] =
        config.receiver_depth.empty()
            ? RouterModel::kUnlimited
            : EngineConfig::slots(config.receiver_depth[leaf_of(tile, color)], config.ramp_cycles);
  }
  return setup;
}

std::unique_ptr<RouterModel> model_of(const RouterSetup& setup) {
  auto router = std::make_unique<RouterModel>(setup.arbitration);
  for (std::uint8_t color = 0; color < kNumColors; ++color) {
    if (!setup.routes[color]) continue;
    router->set_route(color, *setup.routes[color]);
    for (const Port port : kPorts) {
      router->set_slots(port, color, setup.slots[index_of(port)][color]);
    }
  }
  return router;
}

}  // namespace wse::fabric
