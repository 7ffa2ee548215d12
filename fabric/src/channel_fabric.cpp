// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/channel_fabric.h"

#include <algorithm>

#include "wse/base/check.h"

namespace wse::fabric {
namespace {

__extension__ typedef unsigned __int128 WideMask;  // a router with more than 62 channels
constexpr std::uint8_t kRampBit = PortSet(Port::kRamp).bits();
constexpr std::size_t kFlushAt = 4096;  // deliveries; stays in the cache
constexpr std::size_t kBatch = 64;      // visits

/// A power of two, so that a cycle finds its place by a mask.
std::size_t ring_size(std::uint32_t latency) {
  std::size_t size = 2;
  while (size <= latency) size *= 2;
  return size;
}

std::uint8_t next_place(const Channel& c, std::uint8_t place) {
  return static_cast<std::uint8_t>(place + 1 == c.capacity ? 0 : place + 1);
}

unsigned lowest(std::uint64_t mask) { return static_cast<unsigned>(__builtin_ctzll(mask)); }
unsigned lowest(WideMask mask) {
  const auto low = static_cast<std::uint64_t>(mask);
  return low != 0 ? lowest(low) : 64 + lowest(static_cast<std::uint64_t>(mask >> 64));
}

}  // namespace

ChannelFabric::ChannelFabric(RouteTable routes, const EngineConfig& config)
    : config_(config),
      graph_(std::move(routes), config, 1),
      records_(graph_.records()),
      overflow_(new std::atomic<std::uint64_t>[graph_.overflow_slots()]()),
      arbiters_(graph_.shares_outputs() ? graph_.mesh().tiles() : 0),
      credits_due_(ring_size(config.ramp_cycles)),
      arrivals_due_(credits_due_.size()) {
  for (std::size_t b = 0; b + 1 < graph_.band_begin().size(); ++b) {
    Band band;
    band.first = graph_.band_begin()[b];
    band.count = graph_.band_begin()[b + 1] - band.first;
    band.active = band.next = ActiveSet(band.count);
    band.visits.resize(kBatch + 128);
    band.deliveries.resize(2 * kFlushAt);
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

ChannelFabric::Band& ChannelFabric::band_of(std::uint32_t index) {
  std::size_t b = 0;
  while (index - bands_[b].first >= bands_[b].count) ++b;
  return bands_[b];
}

bool ChannelFabric::inject(std::uint32_t source, const Wavelet& wavelet) {
  Record& record = records_[source];
  Channel& c = record.channel;
  std::atomic<std::uint64_t>& place = slot(record, c.tail);
  const std::uint64_t old = place.load(std::memory_order_relaxed);
  if ((old & Slot::kFull) != 0 || !Slot::due(old, now_)) return false;
  // A queue that holds something is visited anyway.
  if ((head_of(record) & Slot::kFull) == 0) {
    due_in(arrivals_due_, now_ + config_.ramp_cycles).push_back(source);
    ++under_way_;
  }
  place.store(Slot::make(wavelet) | Slot::stamp(now_ + config_.ramp_cycles),
              std::memory_order_relaxed);
  c.tail = next_place(c, c.tail);
  ++injected_;
  moving_ = true;
  return true;
}

void ChannelFabric::return_credit(std::uint32_t leaf) {
  due_in(credits_due_, now_ + config_.ramp_cycles).push_back(leaf);
  ++under_way_;
}

void ChannelFabric::take_due() {
  std::vector<std::uint32_t>& credits = due_in(credits_due_, now_);
  for (const std::uint32_t leaf : credits) ++credits_[leaf];
  std::vector<std::uint32_t>& arrivals = due_in(arrivals_due_, now_);
  for (const std::uint32_t index : arrivals) {
    Band& band = band_of(index);
    band.active.add(index - band.first);
  }
  under_way_ -= static_cast<std::uint32_t>(credits.size() + arrivals.size());
  credits.clear();
  arrivals.clear();
}

void ChannelFabric::step(EngineSink& sink) {
  if (now_ - renewed_ >= Slot::kRenewEvery) renew_stamps();
  if (under_way_ != 0) take_due();
  const std::uint64_t before = moves();
  moving_ = false;
  for (Band& band : bands_) scan(band, sink);
  join_bands(sink);
  moving_ = moving_ || moves() != before;
  ++now_;
  ++step_;
}

/// Copies that have gone anywhere.
std::uint64_t ChannelFabric::moves() const {
  std::uint64_t sum = 0;
  for (const Band& band : bands_) {
    sum += band.counts.hops + band.counts.delivered + band.counts.filtered;
  }
  return sum;
}

void ChannelFabric::scan(Band& band, EngineSink& sink) {
  band.waits = false;
  band.active.take_all([&](std::size_t word, std::uint64_t bits) {
    const Record* first = &records_[band.first + word * 64];
    for (std::uint64_t left = bits; left != 0; left &= left - 1) {
      __builtin_prefetch(first + lowest(left), 1);
      ++band.bits;
    }
    band.words.push_back({word, bits});
    if (band.bits < kBatch || (word % 2 == 0 && band.active.has_word(word + 1))) return;
    visit_words(band);
    if (band.delivered >= kFlushAt) flush(band, sink);
  });
  visit_words(band);
}

/// Asks for the memory of what comes next before it is needed.
void ChannelFabric::visit_words(Band& band) {
  std::size_t count = 0;
  const auto add = [&](std::uint32_t index, std::uint64_t members) {
    Visit& visit = band.visits[count++];  // field by field: a copy of the whole would stall
    visit.index = index;
    visit.members = members;
  };
  const auto prefetch_next = [this](const Channel& c) {
    for (unsigned links = c.outputs & ~unsigned{kRampBit}; links != 0; links &= links - 1) {
      __builtin_prefetch(&records_[c.next[__builtin_ctz(links)]], 1);
    }
  };
  for (std::size_t w = 0; w < band.words.size(); ++w) {
    const std::size_t word = band.words[w].index;
    std::uint64_t bits = band.words[w].bits;
    while (bits != 0) {
      const auto index = static_cast<std::uint32_t>(band.first + word * 64 + lowest(bits));
      prefetch_next(records_[index].channel);
      const std::uint32_t channels = records_[index].channel.siblings;
      if (channels == 0) {
        bits &= bits - 1;
        add(index, 0);
        continue;
      }
      const std::uint32_t begin = index - records_[index].channel.member;
      Record* first = &records_[begin];
      if (channels <= 64) {
        const unsigned shift = (begin - band.first) % 64;
        const std::uint64_t mine = (~std::uint64_t{0} >> (64 - channels) << shift) & bits;
        for (std::uint64_t left = mine & (mine - 1); left != 0; left &= left - 1) {
          prefetch_next(first[lowest(left) - shift].channel);
        }
        add(begin, mine >> shift);
        bits &= ~mine;
      } else {  // the router has this word and its neighbour to itself
        const bool even = word % 2 == 0;
        const bool both = even && w + 1 < band.words.size() && band.words[w + 1].index == word + 1;
        const std::uint64_t high = !even ? bits : both ? band.words[w + 1].bits : 0;
        visit_router(band, first, WideMask{high} << 64 | (even ? bits : 0));
        bits = 0;
        w += both ? 1 : 0;
      }
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Visit& visit = band.visits[i];
    Record& record = records_[visit.index];
    if (visit.members == 0) {
      visit_channel(band, record);
    } else {
      visit_router(band, &record, visit.members);
    }
  }
  band.words.clear();
  band.bits = 0;
}

/// A channel that shares no output: copies leave as soon as there is a slot.
void ChannelFabric::visit_channel(Band& band, Record& record) {
  Channel& c = record.channel;
  const std::uint64_t slot = head_of(record);
  if (!Slot::due(slot, now_)) {
    band.waits = true;
    band.next.add(number_of(record) - band.first);
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
    pop(band, record, slot);
  } else {
    if (rest != wanted) c.pending = static_cast<std::uint8_t>(rest);
    band.next.add(number_of(record) - band.first);
  }
}

/// The only channel of a router that holds something: nobody else wants its outputs.
void ChannelFabric::visit_alone(Band& band, Arbiter& arbiter, Record* first, unsigned k) {
  Record& record = first[k];
  Channel& c = record.channel;
  std::uint8_t(&pointer)[kNumPorts] = arbiter.pointer;
  const std::uint64_t slot = head_of(record);
  const bool due = Slot::due(slot, now_);
  const unsigned wanted = !due ? 0U : c.pending != 0 ? c.pending : c.outputs;
  if (config_.arbitration == Arbitration::kRoundRobin) {
    for (std::size_t output = 0; output < kNumPorts; ++output) {
      if ((wanted >> output & 1) == 0) pointer[output] = 0;
    }
  }
  band.waits = band.waits || !due;
  const std::uint64_t payload = payload_of(c, slot);
  unsigned rest = wanted;
  for (unsigned left = wanted; left != 0; left &= left - 1) {
    const auto output = static_cast<unsigned>(__builtin_ctz(left));
    const bool sent = output == index_of(Port::kRamp) ? send_ramp(band, c, slot, payload)
                                                      : send_link(band, c, payload, output);
    if (!sent) continue;
    rest &= ~(1U << output);
    pointer[output] = static_cast<std::uint8_t>((k + 1) % 64);
  }
  if (rest == 0 && wanted != 0) {
    pop(band, record, slot);
  } else {
    if (rest != wanted) c.pending = static_cast<std::uint8_t>(rest);
    band.next.add(number_of(record) - band.first);
  }
}

/// All channels of a router that hold something: bit k of `members` is the k-th of the router.
template <class Mask>
void ChannelFabric::visit_router(Band& band, Record* first, Mask members) {
  Arbiter& router = arbiters_[tile_of(first->channel.leaf)];
  if (router.last_step != step_ - 1 && config_.arbitration == Arbitration::kRoundRobin) {
    for (std::uint8_t& pointer : router.pointer) pointer = 0;
  }
  router.last_step = step_;
  if ((members & (members - 1)) == 0) {
    return visit_alone(band, router, first, lowest(members));
  }
  Mask wants[kNumPorts] = {};
  for (Mask left = members; left != 0; left &= left - 1) {
    const unsigned k = lowest(left);
    const Channel& c = first[k].channel;
    if (!Slot::due(head_of(first[k]), now_)) {
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
    const Mask from = want & static_cast<Mask>(~Mask{0} << pointer);
    for (Mask turn : {from, static_cast<Mask>(want & ~from)}) {
      bool granted = false;
      for (; turn != 0 && !granted; turn &= turn - 1) {
        const unsigned k = lowest(turn);
        Channel& c = first[k].channel;
        const std::uint64_t slot = head_of(first[k]);
        const std::uint64_t payload = payload_of(c, slot);
        granted = output == index_of(Port::kRamp) ? send_ramp(band, c, slot, payload)
                                                  : send_link(band, c, payload, output);
        if (!granted) continue;
        pointer = static_cast<std::uint8_t>(k + 1U == sizeof(Mask) * 8 ? 0 : k + 1);
        const unsigned rest = (c.pending != 0 ? c.pending : c.outputs) & ~(1U << output);
        c.pending = static_cast<std::uint8_t>(rest);
        if (rest == 0) left_by |= Mask{1} << k;
      }
      if (granted) break;
    }
  }
  const std::uint32_t begin = number_of(*first) - band.first;
  for (Mask stays = members & ~left_by; stays != 0; stays &= stays - 1) {
    band.next.add(begin + lowest(stays));
  }
  for (; left_by != 0; left_by &= left_by - 1) {
    Record& record = first[lowest(left_by)];
    pop(band, record, head_of(record));
  }
}

/// What the next router gets: without the first command where that is popped.
std::uint64_t ChannelFabric::payload_of(const Channel& c, std::uint64_t slot) const {
  const std::uint64_t payload = slot & Slot::kPayload;
  if ((slot & Slot::kControl) == 0 || !c.has(Channel::kPops)) return payload;
  const std::uint8_t color = color_of(c.leaf);
  const ColorRoute* route = graph_.routes().find(tile_of(c.leaf), color);
  return (payload & ~std::uint64_t{0xffffffff}) | route->data_after(Slot::wavelet(slot, color));
}

bool ChannelFabric::send_link(Band& band, const Channel& c, std::uint64_t payload,
                              unsigned output) {
  const std::uint32_t index = c.next[output];
  Record& next = records_[index];
  std::atomic<std::uint64_t>& place = slot(next, next.channel.tail);
  const std::uint64_t old = place.load(std::memory_order_relaxed);
  if ((old & Slot::kFull) != 0) return false;
  if (!Slot::due(old, now_)) {
    band.waits = true;
    return false;
  }
  place.store(payload | Slot::stamp(now_ + config_.hop_cycles), std::memory_order_relaxed);
  next.channel.tail = next_place(next.channel, next.channel.tail);
  activate(band, index);
  ++band.counts.hops;
  return true;
}

bool ChannelFabric::send_ramp(Band& band, const Channel& c, std::uint64_t slot,
                              std::uint64_t payload) {
  if (c.has(Channel::kFiltered) && !keep_for_filter(band, c, slot)) return true;
  if (!credits_.empty()) {
    if (credits_[c.leaf] == 0) return false;
    --credits_[c.leaf];
  }
  if (c.has(Channel::kFiltered)) {
    Filter& f = filters_.find(c.leaf)->second;
    f.counter = f.filter.count(Slot::wavelet(slot, color_of(c.leaf)), f.counter);
  }
  Delivery& delivery = band.deliveries[band.delivered++];
  delivery.leaf = c.leaf;
  delivery.data = static_cast<std::uint32_t>(payload);
  delivery.flags = static_cast<std::uint32_t>(payload >> Slot::kFlagShift) & 3;
  return true;
}

/// False if the filter at the ramp drops the wavelet; then it is counted.
bool ChannelFabric::keep_for_filter(Band& band, const Channel& c, std::uint64_t slot) {
  Filter& f = filters_.find(c.leaf)->second;
  const Wavelet wavelet = Slot::wavelet(slot, color_of(c.leaf));
  if (f.filter.passes(wavelet, f.counter)) return true;
  f.counter = f.filter.count(wavelet, f.counter);
  ++band.counts.filtered;
  return false;
}

/// The last copy of the head has left.
void ChannelFabric::pop(Band& band, Record& record, std::uint64_t wavelet) {
  Channel& c = record.channel;
  const bool ramp = c.port() == Port::kRamp;
  slot(record, c.head)
      .store(Slot::stamp(now_ + (ramp ? config_.ramp_cycles : config_.hop_cycles)),
             std::memory_order_relaxed);
  c.head = next_place(c, c.head);
  c.pending = 0;
  ++band.left;
  if (ramp) band.freed.push_back(c.leaf);
  if ((wavelet & (Slot::kControl | Slot::kAdvance)) != 0) {
    const Command command = command_of(Slot::wavelet(wavelet, color_of(c.leaf)));
    band.commands.push_back(std::uint64_t{c.leaf} << 8 | static_cast<std::uint64_t>(c.port()) << 4 |
                            static_cast<std::uint64_t>(command));
  }
  if ((head_of(record) & Slot::kFull) != 0) band.next.add(number_of(record) - band.first);
}

void ChannelFabric::flush(Band& band, EngineSink& sink) {
  band.counts.delivered += band.delivered;
  sink.deliver(now_ + config_.ramp_cycles, band.deliveries.data(),
               band.deliveries.data() + band.delivered);
  band.delivered = 0;
}

void ChannelFabric::join_bands(EngineSink& sink) {
  std::vector<std::uint64_t> commands;
  for (Band& band : bands_) {
    if (band.delivered != 0) flush(band, sink);
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
    moving_ = moving_ || band.waits;
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
    Channel& c = records_[i].channel;
    c.outputs = state.halted ? std::uint8_t{0}
                             : route->outputs_of(c.port(), state.position).bits();
    if (state.halted) c.pending = 0;
  });
  moving_ = true;
}

bool ChannelFabric::can_move() const {
  if (under_way_ != 0) return true;
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
  sum.injected = injected_;
  for (const Band& band : bands_) {
    sum.delivered += band.counts.delivered;
    sum.filtered += band.counts.filtered;
    sum.hops += band.counts.hops;
  }
  return sum;
}

std::uint64_t ChannelFabric::held() const {
  std::uint64_t came = injected_;
  std::uint64_t left = 0;
  for (const Band& band : bands_) {
    came += band.counts.hops;
    left += band.left;
  }
  return came - left;
}

std::size_t ChannelFabric::bytes() const {
  return std::size_t{graph_.size()} * sizeof(Record) + graph_.overflow_slots() * 8 +
         graph_.size() / 4 +
         std::size_t{graph_.mesh().tiles()} * (3 * kNumColors + sizeof(std::uint32_t)) +
         credits_.size();
}

/// Stamps that have come due long ago are set to now, so that they stay in the past.
void ChannelFabric::renew_stamps() {
  const auto renew = [this](std::atomic<std::uint64_t>& slot) {
    const std::uint64_t old = slot.load(std::memory_order_relaxed);
    if (!Slot::due(old, now_)) return;
    slot.store((old & Slot::kPayload) | Slot::stamp(now_), std::memory_order_relaxed);
  };
  for (std::uint32_t i = 0; i < graph_.size(); ++i) {
    for (std::atomic<std::uint64_t>& slot : records_[i].slots) renew(slot);
  }
  for (std::size_t i = 0; i < graph_.overflow_slots(); ++i) renew(overflow_[i]);
  renewed_ = now_;
}

}  // namespace wse::fabric
