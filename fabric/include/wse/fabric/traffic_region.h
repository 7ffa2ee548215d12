// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <systemc>
#include <vector>

#include "wse/base/clock_epochs.h"
#include "wse/base/one_way_socket.h"
#include "wse/fabric/engine.h"
#include "wse/fabric/latency_stats.h"
#include "wse/fabric/offers.h"
#include "wse/fabric/ramp_frame.h"
#include "wse/fabric/traffic.h"

namespace wse::fabric {

/// A region of tiles that offer synthetic traffic and read whatever comes, as soon as it can be
/// used: what `wse noc` does, through sockets.
///
/// Interfaces  a pair of ramp sockets.
/// Timing      acts at clock edges: wavelets and credits of cycle n are stamped n. Sleeps between
///             offers and arrivals.
class TrafficRegion final : public sc_core::sc_module {
 public:
  base::OneWayInitiator<RampProtocol> ramp_out_socket{"ramp_out_socket"};
  base::OneWayTarget<RampProtocol> ramp_in_socket{"ramp_in_socket"};

  /// Offers are those of the whole traffic that fall on tiles of the region.
  TrafficRegion(const sc_core::sc_module_name& name, const Traffic& traffic,
                const base::Rectangle& tiles, const EngineConfig& config,
                const base::ClockEpochs& epochs);

  const LatencyStats& stats() const { return stats_; }
  LatencyStats& stats() { return stats_; }
  std::uint64_t injected() const { return injected_; }
  std::uint64_t refused() const { return refused_; }

 private:
  struct Waiting {
    std::uint8_t color;
    std::uint32_t data;
    bool advance;
  };
  void receive(const RampFrame& frame);
  void run();
  void act(base::Cycles cycle);
  void offer(base::Cycles cycle);
  bool give(std::uint32_t index, const Waiting& waiting);
  void next_offer();
  void arm();

  const Traffic& traffic_;
  const base::Rectangle tiles_;
  const EngineConfig config_;
  const base::ClockEpochs& epochs_;
  Offers offers_;
  std::vector<std::uint32_t> turns_;          ///< packets so far, by sender of the traffic
  std::vector<std::uint8_t> slots_;           ///< behind the ramps, by index x 24 + color
  std::vector<std::deque<Waiting>> backlog_;  ///< by index
  std::vector<std::uint32_t> waiting_;        ///< indices with a backlog
  std::map<base::Cycles, std::vector<Delivery>> arrivals_;    ///< by the cycle of their use
  std::map<base::Cycles, std::vector<std::uint32_t>> freed_;  ///< slots, by when they can be used
  RampFrame frame_;
  LatencyStats stats_;
  base::Cycles acted_ = ~base::Cycles{0};  ///< last cycle in which the region acted
  std::uint64_t injected_ = 0;
  std::uint64_t refused_ = 0;
  bool stopped_ = false;
  sc_core::sc_event wake_{"wake"};
};

}  // namespace wse::fabric
