// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/cycle_fabric.h"

#include <algorithm>

#include "wse/base/activity_port.h"
#include "wse/base/check.h"

namespace wse::fabric {

using base::Cycles;

namespace {
constexpr Cycles kNever = ~Cycles{0};
constexpr std::uint32_t kNobody = ~std::uint32_t{0};
}  // namespace

CycleFabric::CycleFabric(const sc_core::sc_module_name& name, RouteTable routes,
                         const EngineConfig& config, const FabricLayout& layout,
                         const base::ClockEpochs& epochs, const base::WindowTicker& ticker,
                         std::uint32_t threads)
    : sc_core::sc_module(name),
      lane_in_socket("lane_in_socket", layout.lanes.size()),
      lane_out_socket("lane_out_socket", layout.lanes.size()),
      ramp_in_socket("ramp_in_socket", layout.regions.size()),
      ramp_out_socket("ramp_out_socket", layout.regions.size()),
      config_(config),
      layout_(layout),
      epochs_(epochs),
      ticker_(ticker),
      core_(std::move(routes), config, threads),
      places_(layout.mesh.tiles(), {kNobody, 0}),
      frames_(layout.regions.size() + layout.lanes.size()) {
  SC_HAS_PROCESS(CycleFabric);
  SC_METHOD(run);
  sensitive << wake_;
  dont_initialize();
  SC_METHOD(end_window);
  sensitive << ticker.tick();
  dont_initialize();
  for (std::uint32_t r = 0; r < layout.regions.size(); ++r) {
    const base::Rectangle& region = layout.regions[r];
    std::vector<std::uint32_t> tiles;
    for (std::uint32_t y = region.rows.begin; y < region.rows.end; ++y) {
      for (std::uint32_t x = region.columns.begin; x < region.columns.end; ++x) {
        tiles.push_back(layout.mesh.tile(x, y));
      }
    }
    place(r, tiles);
    ramp_in_socket[r].on_receive(
        [this, r](RampFrame& f) { receive(r, f.cycle, f.wavelets, f.credits); });
  }
  for (std::uint32_t lane = 0; lane < layout.lanes.size(); ++lane) {
    const auto neighbour = static_cast<std::uint32_t>(layout.regions.size() + lane);
    place(neighbour, layout.lanes[lane]);
    lane_in_socket[lane].on_receive([this, neighbour](LaneBlock& block) {
      WSE_CHECK(block.kind == LaneBlock::Kind::kWavelets, "a lane at the cycle level");
      receive(neighbour, block.cycle, block.wavelets, block.credits);
    });
  }
  for (const Place& p : places_) WSE_CHECK(p.neighbour != kNobody, "a tile in no region or lane");
  if (!layout.die_of_tile.empty()) core_.count_by_tile(layout_.die_of_tile);
}

void CycleFabric::place(std::uint32_t neighbour, const std::vector<std::uint32_t>& tiles) {
  for (std::uint32_t i = 0; i < tiles.size(); ++i) {
    WSE_CHECK(places_[tiles[i]].neighbour == kNobody, "a tile in two regions or lanes");
    places_[tiles[i]] = {neighbour, i};
  }
  tiles_of_.push_back(tiles);
}

void CycleFabric::receive(std::uint32_t neighbour, Cycles cycle,
                          const std::vector<RampWavelet>& wavelets,
                          const std::vector<RampCredit>& credits) {
  WSE_CHECK(cycle >= core_.now(), std::string(name()) + ": a frame from the past");
  auto it = inbox_.find(cycle);
  if (it == inbox_.end()) {
    it = inbox_.emplace(cycle, Inbox()).first;
    if (!spare_.empty()) {
      it->second = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  const std::vector<std::uint32_t>& tiles = tiles_of_[neighbour];
  for (const RampWavelet& w : wavelets) {
    it->second.wavelets.emplace_back(tiles[w.tile], w.wavelet);
  }
  for (const RampCredit& credit : credits) {
    WSE_CHECK(credit.count == 1, std::string(name()) + ": more than one credit a color and cycle");
    it->second.credits.push_back(leaf_of(tiles[credit.tile], credit.color));
  }
  arm(cycle);
}

/// The first cycle in which anybody else could still send something.
Cycles CycleFabric::horizon() const {
  if (sc_core::sc_pending_activity()) {
    return epochs_.cycle_at_or_after(base::now() + sc_core::sc_time_to_pending_activity().value());
  }
  return kNever;
}

void CycleFabric::run() {
  // Edges up to now have passed, so everything up to the cycle that they began has come.
  const Cycles begun = epochs_.cycle_at_or_after(base::now());
  // At the end of a window nothing may run ahead, whichever process comes first.
  const bool ends_window = base::now() % ticker_.window() == 0;
  Cycles until = ends_window ? begun : std::max(begun, horizon());
  while (core_.now() < until) {
    const Cycles next = inbox_.empty() ? kNever : inbox_.begin()->first;
    if (next != core_.now() && !core_.can_move()) {
      if (std::min(next, until) == kNever) return;  // asleep until a frame comes
      core_.skip_to(std::min(next, until));
      continue;
    }
    const Cycles cycle = core_.now();
    take_inbox();
    core_.step(*this);
    if (touched_.empty()) continue;
    send_frames(cycle);
    // Who got something can answer when it takes effect.
    until = std::max(begun, std::min(until, cycle + config_.ramp_cycles));
  }
  if (core_.can_move()) {
    arm(core_.now());
  } else if (!inbox_.empty()) {
    arm(inbox_.begin()->first);
  }
}

void CycleFabric::take_inbox() {
  if (inbox_.empty() || inbox_.begin()->first != core_.now()) return;
  Inbox& inbox = inbox_.begin()->second;
  for (const auto& [tile, wavelet] : inbox.wavelets) {
    const std::uint32_t source = core_.source(tile, wavelet.color);
    WSE_CHECK(source != Engine::kNoSource,
              fmt::format("{}: tile {} has no route from its ramp for color {}", name(), tile,
                          wavelet.color));
    WSE_CHECK(core_.inject(source, wavelet),
              fmt::format("{}: tile {} sent color {} without a slot", name(), tile, wavelet.color));
  }
  for (const std::uint32_t leaf : inbox.credits) core_.return_credit(leaf);
  inbox.wavelets.clear();
  inbox.credits.clear();
  spare_.push_back(std::move(inbox));
  inbox_.erase(inbox_.begin());
}

RampFrame& CycleFabric::frame_for(std::uint32_t tile) {
  const std::uint32_t neighbour = places_[tile].neighbour;
  RampFrame& frame = frames_[neighbour];
  if (frame.wavelets.empty() && frame.credits.empty()) touched_.push_back(neighbour);
  return frame;
}

void CycleFabric::deliver(Cycles /*cycle*/, const Delivery* begin, const Delivery* end) {
  for (const Delivery* d = begin; d != end; ++d) {
    const std::uint32_t tile = tile_of(d->leaf);
    frame_for(tile).wavelets.push_back({places_[tile].index, d->wavelet()});
  }
}

void CycleFabric::free_slots(Cycles /*cycle*/, const std::uint32_t* begin,
                             const std::uint32_t* end) {
  for (const std::uint32_t* leaf = begin; leaf != end; ++leaf) {
    const std::uint32_t tile = tile_of(*leaf);
    frame_for(tile).credits.push_back({places_[tile].index, color_of(*leaf), 1});
  }
}

void CycleFabric::send_frames(Cycles cycle) {
  const auto regions = static_cast<std::uint32_t>(ramp_out_socket.size());
  for (const std::uint32_t neighbour : touched_) {
    RampFrame& frame = frames_[neighbour];
    frame.cycle = cycle;
    if (neighbour < regions) {
      ramp_out_socket[neighbour].send(frame);
    } else {
      block_.kind = LaneBlock::Kind::kWavelets;
      block_.cycle = cycle;
      std::swap(block_.wavelets, frame.wavelets);
      std::swap(block_.credits, frame.credits);
      lane_out_socket[neighbour - regions].send(block_);
      std::swap(block_.wavelets, frame.wavelets);
      std::swap(block_.credits, frame.credits);
    }
    frame.clear();
  }
  touched_.clear();
}

void CycleFabric::arm(Cycles cycle) {
  const base::Picoseconds at = std::max(middle_of(cycle), base::now());
  wake_.notify(base::to_sc_time(at - base::now()));
}

void CycleFabric::end_window() {
  run();  // up to the last edge before the end of the window
  report_window(ticker_.ended(), ticker_.end_of(ticker_.ended()));
}

void CycleFabric::report_window(std::uint64_t window, base::Picoseconds /*end*/) {
  if (layout_.die_of_tile.empty()) return;
  std::vector<base::ActivityRecord> records(layout_.dies);
  ChannelFabric::TileCounts* counts = core_.tile_counts();
  for (std::uint32_t tile = 0; tile < layout_.mesh.tiles(); ++tile) {
    base::EventCounts& events = records[layout_.die_of_tile[tile]].counts;
    at(events, base::EventKind::kLinkHop) += counts[tile].links;
    at(events, base::EventKind::kDieCrossing) += counts[tile].die_crossings;
    at(events, base::EventKind::kRamp) += counts[tile].ramp + counts[tile].injected;
    // A wavelet enters a router by a link, counted where it left, or by the ramp.
    at(events, base::EventKind::kRouterTraversal) += counts[tile].links + counts[tile].injected;
    counts[tile] = {};
  }
  for (std::uint32_t die = 0; die < layout_.dies; ++die) {
    base::ActivityRecord& record = records[die];
    if (record.counts == base::EventCounts{}) continue;
    record.die = die;
    record.phase = layout_.phase;
    record.window = window;
    base::post_activity(activity_socket, record, "/wse/fabric/activity_refused");
  }
}

}  // namespace wse::fabric
