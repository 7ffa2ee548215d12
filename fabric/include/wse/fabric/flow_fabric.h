// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/circuit.h"
#include "wse/fabric/prefetch.h"

namespace wse::fabric {

/// Streams over static circuits without moving their wavelets: one that meets nobody arrives when
/// its distance says. Circuits that share an output anywhere are a group; while only one of a group
/// has anything under way, it flows. When a second one starts, what the first has under way is put
/// into the channels, and the group goes on cycle by cycle until all channels are empty. Equal to
/// ReferenceFabric in every delivery and cycle.
///
/// Switches, filters, circuits that meet themselves, queues behind ramps that can be full, and
/// depths below 2 are left to the channels.
class FlowFabric final : public Engine {
 public:
  /// Routes must have passed check_routes().
  FlowFabric(RouteTable routes, const EngineConfig& config);

  std::uint32_t source(std::uint32_t tile, std::uint8_t color) const override;
  bool inject(std::uint32_t source, const Wavelet& wavelet) override;
  void prefetch(std::uint32_t source) const { fabric::prefetch(&circuits_[source]); }
  void return_credit(std::uint32_t leaf) override { channels_.return_credit(leaf); }
  void step(EngineSink& sink) override;
  bool can_move() const override { return channels_.can_move() || now_ <= last_arrival_; }
  EngineCounts counts() const override;
  std::uint64_t held() const override { return channels_.held(); }

  std::vector<HeldQueue> held_queues() const { return channels_.held_queues(); }
  const ChannelGraph& graph() const { return channels_.graph(); }
  std::size_t bytes() const { return channels_.bytes(); }
  /// Wavelets that began as a flow, of all that were injected.
  std::uint64_t flowed() const { return flowed_; }

 private:
  struct UnderWay {
    base::Cycles injected;
    Wavelet wavelet;
  };
  struct Group {
    std::uint32_t circuits = 0;
    bool cycles = false;  ///< moves through the channels now
    bool always = false;  ///< and always will
    bool listed = false;  ///< in flowing_
    std::uint32_t flowing = Circuit::kNone;
    std::deque<UnderWay> under_way;  ///< of the flowing circuit, in groups of several
  };
  struct Flowed {
    std::uint32_t circuit;
    UnderWay what;
  };
  /// One queue of a circuit.
  struct Place {
    std::uint32_t tile;
    std::uint8_t color;
    Port input;
    std::uint32_t depth;  ///< hops from the source
    const ColorRoute* route;
    PortSet outputs;
  };

  void trace_circuits();
  void trace(Circuit& circuit, PageArray<std::uint32_t>& owners);
  std::uint32_t root(std::uint32_t circuit);
  template <class Visit>
  void walk(const Circuit& circuit, Visit&& visit) const;
  bool flow_in_turn(Group& group, std::uint32_t source, const Wavelet& wavelet);
  void tell_whole(std::uint32_t source, const UnderWay& what);
  void retire(Group& group);
  void finish_all(Group& group);
  void turn_to_cycles(Group& group);
  void restore(Group& group);
  void tell(EngineSink& sink);
  void on_skip(base::Cycles cycle) override { channels_.skip_to(cycle); }
  /// The cycle in which a wavelet leaves the farthest router of its circuit.
  base::Cycles last_departure(const Circuit& circuit, base::Cycles injected) const {
    return injected + config_.ramp_cycles + base::Cycles{circuit.depth} * config_.hop_cycles;
  }

  const EngineConfig config_;
  ChannelFabric channels_;
  std::vector<Circuit> circuits_;
  std::vector<std::uint32_t> parents_;  ///< while groups are formed, by circuit
  std::vector<Group> groups_;
  std::vector<std::uint32_t> cycling_;  ///< groups that move through the channels for now
  std::vector<std::uint32_t> flowing_;  ///< groups of several circuits that have flowed
  // To be told to the sink at the end of the cycle.
  std::vector<Flowed> flowed_wavelets_;
  std::vector<std::pair<base::Cycles, std::uint32_t>> passed_sources_;
  std::vector<std::pair<base::Cycles, Delivery>> passed_leaves_;
  base::Cycles last_arrival_ = 0;
  std::uint64_t flowed_ = 0;
  EngineCounts counts_;  ///< of what flowed
};

}  // namespace wse::fabric
