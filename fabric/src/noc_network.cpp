// SPDX-License-Identifier: Apache-2.0
#include "noc_network.h"

#include <type_traits>

#include "wse/fabric/deadlock.h"
#include "wse/fabric/flow_fabric.h"
#include "wse/fabric/xy_fabric.h"

namespace wse::fabric {
namespace {

template <class Fabric>
class NetworkOf final : public Network {
 public:
  template <class... Arguments>
  explicit NetworkOf(Arguments&&... arguments) : fabric_(std::forward<Arguments>(arguments)...) {}

  std::uint32_t source(std::uint32_t tile, std::uint32_t target) const override {
    if constexpr (std::is_same_v<Fabric, XyFabric>) {
      return tile;
    } else {
      return fabric_.source(tile, static_cast<std::uint8_t>(target));
    }
  }
  void prefetch(std::uint32_t source) const override { fabric_.prefetch(source); }
  bool inject(const Parcel& parcel) override {
    if constexpr (std::is_same_v<Fabric, XyFabric>) {
      return fabric_.inject(parcel.source, parcel.target, parcel.data);
    } else {
      return fabric_.inject(parcel.source, parcel.wavelet());
    }
  }
  void step(EngineSink& sink) override { fabric_.step(sink); }
  void skip_to(base::Cycles cycle) override { fabric_.skip_to(cycle); }
  base::Cycles now() const override { return fabric_.now(); }
  bool can_move() const override { return fabric_.can_move(); }
  EngineCounts counts() const override { return fabric_.counts(); }
  std::uint64_t held() const override { return fabric_.held(); }
  std::size_t bytes() const override { return fabric_.bytes(); }
  std::uint32_t block_columns() const override {
    if constexpr (kRunsAhead) return fabric_.graph().block_columns();
    return 0;
  }
  bool can_run_ahead() const override {
    if constexpr (kRunsAhead) return fabric_.can_run_ahead();
    return false;
  }
  void run_ahead(ChannelFabric::RunAheadSource& source, EngineSink& sink) override {
    if constexpr (kRunsAhead) fabric_.run_ahead(source, sink);
  }
  void set_watch(RouterWatch& watch) override {
    if constexpr (!std::is_same_v<Fabric, FlowFabric>) fabric_.set_watch(watch);
  }
  Fabric& fabric() { return fabric_; }
  std::string explain_deadlock() const override {
    if constexpr (std::is_same_v<Fabric, XyFabric>) {
      return "deadlock, which routes along rows and then columns do not allow";
    } else {
      return fabric::explain_deadlock(fabric_.graph().routes(), fabric_.held_queues(), now());
    }
  }

 private:
  static constexpr bool kRunsAhead = std::is_same_v<Fabric, ChannelFabric>;
  Fabric fabric_;
};

}  // namespace

std::unique_ptr<Network> make_network(const NocConfig& config, const Traffic& traffic) {
  if (config.traffic.routing == Routing::kXy) {
    return std::make_unique<NetworkOf<XyFabric>>(config.traffic.mesh, config.engine);
  }
  if (config.kind == EngineKind::kFlow) {
    return std::make_unique<NetworkOf<FlowFabric>>(traffic.routes(), config.engine);
  }
  auto network =
      std::make_unique<NetworkOf<ChannelFabric>>(traffic.routes(), config.engine, config.threads);
  if (config.put_twins) config.put_twins(network->fabric(), traffic.routes());
  return network;
}

}  // namespace wse::fabric
