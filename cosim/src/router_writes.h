// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wse/fabric/router_setup.h"

namespace wse::cosim {

/// One clock with cfg_write; kinds and values as docs/cosim.md has them.
struct RouterWrite {
  std::uint32_t kind = 0;
  std::uint32_t color = 0;
  std::uint32_t value = 0;
};

/// What a router is told through its cfg pins after reset, in this order. Here alone, so that a
/// router that is Verilated and one in another process are told the same.
inline std::vector<RouterWrite> configuration_of(const fabric::RouterSetup& setup) {
  std::vector<RouterWrite> writes;
  writes.push_back({5, 0, setup.arbitration == fabric::Arbitration::kPlainRoundRobin ? 1U : 0U});
  for (std::uint32_t color = 0; color < fabric::kNumColors; ++color) {
    if (!setup.routes[color]) continue;
    const fabric::ColorRoute& route = *setup.routes[color];
    for (std::uint32_t i = 0; i < route.position_count; ++i) {
      const fabric::SwitchPosition& p = route.positions[i];
      writes.push_back(
          {0, color, i << 10 | std::uint32_t{p.inputs.bits()} << 5 | p.outputs.bits()});
    }
    writes.push_back({1, color,
                      1U | (route.ring ? 2U : 0U) | static_cast<std::uint32_t>(route.pop) << 2 |
                          (route.position_count - 1U) << 4});
    const fabric::RampFilter& filter = route.filter;
    writes.push_back(
        {2, color, static_cast<std::uint32_t>(filter.kind) | std::uint32_t{filter.first} << 16});
    writes.push_back({3, color, filter.last | (filter.period & 0xffff) << 16});
    for (std::uint32_t port = 0; port < fabric::kNumPorts; ++port) {
      const std::uint32_t slots = setup.slots[port][color];
      const bool unlimited = slots == fabric::RouterModel::kUnlimited;
      writes.push_back({4, color, port | (unlimited ? 8U : (slots & 0xff) << 4)});
    }
  }
  return writes;
}

}  // namespace wse::cosim
