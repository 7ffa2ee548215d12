// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/noc_run.h"

namespace wse::fabric {

/// A wavelet at its source: to a color, or with xy routing to a tile.
struct Parcel {
  std::uint32_t source = 0;  ///< of the network
  std::uint32_t target = 0;
  std::uint32_t data = 0;
  bool advance = false;

  /// With color routing.
  Wavelet wavelet() const { return {data, static_cast<std::uint8_t>(target), false, advance}; }
};

/// The two kinds of networks behind one face.
class Network {
 public:
  virtual ~Network() = default;
  /// Where a tile gives wavelets for a target to the network.
  virtual std::uint32_t source(std::uint32_t tile, std::uint32_t target) const = 0;
  virtual void prefetch(std::uint32_t source) const = 0;
  virtual bool inject(const Parcel& parcel) = 0;
  virtual void step(EngineSink& sink) = 0;
  virtual void skip_to(base::Cycles cycle) = 0;
  virtual base::Cycles now() const = 0;
  virtual bool can_move() const = 0;
  virtual EngineCounts counts() const = 0;
  virtual std::uint64_t held() const = 0;
  virtual std::size_t bytes() const = 0;
  virtual std::string explain_deadlock() const = 0;
  /// Of the blocks that can run ahead of each other; 0 if none can.
  virtual std::uint32_t block_columns() const = 0;
  virtual bool can_run_ahead() const = 0;
  virtual void run_ahead(ChannelFabric::RunAheadSource& source, EngineSink& sink) = 0;
  virtual void set_watch(RouterWatch& watch) = 0;
};

/// For a run of that traffic.
std::unique_ptr<Network> make_network(const NocConfig& config, const Traffic& traffic);

}  // namespace wse::fabric
