// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/engine.h"

#include "wse/base/check.h"

namespace wse::fabric {

EngineConfig EngineConfig::of(const FabricConfig& machine, base::ConfigErrors& errors) {
  constexpr std::uint32_t kMostSlots = 255;
  EngineConfig config;
  config.hop_cycles = machine.hop_latency_cycles;
  config.ramp_cycles = machine.ramp_latency_cycles;
  config.queue_depth = machine.queue_depth;
  config.arbitration =
      machine.plain_round_robin != 0 ? Arbitration::kPlainRoundRobin : Arbitration::kRoundRobin;
  const std::string rule =
      fmt::format("makes a queue of more than {} slots: queue_depth + 2 (latency - 1)", kMostSlots);
  errors.require(config.link_slots() <= kMostSlots, "fabric.hop_latency_cycles", config.hop_cycles,
                 rule);
  errors.require(config.ramp_slots() <= kMostSlots, "fabric.ramp_latency_cycles",
                 config.ramp_cycles, rule);
  return config;
}

void Engine::skip_to(base::Cycles cycle) {
  WSE_CHECK(cycle >= now_ && !can_move(), "a fabric in motion cannot be moved on");
  if (cycle == now_) return;
  on_skip(cycle);
  now_ = cycle;
}

}  // namespace wse::fabric
