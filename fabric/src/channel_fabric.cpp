// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/channel_fabric.h"

#include <algorithm>

#include "wse/base/check.h"

namespace wse::fabric {
namespace {

__extension__ typedef unsigned __int128 WideMask;  // a router with more than 62 channels
constexpr std::uint8_t kRampBit = PortSet(Port::kRamp).bits();
constexpr std::size_t kFlushAt = 4096;  // deliveries; stays in the cache

unsigned lowest(std::uint64_t mask) { return static_cast<unsigned>(__builtin_ctzll(mask)); }
unsigned lowest(WideMask mask) {
  const auto low = static_cast<std::uint64_t>(mask);
  return low != 0 ? lowest(low) : 64 + lowest(static_cast<std::uint64_t>(mask >> 64));
}

}  // namespace

ChannelFabric::ChannelFabric(RouteTable routes, const EngineConfig& config)
    : config_(config),
      graph_(std::move(routes), config, 1),
      slots_(new std::atomic<std::uint64_t>[graph_.slot_count()]()),
      credits_due_(config.ramp_cycles + 1) {
  for (std::size_t b = 0; b + 1 < graph_.band_begin().size(); ++b) {
    Band band;
    band.first = graph_.band_begin()[b];
    band.count = graph_.band_begin()[b + 1] - band.first;
    band.active = band.next = ActiveSet(band.count);
    bands_.push_back(std::move(band));
  }
  const Mesh mesh = graph_.mesh();
  if (!config.receiver_depth.empty()) {
    for (const std::uint8_t depth : config.receiver_depth) {
      credits_.push_back(
          static_cast<std::uint8_t>(EngineConfig::slots(depth, config.ramp_cycles)));
    }
  }
  for (std::uint32_t leaf = 0; leaf < mesh.tiles() * kNumColors; ++leaf) {
    const ColorRoute* route = graph_.routes().find(tile_of(leaf), color_of(leaf));
    if (route != nullptr && route->filter.kind != RampFilter::Kind::kNone) {
      filters_[leaf] = {route->filter, 0};
    }
  }
}

bool ChannelFabric::inject(std::uint32_t tile, const Wavelet& wavelet) {
  const std::uint32_t index = graph_.find(tile, wavelet.color, Port::kRamp);
  WSE_CHECK(index != Channel::kNone, "a wavelet of a color without a route from the ramp");
  Channel& c = channel(index);
  const std::uint64_t slot = load(c.slots + c.tail);
  if ((slot & Slot::kFull) != 0 || !Slot::due(slot, now_)) return false;
  store(c.slots + c.tail, Slot::make(wavelet) | Slot::stamp(now_ + config_.ramp_cycles));
  c.tail = static_cast<std::uint8_t>(c.tail + 1 == c.capacity ? 0 : c.tail + 1);
  for (Band& band : bands_) {
    if (index - band.first < band.count) {
      band.active.add(index - band.first);
      ++band.counts.injected;
      ++band.held;
    }
  }
  moving_ = true;
  return true;
}

void ChannelFabric::return_credit(std::uint32_t leaf) {
  credits_due_[(now_ + config_.ramp_cycles) % credits_due_.size()].push_back(leaf);
  ++credits_under_way_;
}

void ChannelFabric::take_credits() {
  std::vector<std::uint32_t>& due = credits_due_[now_ % credits_due_.size()];
  for (const std::uint32_t leaf : due) ++credits_[leaf];
  credits_under_way_ -= static_cast<std::uint32_t>(due.size());
  due.clear();
}

void ChannelFabric::step(EngineSink& sink) {
  if (now_ - renewed_ >= Slot::kRenewEvery) renew_stamps();
  if (credits_under_way_ != 0) take_credits();
  moving_ = false;
  for (Band& band : bands_) scan(band, sink);
  join_bands(sink);
  ++now_;
  ++step_;
}

void ChannelFabric::scan(Band& band, EngineSink& sink) {
  band.moved = band.waits = false;
  band.active.take_all([&](std::size_t word, std::uint64_t bits) {
    while (bits != 0) {
      const auto index = static_cast<std::uint32_t>(band.first + word * 64 + lowest(bits));
      const std::uint8_t member = channel(index).member;
      if (member == 0) {
        bits &= bits - 1;
        visit_channel(band, index);
        continue;
      }
      const std::uint32_t header = index - member;
      const std::uint32_t channels = graph_.records()[header].router.channels;
      const unsigned shift = (header - band.first) % 64;
      if (channels < 63) {
        const std::uint64_t mine = ((std::uint64_t{2} << channels) - 1) << shift;
        visit_router(band, header, (bits & mine) >> shift);
        bits &= ~mine;
      } else {  // the router has this word and its neighbour to itself
        const std::size_t even = word & ~std::size_t{1};
        const std::uint64_t low = word == even ? bits : 0;
        const std::uint64_t high = word == even ? band.active.take_word(even + 1) : bits;
        visit_router(band, header, WideMask{high} << 64 | low);
        bits = 0;
      }
    }
    if (band.deliveries.size() >= kFlushAt) flush(band, sink);
  });
}

/// A channel that shares no output: copies leave as soon as there is a slot.
void ChannelFabric::visit_channel(Band& band, std::uint32_t index) {
  Channel& c = channel(index);
  const std::uint64_t slot = load(c.slots + c.head);
  if (!Slot::due(slot, now_)) {
    band.waits = true;
    band.next.add(index - band.first);
    return;
  }
  const std::uint8_t wanted = c.pending != 0 ? c.pending : c.outputs;
  const std::uint64_t payload = payload_of(c, slot);
  unsigned rest = wanted;
  for (unsigned links = wanted & ~unsigned{kRampBit}; links != 0; links &= links - 1) {
    const auto output = static_cast<unsigned>(__builtin_ctz(links));
    if (send_link(band, c, payload, output)) rest &= ~(1U << output);
  }
  if ((wanted & kRampBit) != 0 && send_ramp(band, c, slot, payload)) {
    rest &= ~unsigned{kRampBit};
  }
  if (rest == 0 && wanted != 0) {
    pop(band, index, slot);
  } else {
    if (rest != wanted) c.pending = static_cast<std::uint8_t>(rest);
    band.next.add(index - band.first);
  }
}

/// All channels of a router that hold something: bit k of `members` is the k-th after the header.
template <class Mask>
void ChannelFabric::visit_router(Band& band, std::uint32_t header, Mask members) {
  RouterHeader& router = graph_.records()[header].router;
  if (router.last_step != step_ - 1 && config_.arbitration == Arbitration::kRoundRobin) {
    for (std::uint8_t& pointer : router.pointer) pointer = 0;
  }
  router.last_step = step_;
  Mask wants[kNumPorts] = {};
  for (Mask left = members; left != 0; left &= left - 1) {
    const unsigned k = lowest(left);
    const Channel& c = channel(header + k);
    if (!Slot::due(load(c.slots + c.head), now_)) {
      band.waits = true;
      continue;
    }
    for (unsigned o = c.pending != 0 ? c.pending : c.outputs; o != 0; o &= o - 1) {
      wants[__builtin_ctz(o)] |= Mask{1} << k;
    }
  }
  Mask left_by = 0;
  for (unsigned output = 0; output < kNumPorts; ++output) {
    const Mask want = wants[output];
    std::uint8_t& pointer = router.pointer[output];
    if (want == 0) {
      if (config_.arbitration == Arbitration::kRoundRobin) pointer = 0;
      continue;
    }
    const Mask first = want >> pointer << pointer;
    for (Mask turn : {first, static_cast<Mask>(want & ~first)}) {
      bool granted = false;
      for (; turn != 0 && !granted; turn &= turn - 1) {
        const unsigned k = lowest(turn);
        Channel& c = channel(header + k);
        const std::uint64_t slot = load(c.slots + c.head);
        const std::uint64_t payload = payload_of(c, slot);
        granted = output == index_of(Port::kRamp) ? send_ramp(band, c, slot, payload)
                                                  : send_link(band, c, payload, output);
        if (!granted) continue;
        pointer = static_cast<std::uint8_t>(k + 1);
        const unsigned rest = (c.pending != 0 ? c.pending : c.outputs) & ~(1U << output);
        c.pending = static_cast<std::uint8_t>(rest);
        if (rest == 0) left_by |= Mask{1} << k;
      }
      if (granted) break;
    }
  }
  for (Mask stays = members & ~left_by; stays != 0; stays &= stays - 1) {
    band.next.add(header + lowest(stays) - band.first);
  }
  for (; left_by != 0; left_by &= left_by - 1) {
    const std::uint32_t index = header + lowest(left_by);
    const Channel& c = channel(index);
    pop(band, index, load(c.slots + c.head));
  }
}

/// What the next router gets: without the first command where that is popped.
std::uint64_t ChannelFabric::payload_of(const Channel& c, std::uint64_t slot) const {
  const std::uint64_t payload = slot & Slot::kPayload;
  if ((slot & Slot::kControl) == 0 || (c.flags & Channel::kPops) == 0) return payload;
  const std::uint8_t color = color_of(c.leaf);
  const ColorRoute* route = graph_.routes().find(tile_of(c.leaf), color);
  return (payload & ~std::uint64_t{0xffffffff}) | route->data_after(Slot::wavelet(slot, color));
}

bool ChannelFabric::send_link(Band& band, const Channel& c, std::uint64_t payload,
                              unsigned output) {
  const std::uint32_t index = c.next[output];
  Channel& next = channel(index);
  const std::uint32_t place = next.slots + next.tail;
  const std::uint64_t slot = load(place);
  if ((slot & Slot::kFull) != 0) return false;
  if (!Slot::due(slot, now_)) {
    band.waits = true;
    return false;
  }
  store(place, payload | Slot::stamp(now_ + config_.hop_cycles));
  next.tail = static_cast<std::uint8_t>(next.tail + 1 == next.capacity ? 0 : next.tail + 1);
  activate(band, index);
  ++band.counts.hops;
  ++band.held;
  band.moved = true;
  return true;
}

bool ChannelFabric::send_ramp(Band& band, const Channel& c, std::uint64_t slot,
                              std::uint64_t payload) {
  if ((c.flags & Channel::kFiltered) != 0 && !keep_for_filter(band, c, slot)) return true;
  if (!credits_.empty()) {
    if (credits_[c.leaf] == 0) return false;
    --credits_[c.leaf];
  }
  if ((c.flags & Channel::kFiltered) != 0) {
    Filter& f = filters_.find(c.leaf)->second;
    f.counter = f.filter.count(Slot::wavelet(slot, color_of(c.leaf)), f.counter);
  }
  band.deliveries.push_back({c.leaf, static_cast<std::uint32_t>(payload),
                             (payload & Slot::kControl) != 0, (payload & Slot::kAdvance) != 0});
  band.moved = true;
  return true;
}

/// False if the filter at the ramp drops the wavelet; then it is counted.
bool ChannelFabric::keep_for_filter(Band& band, const Channel& c, std::uint64_t slot) {
  Filter& f = filters_.find(c.leaf)->second;
  const Wavelet wavelet = Slot::wavelet(slot, color_of(c.leaf));
  if (f.filter.passes(wavelet, f.counter)) return true;
  f.counter = f.filter.count(wavelet, f.counter);
  ++band.counts.filtered;
  band.moved = true;
  return false;
}

/// The last copy of the head has left.
void ChannelFabric::pop(Band& band, std::uint32_t index, std::uint64_t slot) {
  Channel& c = channel(index);
  const bool ramp = c.port == index_of(Port::kRamp);
  store(c.slots + c.head, Slot::stamp(now_ + (ramp ? config_.ramp_cycles : config_.hop_cycles)));
  c.head = static_cast<std::uint8_t>(c.head + 1 == c.capacity ? 0 : c.head + 1);
  c.pending = 0;
  --band.held;
  if (ramp) band.freed.push_back(c.leaf);
  if ((slot & (Slot::kControl | Slot::kAdvance)) != 0) {
    const Command command = command_of(Slot::wavelet(slot, color_of(c.leaf)));
    band.commands.push_back(std::uint64_t{c.leaf} << 8 | std::uint64_t{c.port} << 4 |
                            static_cast<std::uint64_t>(command));
  }
  if ((load(c.slots + c.head) & Slot::kFull) != 0) band.next.add(index - band.first);
}

void ChannelFabric::flush(Band& band, EngineSink& sink) {
  band.counts.delivered += band.deliveries.size();
  sink.deliver(now_ + config_.ramp_cycles, band.deliveries.data(),
               band.deliveries.data() + band.deliveries.size());
  band.deliveries.clear();
}

void ChannelFabric::join_bands(EngineSink& sink) {
  std::vector<std::uint64_t> commands;
  for (Band& band : bands_) {
    if (!band.deliveries.empty()) flush(band, sink);
    if (!band.freed.empty()) {
      sink.free_slots(now_, band.freed.data(), band.freed.data() + band.freed.size());
      band.freed.clear();
    }
    for (const std::uint32_t index : band.crossing) {
      for (Band& other : bands_) {
        if (index - other.first < other.count) other.next.add(index - other.first);
      }
    }
    band.crossing.clear();
    commands.insert(commands.end(), band.commands.begin(), band.commands.end());
    band.commands.clear();
  }
  for (Band& band : bands_) {
    std::swap(band.active, band.next);
    moving_ = moving_ || band.moved || band.waits;
  }
  std::sort(commands.begin(), commands.end());
  for (const std::uint64_t command : commands) {
    obey(static_cast<std::uint32_t>(command >> 8), static_cast<Command>(command & 3));
  }
}

/// The switch moves after the wavelet has passed, for all inputs of the color.
void ChannelFabric::obey(std::uint32_t leaf, Command command) {
  if (command == Command::kNothing) return;
  const ColorRoute* route = graph_.routes().find(tile_of(leaf), color_of(leaf));
  Switch& state = switches_[leaf];
  state.position = route->position_after(command, state.position);
  if (command == Command::kTeardown) state.halted = true;
  graph_.for_each_channel(leaf, [&](std::uint32_t i) {
    Channel& c = channel(i);
    c.outputs = state.halted ? std::uint8_t{0}
                             : route->outputs_of(static_cast<Port>(c.port), state.position).bits();
    if (state.halted) c.pending = 0;
  });
  moving_ = true;
}

bool ChannelFabric::can_move() const {
  if (credits_under_way_ != 0) return true;
  if (!moving_) return false;
  return std::any_of(bands_.begin(), bands_.end(),
                     [](const Band& band) { return !band.active.empty(); });
}

/// Where nothing is held no output is wanted in the cycles passed over.
void ChannelFabric::on_skip() {
  if (std::all_of(bands_.begin(), bands_.end(),
                  [](const Band& band) { return band.active.empty(); })) {
    ++step_;
  }
}

EngineCounts ChannelFabric::counts() const {
  EngineCounts sum;
  for (const Band& band : bands_) {
    sum.injected += band.counts.injected;
    sum.delivered += band.counts.delivered;
    sum.filtered += band.counts.filtered;
    sum.hops += band.counts.hops;
  }
  return sum;
}

std::uint64_t ChannelFabric::held() const {
  std::int64_t sum = 0;
  for (const Band& band : bands_) sum += band.held;
  return static_cast<std::uint64_t>(sum);
}

/// Stamps that have come due long ago are set to now, so that they stay in the past.
void ChannelFabric::renew_stamps() {
  for (std::uint32_t i = 0; i < graph_.slot_count(); ++i) {
    const std::uint64_t slot = load(i);
    if (Slot::due(slot, now_)) store(i, (slot & Slot::kPayload) | Slot::stamp(now_));
  }
  renewed_ = now_;
}

}  // namespace wse::fabric
