// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/traffic_region.h"

#include <algorithm>

#include "wse/base/window_ticker.h"

namespace wse::fabric {

using base::Cycles;

TrafficRegion::TrafficRegion(const sc_core::sc_module_name& name, const Traffic& traffic,
                             const base::Rectangle& tiles, const EngineConfig& config,
                             const base::ClockEpochs& epochs)
    : sc_core::sc_module(name),
      traffic_(traffic),
      tiles_(tiles),
      config_(config),
      epochs_(epochs),
      offers_(traffic.config().rate / traffic.config().packet, traffic.senders().size(),
              traffic.config().seed),
      turns_(traffic.senders().size(), 0),
      slots_(tiles.tiles() * kNumColors, static_cast<std::uint8_t>(config.ramp_slots())),
      backlog_(tiles.tiles()) {
  SC_HAS_PROCESS(TrafficRegion);
  SC_METHOD(run);
  sensitive << wake_;
  ramp_in_socket.on_receive([this](RampFrame& frame) { receive(frame); });
  next_offer();
}

/// Passes over the offers of other regions.
void TrafficRegion::next_offer() {
  while (offers_.cycle() < traffic_.config().cycles) {
    const std::uint32_t tile = traffic_.senders()[offers_.sender()];
    if (tiles_.contains(traffic_.config().mesh.at(tile))) return;
    offers_.next();
  }
}

void TrafficRegion::receive(const RampFrame& frame) {
  const Cycles use = frame.cycle + config_.ramp_cycles;
  if (!frame.wavelets.empty()) {
    std::vector<Delivery>& due = arrivals_[use];
    for (const RampWavelet& w : frame.wavelets) {
      due.push_back(Delivery::of(leaf_of(w.tile, w.wavelet.color), w.wavelet));
    }
  }
  if (!frame.credits.empty()) {
    std::vector<std::uint32_t>& due = freed_[use];
    for (const RampCredit& credit : frame.credits)
      due.push_back(leaf_of(credit.tile, credit.color));
  }
  arm();
}

void TrafficRegion::arm() {
  Cycles next = ~Cycles{0};
  if (!arrivals_.empty()) next = std::min(next, arrivals_.begin()->first);
  // Slots matter only to those who wait.
  if (!freed_.empty() && !waiting_.empty()) next = std::min(next, freed_.begin()->first);
  if (!stopped_) next = std::min(next, std::min(offers_.cycle(), traffic_.config().cycles));
  if (!waiting_.empty() && !stopped_) next = std::min(next, acted_ + 1);
  if (next == ~Cycles{0}) return;
  const base::Picoseconds at = std::max(epochs_.time_of(next), base::now());
  wake_.notify(base::to_sc_time(at - base::now()));
}

void TrafficRegion::run() {
  const Cycles cycle = epochs_.cycle_at_or_after(base::now());
  if (epochs_.time_of(cycle) == base::now() && cycle != acted_) act(cycle);
  arm();
}

void TrafficRegion::act(Cycles cycle) {
  acted_ = cycle;
  frame_.clear();
  frame_.cycle = cycle;
  while (!freed_.empty() && freed_.begin()->first <= cycle) {
    for (const std::uint32_t leaf : freed_.begin()->second) ++slots_[leaf];
    freed_.erase(freed_.begin());
  }
  while (!arrivals_.empty() && arrivals_.begin()->first <= cycle) {
    const std::vector<Delivery>& due = arrivals_.begin()->second;
    const std::uint32_t columns = tiles_.columns.size();
    const Mesh mesh = traffic_.config().mesh;
    for (Delivery d : due) {
      const std::uint32_t index = tile_of(d.leaf);
      if (!config_.receiver_depth.empty()) frame_.credits.push_back({index, color_of(d.leaf), 1});
      d.leaf = leaf_of(
          mesh.tile(tiles_.columns.begin + index % columns, tiles_.rows.begin + index / columns),
          color_of(d.leaf));
      stats_.deliver(cycle, &d, &d + 1);
    }
    arrivals_.erase(arrivals_.begin());
  }
  if (!stopped_) offer(cycle);
  if (!frame_.wavelets.empty() || !frame_.credits.empty()) ramp_out_socket.send(frame_);
}

bool TrafficRegion::give(std::uint32_t index, const Waiting& waiting) {
  std::uint8_t& slots = slots_[leaf_of(index, waiting.color)];
  if (slots == 0) return false;
  --slots;
  ++injected_;
  frame_.wavelets.push_back({index, {waiting.data, waiting.color, false, waiting.advance}});
  return true;
}

void TrafficRegion::offer(Cycles cycle) {
  const TrafficConfig& config = traffic_.config();
  if (cycle >= config.cycles) {  // sources stop, what waits is refused
    for (const std::uint32_t index : waiting_) refused_ += backlog_[index].size();
    waiting_.clear();
    stopped_ = true;
    return;
  }
  std::vector<std::uint32_t> gave;
  for (const std::uint32_t index : waiting_) {
    if (!give(index, backlog_[index].front())) continue;
    backlog_[index].pop_front();
    gave.push_back(index);
  }
  for (; offers_.cycle() == cycle; offers_.next(), next_offer()) {
    const auto sender = static_cast<std::uint32_t>(offers_.sender());
    const std::uint32_t tile = traffic_.senders()[sender];
    const base::Coordinate at = config.mesh.at(tile);
    const std::uint32_t index =
        (at.y - tiles_.rows.begin) * tiles_.columns.size() + at.x - tiles_.columns.begin;
    const std::uint32_t n = turns_[sender]++;
    const std::uint32_t target = traffic_.target(tile, n, 0);
    if (target == Traffic::kNobody) continue;
    std::uint32_t left = config.packet;
    const auto waiting = [&] {
      return Waiting{static_cast<std::uint8_t>(target), static_cast<std::uint32_t>(cycle),
                     left == 1 && traffic_.advances(tile, n)};
    };
    const bool free =
        backlog_[index].empty() && std::find(gave.begin(), gave.end(), index) == gave.end();
    if (free && give(index, waiting())) --left;
    if (left > 0 && std::find(waiting_.begin(), waiting_.end(), index) == waiting_.end()) {
      waiting_.push_back(index);
    }
    for (; left > 0; --left) backlog_[index].push_back(waiting());
  }
  waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(),
                                [this](std::uint32_t i) { return backlog_[i].empty(); }),
                 waiting_.end());
}

}  // namespace wse::fabric
