// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "wse/fabric/engine.h"
#include "wse/fabric/route_table.h"
#include "wse/fabric/router_model.h"

namespace wse::fabric {

/// What a router is told before its first clock.
struct RouterSetup {
  std::array<std::optional<ColorRoute>, kNumColors> routes;
  /// Behind each output and color; RouterModel::kUnlimited where nobody counts.
  std::array<std::array<std::uint32_t, kNumColors>, kNumPorts> slots{};
  std::uint32_t own_slots = 0;  ///< of its own queues, that senders count on: the most
  Arbitration arbitration = Arbitration::kRoundRobin;
  std::uint32_t mutant = 0;  ///< a planted fault; 0: none
  bool checked = false;      ///< outputs must not move without a clock: a TwinError if they do
};

/// Of the router of a tile.
RouterSetup router_setup(const RouteTable& routes, std::uint32_t tile, const EngineConfig& config);

/// The model that every implementation is compared with.
std::unique_ptr<RouterModel> model_of(const RouterSetup& setup);

}  // namespace wse::fabric
