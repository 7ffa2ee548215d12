// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "wse/fabric/engine.h"

namespace wse::fabric {

/// The router of a tile as it is when a run begins.
std::unique_ptr<RouterModel> make_router(const RouteTable& routes, std::uint32_t tile,
                                         const EngineConfig& config);

/// A fabric as routers and wires, each router clocked in each cycle: what the engines are held
/// equal to. Any router can be another implementation of the contract of router_twin.h.
class ReferenceFabric final : public Engine {
 public:
  ReferenceFabric(const RouteTable& routes, const EngineConfig& config);

  /// Puts another implementation in the place of a router, before the first cycle.
  void set_twin(std::uint32_t tile, std::unique_ptr<RouterTwin> twin);
  /// The same with one around the router that is there: twin = wrap(router).
  template <class Wrap>
  void wrap_router(std::uint32_t tile, Wrap&& wrap) {
    routers_[tile] = wrap(std::move(routers_[tile]));
  }

  std::uint32_t source(std::uint32_t tile, std::uint8_t color) const override;
  bool inject(std::uint32_t source, const Wavelet& wavelet) override;
  void return_credit(std::uint32_t leaf) override;
  void step(EngineSink& sink) override;
  bool can_move() const override;
  EngineCounts counts() const override;
  std::uint64_t held() const override;

 private:
  /// What is under way in one direction of a wire, by the cycle of arrival.
  struct Wire {
    std::deque<std::pair<base::Cycles, Wavelet>> wavelets;
    std::deque<std::pair<base::Cycles, std::uint32_t>> credits;  ///< bit masks of colors
  };
  Wire& wire_into(std::uint32_t tile, Port port) {
    return wires_[std::size_t{tile} * kNumPorts + index_of(port)];
  }
  void send(std::uint32_t tile, const RouterPins& pins, EngineSink& sink);
  RouterPins receive(std::uint32_t tile);

  const Mesh mesh_;
  const EngineConfig config_;
  std::vector<bool> sources_;  ///< leaves whose route takes wavelets from the ramp
  std::vector<std::unique_ptr<RouterTwin>> routers_;
  std::vector<RouterModel*> models_;       ///< null where another implementation stands
  std::vector<Wire> wires_;                ///< into each port of each router
  std::vector<std::uint32_t> ramp_slots_;  ///< behind the ramp, by leaf, as compute engines see it
  std::deque<std::pair<base::Cycles, std::uint32_t>> freed_ramp_slots_;
  EngineCounts counts_;
};

}  // namespace wse::fabric
