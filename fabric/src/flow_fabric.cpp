// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/flow_fabric.h"

#include <algorithm>

namespace wse::fabric {

using base::Cycles;

FlowFabric::FlowFabric(RouteTable routes, const EngineConfig& config)
    : config_(config), channels_(std::move(routes), config) {
  trace_circuits();
}

std::uint32_t FlowFabric::source(std::uint32_t tile, std::uint8_t color) const {
  const std::uint32_t channel = channels_.source(tile, color);
  if (channel == kNoSource) return kNoSource;
  const auto it = std::lower_bound(
      circuits_.begin(), circuits_.end(), channel,
      [](const Circuit& circuit, std::uint32_t number) { return circuit.channel < number; });
  return static_cast<std::uint32_t>(it - circuits_.begin());
}

/// Finds the circuits and which of them share an output.
void FlowFabric::trace_circuits() {
  const ChannelGraph& graph = channels_.graph();
  const Mesh mesh = graph.mesh();
  for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
    for (std::uint8_t color = 0; color < kNumColors; ++color) {
      const std::uint32_t channel = graph.find_ramp(tile, color);
      if (channel == Channel::kNone) continue;
      Circuit circuit;
      circuit.channel = channel;
      circuit.source_leaf = leaf_of(tile, color);
      circuit.flows = config_.receiver_depth.empty() && config_.queue_depth >= 2;
      circuit.group = static_cast<std::uint32_t>(circuits_.size());
      parents_.push_back(circuit.group);
      circuits_.push_back(std::move(circuit));
    }
  }
  PageArray<std::uint32_t> owners(std::size_t{mesh.tiles()} * kNumPorts);  // number + 1
  for (Circuit& circuit : circuits_) trace(circuit, owners);
  std::vector<std::uint32_t> group_of(circuits_.size(), Circuit::kNone);
  for (std::uint32_t i = 0; i < circuits_.size(); ++i) {
    std::uint32_t& group = group_of[root(i)];
    if (group == Circuit::kNone) {
      group = static_cast<std::uint32_t>(groups_.size());
      groups_.emplace_back();
    }
    circuits_[i].group = group;
    ++groups_[group].circuits;
    if (!circuits_[i].flows) groups_[group].cycles = groups_[group].always = true;
  }
  for (Group& group : groups_) {
    // A pointer that never returns to its start remembers who flowed.
    if (group.circuits > 1 && config_.arbitration == Arbitration::kPlainRoundRobin) {
      group.cycles = group.always = true;
    }
  }
  parents_.clear();
}

/// Follows all outputs from the source, and joins the circuit with those met on the way.
void FlowFabric::trace(Circuit& circuit, PageArray<std::uint32_t>& owners) {
  const std::uint32_t number = circuit.group;
  walk(circuit, [&](const Place& place) {
    const ColorRoute& route = *place.route;
    if (route.position_count > 1 || route.filter.kind != RampFilter::Kind::kNone ||
        route.pop != PopMode::kNever) {
      circuit.flows = false;
    }
    circuit.depth = std::max(circuit.depth, place.depth);
    PortSet follow;
    for (const Port output : kPorts) {
      if (!place.outputs.contains(output)) continue;
      std::uint32_t& owner = owners[std::size_t{place.tile} * kNumPorts + index_of(output)];
      if (owner == number + 1) {
        circuit.flows = false;  // two copies of a wavelet would meet there
        continue;
      }
      if (owner != 0) parents_[root(owner - 1)] = root(number);
      owner = number + 1;
      if (output == Port::kRamp) {
        circuit.leaves.push_back({leaf_of(place.tile, place.color), place.depth});
      } else {
        ++circuit.hops;
        follow = follow | output;
      }
    }
    return follow;
  });
  if (!circuit.flows) circuit.leaves = {};
}

/// Calls visit for each queue of a circuit, from the source on; it returns the links to follow.
template <class Visit>
void FlowFabric::walk(const Circuit& circuit, Visit&& visit) const {
  const ChannelGraph& graph = channels_.graph();
  const std::uint8_t color = color_of(circuit.source_leaf);
  struct Step {
    std::uint32_t tile;
    Port input;
    std::uint32_t depth;
  };
  std::vector<Step> steps{{tile_of(circuit.source_leaf), Port::kRamp, 0}};
  while (!steps.empty()) {
    const Step step = steps.back();
    steps.pop_back();
    const ColorRoute* route = graph.routes().find(step.tile, color);
    const PortSet links = visit(
        Place{step.tile, color, step.input, step.depth, route, route->outputs_of(step.input)});
    for (const Port output : kPorts) {
      if (!links.contains(output)) continue;
      steps.push_back({graph.mesh().neighbour(step.tile, output), facing(output), step.depth + 1});
    }
  }
}

std::uint32_t FlowFabric::root(std::uint32_t circuit) {
  while (parents_[circuit] != circuit) {
    parents_[circuit] = parents_[parents_[circuit]];
    circuit = parents_[circuit];
  }
  return circuit;
}

bool FlowFabric::inject(std::uint32_t source, const Wavelet& wavelet) {
  const Circuit& circuit = circuits_[source];
  Group& group = groups_[circuit.group];
  if (command_of(wavelet) == Command::kTeardown) {  // it changes routes
    if (!group.cycles) turn_to_cycles(group);
    group.always = true;
  }
  if (!group.cycles && group.circuits == 1) {
    ++flowed_;
    tell_whole(source, {now_, wavelet});
    return true;
  }
  if (!group.cycles && flow_in_turn(group, source, wavelet)) return true;
  return channels_.inject(circuit.channel, wavelet);
}

/// In a group of several circuits. False if another one has something under way: then the group has
/// gone over to cycles.
bool FlowFabric::flow_in_turn(Group& group, std::uint32_t source, const Wavelet& wavelet) {
  retire(group);
  const bool busy =
      !group.under_way.empty() &&
      last_departure(circuits_[group.flowing], group.under_way.back().injected) >= now_;
  if (busy && group.flowing != source) {
    turn_to_cycles(group);
    return false;
  }
  if (group.flowing != source) finish_all(group);
  group.flowing = source;
  group.under_way.push_back({now_, wavelet});
  last_arrival_ = std::max(last_arrival_, last_departure(circuits_[source], now_));
  ++flowed_;
  if (!group.listed) flowing_.push_back(circuits_[source].group);
  group.listed = true;
  return true;
}

/// A wavelet that reaches all leaves of its circuit undisturbed.
void FlowFabric::tell_whole(std::uint32_t source, const UnderWay& what) {
  const Circuit& circuit = circuits_[source];
  counts_.delivered += circuit.leaves.size();
  counts_.hops += circuit.hops;
  flowed_wavelets_.push_back({source, what});
}

/// Wavelets that have long left the last router of the flowing circuit.
void FlowFabric::retire(Group& group) {
  while (!group.under_way.empty()) {
    const UnderWay& first = group.under_way.front();
    if (last_departure(circuits_[group.flowing], first.injected) + 1 >= now_) return;
    tell_whole(group.flowing, first);
    group.under_way.pop_front();
  }
}

void FlowFabric::finish_all(Group& group) {
  for (const UnderWay& what : group.under_way) tell_whole(group.flowing, what);
  group.under_way.clear();
}

/// What a flow has under way goes on in the channels.
void FlowFabric::turn_to_cycles(Group& group) {
  if (!group.under_way.empty()) restore(group);
  group.cycles = true;
  cycling_.push_back(static_cast<std::uint32_t>(&group - groups_.data()));
}

void FlowFabric::restore(Group& group) {
  const Circuit& circuit = circuits_[group.flowing];
  const ChannelGraph& graph = channels_.graph();
  walk(circuit, [&](const Place& place) {
    const std::uint32_t channel = graph.find(place.tile, place.color, place.input);
    for (const UnderWay& what : group.under_way) {
      const Cycles departure =
          what.injected + config_.ramp_cycles + Cycles{place.depth} * config_.hop_cycles;
      if (departure >= now_) {
        // Not yet sent on by this router; is it here already, or on the wire to here?
        if (place.depth == 0 || departure - config_.hop_cycles < now_) {
          channels_.restore(channel, what.wavelet, departure);
        }
        continue;
      }
      if (departure + 1 == now_) channels_.restore_grant(channel);
      counts_.hops += (place.outputs - Port::kRamp).size();
      if (place.depth == 0) passed_sources_.push_back({departure, circuit.source_leaf});
      if (place.outputs.contains(Port::kRamp)) {
        ++counts_.delivered;
        passed_leaves_.push_back({departure + config_.ramp_cycles,
                                  Delivery::of(leaf_of(place.tile, place.color), what.wavelet)});
      }
    }
    return place.outputs - Port::kRamp;
  });
  group.under_way.clear();
}

void FlowFabric::tell(EngineSink& sink) {
  for (const Flowed& f : flowed_wavelets_) {
    const Circuit& circuit = circuits_[f.circuit];
    const Cycles departure = f.what.injected + config_.ramp_cycles;
    sink.free_slots(departure, &circuit.source_leaf, &circuit.source_leaf + 1);
    sink.deliver_flow(f.circuit, circuit, departure + config_.ramp_cycles, config_.hop_cycles,
                      f.what.wavelet);
  }
  for (const auto& [cycle, leaf] : passed_sources_) sink.free_slots(cycle, &leaf, &leaf + 1);
  for (const auto& [cycle, delivery] : passed_leaves_)
    sink.deliver(cycle, &delivery, &delivery + 1);
  flowed_wavelets_.clear();
  passed_sources_.clear();
  passed_leaves_.clear();
}

void FlowFabric::step(EngineSink& sink) {
  if (channels_.can_move()) {
    channels_.step(sink);
  } else {
    channels_.skip_to(now_ + 1);
  }
  ++now_;
  if (!cycling_.empty() && channels_.held() == 0 && !channels_.can_move()) {
    for (const std::uint32_t group : cycling_) groups_[group].cycles = groups_[group].always;
    cycling_.clear();
  }
  if (now_ > last_arrival_ && !flowing_.empty()) {
    for (const std::uint32_t group : flowing_) {
      finish_all(groups_[group]);
      groups_[group].listed = false;
    }
    flowing_.clear();
  }
  tell(sink);
}

EngineCounts FlowFabric::counts() const {
  EngineCounts sum = channels_.counts();
  sum.injected += flowed_;
  sum.delivered += counts_.delivered;
  sum.hops += counts_.hops;
  return sum;
}

/// Copies one by one, for sinks that do not care for flows.
void EngineSink::deliver_flow(std::uint32_t /*number*/, const Circuit& circuit, Cycles first,
                              std::uint32_t hop_cycles, const Wavelet& wavelet) {
  for (const Circuit::Leaf& leaf : circuit.leaves) {
    const Delivery delivery = Delivery::of(leaf.leaf, wavelet);
    deliver(first + Cycles{leaf.depth} * hop_cycles, &delivery, &delivery + 1);
  }
}

}  // namespace wse::fabric
