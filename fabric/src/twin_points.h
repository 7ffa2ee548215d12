// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/router_twin.h"

namespace wse::fabric {

/// The routers of a ChannelFabric that are simulated elsewhere, and the wires to them.
///
/// The queues of such a router stay in the fabric as mirrors: what neighbours send lies there until
/// the router frees the slot, so that neighbours find slots as they do everywhere.
class TwinPoints {
 public:
  explicit TwinPoints(ChannelFabric& fabric) : fabric_(fabric) {}

  void add(std::uint32_t tile, std::unique_ptr<RouterTwin> twin);
  bool stands_at(std::uint32_t tile) const { return find(tile) != nullptr; }

  /// A wavelet that lies in a mirror takes `latency` cycles to the router.
  void send(std::uint32_t channel, const Wavelet& wavelet, std::uint32_t latency);
  /// A slot behind an output of the router at a tile was freed.
  void free_slot(std::uint32_t tile, Port output, std::uint8_t color, std::uint32_t latency);
  /// Runs the cycle of the fabric: what routers give goes to their neighbours, then all are clocked.
  void step(EngineSink& sink);
  /// Whether any router has something to come or gave something lately.
  bool can_move() const;

 private:
  /// One direction of a wire, by the cycle of arrival.
  struct Wire {
    std::deque<std::pair<base::Cycles, Wavelet>> wavelets;
    std::deque<std::pair<base::Cycles, std::uint32_t>> credits;  ///< bit masks of colors
  };
  struct Twin {
    std::uint32_t tile = 0;
    std::unique_ptr<RouterTwin> router;
    std::array<Wire, kNumPorts> wires;  ///< into each port
    unsigned quiet = 0;                 ///< clocks since anything came or went
  };
  Twin* find(std::uint32_t tile);
  const Twin* find(std::uint32_t tile) const;
  void take_outputs(Twin& twin, EngineSink& sink);
  void give(Twin& twin, Port output, const Wavelet& wavelet, EngineSink& sink);
  void pop_mirror(Twin& twin, Port input, std::uint8_t color, EngineSink& sink);
  RouterPins receive(Twin& twin);
  [[noreturn]] void fail(const Twin& twin, Port port, std::uint8_t color, const char* rule) const;

  ChannelFabric& fabric_;
  std::vector<Twin> twins_;
};

}  // namespace wse::fabric
