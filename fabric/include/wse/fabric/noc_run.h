// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stdexcept>

#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/engine.h"
#include "wse/fabric/latency_stats.h"
#include "wse/fabric/router_watch.h"
#include "wse/fabric/traffic.h"

namespace wse::fabric {

enum class EngineKind : std::uint8_t { kCycle, kFlow };

struct NocConfig {
  TrafficConfig traffic;
  EngineConfig engine;
  EngineKind kind = EngineKind::kCycle;
  std::uint32_t threads = 1;
  RouterWatch* watch = nullptr;  ///< of some routers, at the cycle level
  /// Puts routers of other makes into the fabric, before its first cycle; of one thread, by color.
  std::function<void(ChannelFabric&, const RouteTable&)> put_twins;
  std::function<bool()> interrupted;  ///< asked in every cycle or few; true ends the run

  void validate(base::ConfigErrors& errors) const;
  /// Whether routers can be watched.
  void validate_watch(base::ConfigErrors& errors) const;
};

/// Of a run of synthetic traffic; counts in wavelets, times in cycles.
struct NocResult {
  std::uint64_t offered = 0;  ///< injected + refused
  std::uint64_t injected = 0;
  std::uint64_t refused = 0;    ///< still waiting at their sources when these stopped
  std::uint64_t delivered = 0;  ///< copies
  std::uint64_t hops = 0;
  base::Cycles cycles = 0;  ///< the cycle after the last delivery
  std::uint64_t latency_sum = 0;
  std::uint64_t latency_max = 0;
  LatencyHistogram latencies;
  double accepted_rate = 0;  ///< wavelets injected a sending tile and cycle while sources offered
  std::uint64_t senders = 0;
  std::size_t state_bytes = 0;  ///< of the engine
  std::string result_hash;

  double mean_latency() const {
    return delivered == 0 ? 0.0 : static_cast<double>(latency_sum) / static_cast<double>(delivered);
  }
};

class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

/// Offers the traffic, stops the sources, lets the network drain. Throws DeadlockError if it does
/// not, Interrupted if asked to.
NocResult run_noc(const NocConfig& config);

}  // namespace wse::fabric
