// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/stream_fabric.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "wse/base/check.h"
#include "wse/fabric/gemm_traffic.h"

namespace wse::fabric {

using base::Cycles;
using base::EventCounts;
using base::EventKind;
using base::Operation;
using base::WorkItem;

StreamFabric::StreamFabric(const FabricConfig& config, const IoConfig& io,
                           const base::WaferGeometry& geometry, const base::RegionLayout& layout,
                           const base::Mapping& mapping, std::uint32_t sum_bits,
                           const base::ClockEpochs& epochs)
    : config_(config),
      io_(io),
      geometry_(geometry),
      layout_(layout),
      mapping_(mapping),
      sum_bits_(sum_bits),
      epochs_(epochs),
      mesh_(geometry),
      user_tiles_(geometry.dies(), 0),
      untold_(geometry.config().die_columns),
      lane_out_free_(io.lanes, 0),
      ports_in_(io.lanes, EdgePorts(io.edge_ports_per_lane)),
      ports_out_(io.lanes, EdgePorts(io.edge_ports_per_lane)),
      activity_(geometry.dies()) {
  for (const base::RegionPart& part : layout.parts()) user_tiles_[part.die] += part.tiles.tiles();
}

bool StreamFabric::Message::operator>(const Message& that) const {
  return std::tie(stamp, order, item, source) >
         std::tie(that.stamp, that.order, that.item, that.source);
}

void StreamFabric::push(Message message) {
  inbox_.push_back(message);
  std::push_heap(inbox_.begin(), inbox_.end(), std::greater<>{});
}

void StreamFabric::trace(base::Track track, const WorkItem& item, Cycles begin, Cycles end) {
  if (timeline_ == nullptr) return;
  timeline_->add(track, 0, item, epochs_.time_of(begin), epochs_.time_of(end));
}

const StreamFabric::Routes& StreamFabric::routes_of(const WorkItem& item) {
  const auto known = routes_.find(item.copies);
  if (known != routes_.end()) return known->second;
  return routes_.emplace(item.copies, route_lanes(mapping_of(item))).first->second;
}

/// Lane l of n brings features l/n .. (l+1)/n, which stand in every copy of the feature dimension.
StreamFabric::Routes StreamFabric::route_lanes(const base::Mapping& mapping) const {
  const base::GeometryConfig& g = geometry_.config();
  Routes routes;
  routes.feeders.assign(g.die_columns, 0);
  for (std::uint32_t lane = 0; lane < io_.lanes; ++lane) {
    LaneRoute route;
    route.west = lane < io_.west_lanes();
    const std::uint32_t side = route.west ? io_.west_lanes() : io_.lanes - io_.west_lanes();
    const std::uint32_t place = route.west ? lane : lane - io_.west_lanes();
    route.die_row = static_cast<std::uint32_t>((2ULL * place + 1) * g.die_rows / (2ULL * side));
    for (std::uint32_t step = 0; step < g.die_columns; ++step) {
      const std::uint32_t column = route.west ? step : g.die_columns - 1 - step;
      const base::Span own = geometry_.user_columns_of(column);
      for (std::uint32_t copy = 0; copy < mapping.copies(); ++copy) {
        const base::Span all = mapping.columns_of_copy(copy);
        const base::Span fed{
            all.begin + static_cast<std::uint32_t>(std::uint64_t{all.size()} * lane / io_.lanes),
            all.begin + static_cast<std::uint32_t>(
                            base::ceil_div(std::uint64_t{all.size()} * (lane + 1), io_.lanes))};
        const base::Span here = intersect(own, fed);
        if (here.size() == 0) continue;
        route.die_columns.push_back(column);
        route.columns.push_back(here);
      }
    }
    for (std::size_t i = 0; i < route.die_columns.size(); ++i) {
      if (i == 0 || route.die_columns[i] != route.die_columns[i - 1]) {
        ++routes.feeders[route.die_columns[i]];
      }
    }
    routes.lanes.push_back(std::move(route));
  }
  return routes;
}

void StreamFabric::receive_share(std::uint32_t lane, const LaneBlock& block, Cycles now) {
  const Cycles first = epochs_.cycle_at_or_after(block.first);
  WSE_CHECK(first >= now, "a lane's share must not arrive in the past");
  push({first, 0, block.item->id, lane, epochs_.cycle_at_or_after(block.last), block.bytes,
        block.item});
}

void StreamFabric::receive_stream(const RampStream& stream, Cycles now) {
  WSE_CHECK(stream.kind == StreamKind::kPartialSums, "regions send partial sums only");
  WSE_CHECK(stream.last_cycle >= now, "a region's stream must not end in the past");
  // Counted at once: a region runs ahead, so the windows of the work are still open.
  count_part(*stream.item, layout_.parts()[stream.part], stream.first_cycle, stream.last_cycle);
  push({stream.last_cycle, 1, stream.item->id, stream.part, stream.first_cycle, 0, stream.item});
}

Cycles StreamFabric::next_event() const { return inbox_.empty() ? kNever : inbox_.front().stamp; }

void StreamFabric::advance(Cycles now) {
  to_lanes_.clear();
  to_parts_.clear();
  while (!inbox_.empty() && inbox_.front().stamp <= now) {
    std::pop_heap(inbox_.begin(), inbox_.end(), std::greater<>{});
    const Message message = inbox_.back();
    inbox_.pop_back();
    message.order == 0 ? handle_share(message) : handle_done(message);
  }
}

void StreamFabric::handle_share(const Message& message) {
  Flight& flight = flights_[message.item];
  if (flight.first.empty()) {
    flight.first.assign(geometry_.dies(), kNever);
    flight.last.assign(geometry_.dies(), 0);
    flight.die_tiles.assign(geometry_.dies(), 0);
    flight.arrived.assign(geometry_.config().die_columns, 0);
    for (std::uint32_t c = 0; c < untold_.size(); ++c) {
      if (routes_of(*message.work).feeders[c] > 0) untold_[c].push_back(message.work);
    }
  }
  stats_.bytes_in += message.bytes;
  distribute(message, flight);
  if (++flight.shares == io_.lanes && message.work->weight_bytes > 0) {
    const std::uint32_t die = layout_.parts().front().die;
    trace(base::Track::kBroadcast, *message.work, flight.first[die], flight.last[die]);
  }
  std::uint32_t before = geometry_.config().die_columns;
  const Routes& routes = routes_of(*message.work);
  for (const std::uint32_t column : routes.lanes[message.source].die_columns) {
    if (column == before) continue;  // of another copy
    before = column;
    if (++flight.arrived[column] == routes.feeders[column]) tell_in_order(column);
  }
}

/// Where the mapping changes, other lanes feed a column: they may be ahead of those before.
void StreamFabric::tell_in_order(std::uint32_t column) {
  std::deque<const WorkItem*>& untold = untold_[column];
  while (!untold.empty()) {
    const WorkItem& item = *untold.front();
    const Flight& flight = flights_.at(item.id);
    if (flight.arrived[column] < routes_of(item).feeders[column]) return;
    tell_column(column, item, flight);
    untold.pop_front();
  }
}

/// All lanes that feed a column of dies have brought their share.
void StreamFabric::tell_column(std::uint32_t column, const WorkItem& item, const Flight& flight) {
  for (const base::RegionPart& part : layout_.parts()) {
    if (part.die % geometry_.config().die_columns != column) continue;
    RampStream stream;
    stream.kind = StreamKind::kWeights;
    stream.part = part.index;
    stream.item = &item;
    stream.first_cycle = flight.first[part.die];
    stream.last_cycle = flight.last[part.die];
    to_parts_.push_back({part.index, stream});
  }
}

/// Along the row, from the edge to the farthest die column fed; each bundle crossed is a resource.
void StreamFabric::distribute(const Message& message, Flight& flight) {
  const LaneRoute& route = routes_of(*message.work).lanes[message.source];
  const std::uint32_t columns = geometry_.config().die_columns;
  const Direction direction = route.west ? Direction::kEast : Direction::kWest;
  const std::uint64_t packed = base::ceil_div(message.bytes, 4);
  Message stream = message;
  const Passage passage = ports_in_[message.source].pass(packed, message.stamp);
  stream.stamp = passage.first;
  stream.other = std::max(message.other, passage.last);
  const Cargo cargo = message.work->sample_bytes_in > 0 ? Cargo::kSamples : Cargo::kWeights;
  EventCounts io{};
  at(io, EventKind::kIoBit) = message.bytes * 8;
  at(events(message.work->phase, cargo), EventKind::kIoBit) += message.bytes * 8;
  Cycles head = stream.stamp + config_.ramp_latency_cycles;
  std::uint32_t at_column = route.west ? 0 : columns - 1;
  activity_[geometry_.die_at(at_column, route.die_row)].add(message.work->phase, stream.stamp,
                                                            stream.other + 1, io);
  for (std::size_t target = 0; target < route.die_columns.size(); ++target) {
    while (at_column != route.die_columns[target]) {
      const std::uint32_t die = geometry_.die_at(at_column, route.die_row);
      head = mesh_.reserve(die, direction, packed, head);
      head += Cycles{geometry_.fabric_columns_of(at_column).size()} * config_.hop_latency_cycles;
      count_row(die, message.work->phase, cargo, packed, head,
                head + (stream.other - stream.stamp) + 1, true);
      route.west ? ++at_column : --at_column;
    }
    multicast_column(stream, route, target, head, flight);
  }
}

/// From the row of the lane up and down the columns of one die column; a packed wavelet becomes
/// two.
void StreamFabric::multicast_column(const Message& message, const LaneRoute& route,
                                    std::size_t target, Cycles head, Flight& flight) {
  const std::uint32_t die_column = route.die_columns[target];
  const std::uint64_t all_columns =
      base::ceil_div(mapping_.columns() / message.work->copies, io_.lanes);
  const std::uint64_t weights =
      base::mul_div_up(base::ceil_div(message.bytes, 2), route.columns[target].size(), all_columns);
  const Cycles span = message.other - message.stamp;
  const auto arrive = [&](std::uint32_t die_row, Cycles at) {
    const std::uint32_t die = geometry_.die_at(die_column, die_row);
    flight.first[die] = std::min(flight.first[die], at);
    flight.last[die] = std::max(flight.last[die], at + span);
  };
  const auto cross = [&](std::uint32_t die_row, Direction direction, Cycles at) {
    at = mesh_.reserve(geometry_.die_at(die_column, die_row), direction, weights, at);
    return at + Cycles{geometry_.fabric_rows_of(die_row).size()} * config_.hop_latency_cycles;
  };
  head += config_.unpack_cycles + 2 * Cycles{config_.ramp_latency_cycles};
  arrive(route.die_row, head);
  Cycles up = head;
  for (std::uint32_t row = route.die_row; row > 0; --row) {
    up = cross(row, Direction::kNorth, up);
    arrive(row - 1, up);
  }
  Cycles down = head;
  for (std::uint32_t row = route.die_row; row + 1 < geometry_.config().die_rows; ++row) {
    down = cross(row, Direction::kSouth, down);
    arrive(row + 1, down);
  }
}

void StreamFabric::handle_done(const Message& message) {
  const WorkItem& item = *message.work;
  const base::RegionPart& part = layout_.parts()[message.source];
  Flight& flight = flights_.at(item.id);
  const Cycles start = message.other;
  const Cycles finish = message.stamp;
  if (message.source == 0) trace(base::Track::kCompute, item, start, finish);
  flight.finish = std::max(flight.finish, finish);
  flight.die_tiles[part.die] += part.tiles.tiles();
  flight.tiles_done += part.tiles.tiles();
  if (flight.die_tiles[part.die] == user_tiles_[part.die]) {
    reduce(item, part.die, start, finish, flight);
  }
  if (flight.tiles_done == mapping_.tiles()) {
    const Flight done = std::move(flight);
    flights_.erase(item.id);
    complete(item, done);
  }
}

/// Sums run along with the work: their bundle is held from its start.
void StreamFabric::reduce(const WorkItem& item, std::uint32_t die, Cycles start, Cycles finish,
                          Flight& flight) {
  const base::Mapping mapping = mapping_of(item);
  Cycles done = finish;
  Cycles fill = 2 * Cycles{config_.ramp_latency_cycles};
  if (item.operation == Operation::kGemmForward ||
      item.operation == Operation::kGemmInputGradient) {
    const std::uint64_t a_row =
        item.all_outputs() *
        base::ceil_div(mapping.tokens_per_tile(item.loop_tokens()) * sum_bits_, 32);
    // Out over every other tile, back over the others.
    for (const Direction direction : {Direction::kEast, Direction::kWest}) {
      mesh_.reserve(die, direction, a_row * mesh_.links(die, direction), start);
      done = std::max(done, mesh_.free_at(die, direction));
    }
    fill = config_.ring_cycles(mapping.columns() / mapping.copies());
  } else if (item.operation == Operation::kGemmWeightGradient) {
    const std::uint64_t a_column = item.all_outputs() * mapping.features_per_tile(item.inputs);
    mesh_.reserve(die, Direction::kSouth, a_column * mesh_.links(die, Direction::kSouth), start);
    done = std::max(done, mesh_.free_at(die, Direction::kSouth));
    fill = config_.chain_cycles() * mapping.rows();
  }
  flight.reduced = std::max(flight.reduced, done + fill);
}

void StreamFabric::complete(const WorkItem& item, const Flight& flight) {
  const base::Picoseconds consumed = epochs_.time_of(flight.finish);
  trace(base::Track::kReduction, item, flight.finish, flight.reduced);
  for (std::uint32_t lane = 0; lane < io_.lanes; ++lane) {
    to_lanes_.push_back({lane, {LaneBlock::Kind::kCredit, &item, 0, consumed, consumed}});
  }
  if (item.ends_operation) tell_parts(StreamKind::kResultsReady, item, flight.reduced);
  if (item.bytes_out() > 0) send_gradients(item, flight.reduced);
}

void StreamFabric::send_gradients(const WorkItem& item, Cycles ready) {
  Cycles left = ready;
  const Cargo cargo = item.sample_bytes_out > 0 ? Cargo::kSamples : Cargo::kGradients;
  for (std::uint32_t lane = 0; lane < io_.lanes; ++lane) {
    const LaneRoute& route = routes_of(item).lanes[lane];
    const base::Bytes bytes = base::mul_div(item.bytes_out(), lane + 1, io_.lanes) -
                              base::mul_div(item.bytes_out(), lane, io_.lanes);
    const std::uint64_t packed = base::ceil_div(bytes, 4);
    const Direction direction = route.west ? Direction::kWest : Direction::kEast;
    Cycles head = ready;
    for (auto it = route.die_columns.rbegin(); it != route.die_columns.rend(); ++it) {
      const std::uint32_t die = geometry_.die_at(*it, route.die_row);
      head = mesh_.reserve(die, direction, packed, head);
      head += Cycles{geometry_.fabric_columns_of(*it).size()} * config_.hop_latency_cycles;
      count_row(die, item.phase, cargo, packed, head, head + packed / io_.edge_ports_per_lane + 1,
                true);
    }
    const Passage passage = ports_out_[lane].pass(packed, head);
    const base::Picoseconds first = std::max(epochs_.time_of(passage.first), lane_out_free_[lane]);
    const base::Picoseconds last =
        std::max(first + io_.transfer_time(bytes), epochs_.time_of(passage.last));
    lane_out_free_[lane] = last;
    stats_.bytes_out += bytes;
    const Cycles last_cycle = epochs_.cycle_at_or_after(last);
    left = std::max(left, last_cycle);
    EventCounts io{};
    at(io, EventKind::kIoBit) = bytes * 8;
    at(events(item.phase, cargo), EventKind::kIoBit) += bytes * 8;
    const std::uint32_t edge =
        geometry_.die_at(route.west ? 0 : geometry_.config().die_columns - 1, route.die_row);
    activity_[edge].add(item.phase, head, std::max(last_cycle, head) + 1, io);
    to_lanes_.push_back({lane, {LaneBlock::Kind::kShare, &item, bytes, first, last}});
  }
  trace(base::Track::kGradients, item, ready, left);
  tell_parts(StreamKind::kGradientCredit, item, left);
}

void StreamFabric::tell_parts(StreamKind kind, const WorkItem& item, Cycles cycle) {
  for (const base::RegionPart& part : layout_.parts()) {
    RampStream stream;
    stream.kind = kind;
    stream.part = part.index;
    stream.item = &item;
    stream.first_cycle = cycle;
    stream.last_cycle = cycle;
    to_parts_.push_back({part.index, stream});
  }
}

/// Packed wavelets along one row of a die.
void StreamFabric::count_row(std::uint32_t die, base::Phase phase, Cargo cargo,
                             std::uint64_t wavelets, Cycles first, Cycles last, bool crosses) {
  const std::uint64_t columns =
      geometry_.fabric_columns_of(die % geometry_.config().die_columns).size();
  EventCounts counts{};
  at(counts, EventKind::kRouterTraversal) = wavelets * columns;
  at(counts, EventKind::kLinkHop) = wavelets * columns;
  at(counts, EventKind::kDieCrossing) = crosses ? wavelets : 0;
  stats_.wavelet_hops += wavelets * columns;
  stats_.die_crossings += at(counts, EventKind::kDieCrossing);
  EventCounts& sum = events(phase, cargo);
  for (const EventKind kind :
       {EventKind::kRouterTraversal, EventKind::kLinkHop, EventKind::kDieCrossing}) {
    at(sum, kind) += at(counts, kind);
  }
  activity_[die].add(phase, first, last, counts);
}

void StreamFabric::count_part(const WorkItem& item, const base::RegionPart& part, Cycles start,
                              Cycles finish) {
  const bool gradient = item.operation == Operation::kGemmWeightGradient;
  const GemmTraffic t = gemm_traffic(item, mapping_of(item), part.tiles, sum_bits_);
  const bool north = at_north_of_die(part);
  const bool west = at_west_of_die(part);
  EventCounts broadcast = t.broadcast_events();
  at(broadcast, EventKind::kDieCrossing) = (gradient ? west : north) ? t.broadcast_at_edge : 0;
  EventCounts sums = t.sum_events();
  at(sums, EventKind::kDieCrossing) = (gradient ? north : west) ? t.sums_at_edge : 0;
  EventCounts moved{};
  if (item.operation == Operation::kRedistribute) {
    at(moved, EventKind::kRouterTraversal) = at(moved, EventKind::kLinkHop) =
        moved_hops(item, part);
  }
  EventCounts all{};
  const auto count = [&](Cargo cargo, const EventCounts& n) {
    EventCounts& of_cargo = events(item.phase, cargo);
    for (std::size_t k = 0; k < n.size(); ++k) {
      of_cargo[k] += n[k];
      all[k] += n[k];
    }
  };
  count(Cargo::kWeights, broadcast);
  count(gradient ? Cargo::kGradients : Cargo::kSums, sums);
  count(Cargo::kMoved, moved);
  stats_.wavelet_hops += at(all, EventKind::kLinkHop);
  stats_.die_crossings += at(all, EventKind::kDieCrossing);
  activity_[part.die].add(item.phase, start, std::max(finish, start + 1), all);
}

/// Whether a scribe line lies at the north side of the part.
bool StreamFabric::at_north_of_die(const base::RegionPart& part) const {
  const base::Span rows = geometry_.user_rows_of(part.die / geometry_.config().die_columns);
  return part.tiles.rows.begin == rows.begin && rows.begin > 0;
}
bool StreamFabric::at_west_of_die(const base::RegionPart& part) const {
  const base::Span columns = geometry_.user_columns_of(part.die % geometry_.config().die_columns);
  return part.tiles.columns.begin == columns.begin && columns.begin > 0;
}

/// Each word goes a quarter of the way across and down the mesh.
std::uint64_t StreamFabric::moved_hops(const WorkItem& item, const base::RegionPart& part) const {
  const std::uint64_t words = base::ceil_div(item.tokens * item.inputs * sum_bits_, 32);
  return part.tiles.tiles() * base::ceil_div(words, mapping_.tiles()) *
         ((mapping_.columns() + mapping_.rows()) / 4);
}

}  // namespace wse::fabric
