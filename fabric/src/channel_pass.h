// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include "member_mask.h"
#include "wse/base/bits.h"
#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/prefetch.h"

namespace wse::fabric {

/// One cycle of one band: visits every channel that holds something, once. What it does depends on
/// the state at the start of the cycle only, so the order of the visits does not matter.
///
/// Plain: no filters, no queues behind ramps to run full, no twins, all slots beside their records.
/// Watched: what leaves the watched routers is noted.
template <bool Plain, bool Watched>
class ChannelPass {
 public:
  /// Of the cycle `ahead` cycles after that of the fabric.
  ChannelPass(ChannelFabric& fabric, ChannelFabric::Band& band, std::uint32_t ahead)
      : fabric_(fabric),
        band_(band),
        active_(band.set(ahead)),
        next_(band.set(ahead + 1)),
        now_(fabric.now_ + ahead),
        sink_(*band.sink),
        records_(fabric.records_),
        forks_(fabric.graph_.forks().data()),
        due_(Slot::stamp(now_) | Slot::kPayload),
        hop_stamp_(Slot::stamp(now_ + fabric.config_.hop_cycles)),
        ramp_stamp_(Slot::stamp(now_ + fabric.config_.ramp_cycles)),
        step_(fabric.step_ + ahead),
        parks_(!Plain && !fabric.parked_.empty()),
        far_(fabric.graph_.blocks() != 0),
        resets_(fabric.config_.arbitration == Arbitration::kRoundRobin),
        counts_(fabric.tile_counts()),
        deliveries_(band.deliveries.data()) {}

  void run() {
    active_.take_all([this](std::size_t word, std::uint64_t bits) { visit_word(word, bits); });
    finish();
  }
  /// The words begin .. end - 1 of the band's records only.
  void run(std::size_t begin, std::size_t end) {
    active_.take_range(begin, end,
                       [this](std::size_t word, std::uint64_t bits) { visit_word(word, bits); });
    finish();
  }

 private:
  void visit_word(std::size_t word, std::uint64_t bits) {
    if (is_dense(word, bits)) {
      visit_listed();
      visit_row(word, bits);
    } else {
      list(word, bits);
      if (listed_ >= ChannelFabric::kBatch && !cuts_router(word)) visit_listed();
    }
    if (deliveries_ >= band_.deliveries.data() + ChannelFabric::kFlushAt) flush();
  }

  void finish() {
    visit_listed();
    flush();
    band_.counts.hops += hops_;
    band_.counts.filtered += filtered_;
    band_.left += left_;
    band_.waits = waits_;
  }

  static constexpr unsigned kRamp = static_cast<unsigned>(Port::kRamp);
  static constexpr unsigned kRampBit = 1U << kRamp;
  static constexpr unsigned kAllOutputs = 0x1f;

  static unsigned lowest(std::uint64_t mask) {
    return static_cast<unsigned>(__builtin_ctzll(mask));
  }
  static std::uint8_t next_place(const Channel& c, std::uint8_t place) {
    return static_cast<std::uint8_t>(place + 1 == c.capacity ? 0 : place + 1);
  }
  bool due(std::uint64_t slot) const { return static_cast<std::int64_t>(due_ - slot) >= 0; }
  Record::Word& slot(Record& record, std::uint8_t place) {
    return Plain ? record.near_slot(place) : fabric_.slot(record, place);
  }
  std::uint64_t head_of(Record& record) {
    return slot(record, record.channel.head).load(std::memory_order_relaxed);
  }

  [[gnu::always_inline]] inline void keep(const Record& record) {
    next_.add(static_cast<std::uint32_t>(&record - records_) - band_.first);
  }
  void flush() {
    const Delivery* begin = band_.deliveries.data();
    if (deliveries_ == begin) return;
    band_.counts.delivered += static_cast<std::uint64_t>(deliveries_ - begin);
    sink_.deliver(now_ + fabric_.config_.ramp_cycles, begin, deliveries_);
    deliveries_ = band_.deliveries.data();
  }

  /// Most of 64 channels, where no outputs are shared and what they feed lies beside them: memory
  /// streams, and need not be asked for.
  bool is_dense(std::size_t word, std::uint64_t bits) const {
    constexpr unsigned kDense = 32;
    constexpr std::uint32_t kNear = 128;
    if (fabric_.graph_.shares_outputs()) return false;
    if (bits != ~std::uint64_t{0} && base::population_count(bits) < kDense) return false;
    const auto begin = static_cast<std::uint32_t>(band_.first + word * 64);
    const auto feeds_near = [&](unsigned i) {
      return records_[begin + i].channel.next - begin + kNear < 3 * kNear;
    };
    return feeds_near(lowest(bits)) && feeds_near(lowest(bits & (bits - 1)));
  }
  void visit_row(std::size_t word, std::uint64_t bits) {
    constexpr std::size_t kAhead = 160;  // records; beyond a page, where hardware stops looking
    Record* first = &records_[band_.first + word * 64];
    for (std::size_t line = 0; line < 64; line += 2) prefetch(first + kAhead + line);
    for (; bits != 0; bits &= bits - 1) visit_channel(first[lowest(bits)]);
  }

  /// Whether a router may have channels to visit in this word and in later ones.
  bool cuts_router(std::size_t word) const {
    if (!fabric_.graph_.has_wide_routers()) return false;
    for (std::size_t w = word + 1; w % WideMask::kWords != 0; ++w) {
      if (active_.has_word(w)) return true;
    }
    return false;
  }

  void prefetch_next(Record& record) {
    const Channel& c = record.channel;
    if (Plain) prefetch(&record.near_slot(c.head));
    if (!c.has(Channel::kForks)) {
      if ((c.outputs & ~kRampBit) != 0) prefetch(&records_[c.next]);
      return;
    }
    for (unsigned links = c.outputs & ~kRampBit; links != 0; links &= links - 1) {
      prefetch(&records_[next_of(c, static_cast<unsigned>(__builtin_ctz(links)))]);
    }
  }

  /// Notes the members of a word: four at a time without asking for each whether there is one,
  /// which nobody can foretell.
  void list(std::size_t word, std::uint64_t bits) {
    constexpr std::uint64_t kLast = std::uint64_t{1} << 63;
    const auto first = static_cast<std::uint32_t>(band_.first + word * 64);
    std::uint32_t* to = band_.listed.data() + listed_;
    listed_ += base::population_count(bits);
    do {
      for (int i = 0; i < 4; ++i) {
        *to++ = first + lowest(bits | kLast);
        bits &= bits - 1;
      }
    } while (bits != 0);
  }

  /// Asks for the memory of all before it is needed.
  void visit_listed() {
    const std::uint32_t* const begin = band_.listed.data();
    const std::uint32_t* const end = begin + listed_;
    for (const std::uint32_t* i = begin; far_ && i != end; ++i) prefetch(&records_[*i]);
    for (const std::uint32_t* i = begin; far_ && i != end; ++i) {
      Record& record = records_[*i];
      prefetch_next(record);
      if (fabric_.graph_.shares_outputs()) {
        prefetch(&fabric_.arbiters_[tile_of(record.channel.leaf)]);
      }
    }
    for (const std::uint32_t* i = begin; i != end;) {
      Record& record = records_[*i];
      const Channel& c = record.channel;
      if (c.siblings == 0) {
        visit_channel(record);
        ++i;
        continue;
      }
      i = c.siblings <= NarrowMask::kBits ? visit_shared(i, end, take_parked(c))
                                          : visit_shared(i, end, WideMask());
    }
    listed_ = 0;
  }

  /// The listed channels of one router, from one on, and `members` of it; returns the next one listed.
  template <class Mask>
  [[gnu::always_inline]] inline const std::uint32_t* visit_shared(const std::uint32_t* i,
                                                                  const std::uint32_t* end,
                                                                  Mask members) {
    const Channel& c = records_[*i].channel;
    Record* const first = &records_[*i] - c.member;
    const auto index = static_cast<std::uint32_t>(first - records_);
    for (; i != end && *i - index < c.siblings; ++i) {
      // One that was woken may have been visited since, and be empty.
      if (!parks_ || (head_of(records_[*i]) & Slot::kFull) != 0) members.add(Mask::of(*i - index));
    }
    if (members.empty()) return i;
    if (members.single()) {
      visit_alone(first[members.lowest()]);
    } else {
      visit_router(first, members);
    }
    return i;
  }
  /// The parked channels of a router, which are visited now: the arbiter sees no gap.
  NarrowMask take_parked(const Channel& c) {
    if (!parks_) return {};
    const std::uint32_t tile = tile_of(c.leaf);
    const std::uint64_t members = std::exchange(fabric_.parked_[tile].members, 0);
    if (members != 0) fabric_.arbiters_[tile].last_step = step_ - 1;
    return {members};
  }
  /// Of a router that did not move and waits for no stamp. Whether it could.
  bool park(const Record* first, NarrowMask members) {
    const Channel& c = first[members.lowest()].channel;
    if (!parks_) return false;
    fabric_.parked_[tile_of(c.leaf)] = {members.word, static_cast<std::uint32_t>(first - records_)};
    return true;
  }
  bool park(const Record*, const WideMask&) { return false; }

  /// A channel that shares no output: copies leave as soon as there is a slot.
  [[gnu::always_inline]] inline void visit_channel(Record& record) {
    Channel& c = record.channel;
    const std::uint64_t head = head_of(record);
    if (!due(head)) {
      waits_ = true;
      return keep(record);
    }
    const unsigned wanted = c.pending != 0 ? c.pending : c.outputs;
    const unsigned rest = send(c, head, wanted);
    if (rest == 0 && wanted != 0) {
      pop(record, head);
    } else {
      if (rest != wanted) c.pending = static_cast<std::uint8_t>(rest);
      keep(record);
    }
  }

  /// Sends a head by all outputs of a set that can take it; returns the others.
  [[gnu::always_inline]] inline unsigned send(const Channel& c, std::uint64_t head,
                                              unsigned wanted) {
    const std::uint64_t payload = payload_of(c, head);
    unsigned rest = wanted;
    if (!c.has(Channel::kForks)) {
      if ((wanted & ~kRampBit) != 0 && send_link(c, c.next, payload)) {
        note(c, wanted & ~kRampBit, payload);
        rest &= kRampBit;
      }
    } else {
      for (unsigned links = wanted & ~kRampBit; links != 0; links &= links - 1) {
        const auto output = static_cast<unsigned>(__builtin_ctz(links));
        if (!send_link(c, next_of(c, output), payload)) continue;
        note(c, 1U << output, payload);
        rest &= ~(1U << output);
      }
    }
    if ((wanted & kRampBit) != 0 && send_ramp(c, head, payload)) rest &= ~kRampBit;
    return rest;
  }

  /// The only channel of a router that holds something: nobody else wants its outputs.
  [[gnu::always_inline]] inline void visit_alone(Record& record) {
    Channel& c = record.channel;
    const std::uint64_t head = head_of(record);
    const unsigned wanted = !due(head) ? 0U : c.pending != 0 ? c.pending : c.outputs;
    const bool waited = std::exchange(waits_, !due(head));
    const unsigned rest = wanted == 0 ? 0U : send(c, head, wanted);
    const unsigned sent = wanted & ~rest;
    Arbiter& arbiter = fabric_.arbiters_[tile_of(c.leaf)];
    if (resets_ && rest == 0) {
      arbiter.set_all(step_, sent, static_cast<std::uint8_t>(c.member + 1));
    } else {
      if (resets_) arbiter.start(step_);
      arbiter.move(sent, static_cast<std::uint8_t>(c.member + 1),
                   resets_ ? rest : kAllOutputs & ~sent);
    }
    if (rest == 0 && wanted != 0) {
      pop(record, head);
    } else {
      if (sent != 0) c.pending = static_cast<std::uint8_t>(rest);
      const bool stuck = sent == 0 && !waits_ && c.siblings <= NarrowMask::kBits;
      if (!stuck || !park(&record - c.member, NarrowMask::of(c.member))) keep(record);
    }
    waits_ = waits_ || waited;
  }

  /// All channels of a router that hold something: bit k of `members` is the k-th of the router.
  template <class Mask>
  void visit_router(Record* first, Mask members) {
    Arbiter& arbiter = fabric_.arbiters_[tile_of(first[members.lowest()].channel.leaf)];
    if (resets_) arbiter.start(step_);
    const bool waited = std::exchange(waits_, false);
    bool stuck = true;
    Mask wants[kNumPorts] = {};
    unsigned wanted = 0;
    for (Mask left = members; !left.empty(); left.drop_lowest()) {
      const unsigned k = left.lowest();
      const Channel& c = first[k].channel;
      if (!due(head_of(first[k]))) {
        waits_ = true;
        continue;
      }
      const unsigned outputs = c.pending != 0 ? c.pending : c.outputs;
      wanted |= outputs;
      for (unsigned o = outputs; o != 0; o &= o - 1) wants[__builtin_ctz(o)].add(Mask::of(k));
    }
    if (resets_) arbiter.move(0, 0, wanted);
    Mask leaving;
    for (unsigned o = wanted; o != 0; o &= o - 1) {
      const auto output = static_cast<unsigned>(__builtin_ctz(o));
      const int winner = grant(first, output, wants[output], arbiter.pointer(output), leaving);
      if (winner < 0) continue;
      stuck = false;
      arbiter.move(1U << output, static_cast<std::uint8_t>(winner + 1),
                   kAllOutputs & ~(1U << output));
    }
    stuck = stuck && !waits_;
    waits_ = waits_ || waited;
    if (stuck && park(first, members)) return;
    for (Mask stays = members.without(leaving); !stays.empty(); stays.drop_lowest()) {
      keep(first[stays.lowest()]);
    }
    for (; !leaving.empty(); leaving.drop_lowest()) {
      Record& record = first[leaving.lowest()];
      pop(record, head_of(record));
    }
  }

  /// One output takes the first that it can from the pointer on; returns its channel, or -1. One
  /// whose head has left by all its outputs is added to `leaving`.
  template <class Mask>
  [[gnu::always_inline]] inline int grant(Record* first, unsigned output, const Mask& want,
                                          std::uint8_t pointer, Mask& leaving) {
    const Mask from = want.from(pointer);
    for (Mask turn : {from, want.without(from)}) {
      for (; !turn.empty(); turn.drop_lowest()) {
        const unsigned k = turn.lowest();
        Channel& c = first[k].channel;
        const std::uint64_t head = head_of(first[k]);
        const std::uint64_t payload = payload_of(c, head);
        const bool sent = output == kRamp ? send_ramp(c, head, payload)
                                          : send_link(c, next_of(c, output), payload);
        if (!sent) continue;
        if (output != kRamp) note(c, 1U << output, payload);
        const unsigned rest = (c.pending != 0 ? c.pending : c.outputs) & ~(1U << output);
        c.pending = static_cast<std::uint8_t>(rest);
        if (rest == 0) leaving.add(Mask::of(k));
        return static_cast<int>(k);
      }
    }
    return -1;
  }

  /// What the next router gets: without the first command where that is popped.
  [[gnu::always_inline]] inline std::uint64_t payload_of(const Channel& c, std::uint64_t head) {
    const std::uint64_t payload = head & Slot::kPayload;
    if ((head & Slot::kControl) == 0 || !c.has(Channel::kPops)) return payload;
    const ColorRoute* route = fabric_.graph_.routes().find(tile_of(c.leaf), color_of(c.leaf));
    return (payload & ~std::uint64_t{0xffffffff}) |
           route->data_after(Slot::wavelet(head, color_of(c.leaf)));
  }

  /// A copy leaves a router by the one output of a set.
  [[gnu::always_inline]] inline void note(const Channel& c, unsigned output,
                                          std::uint64_t payload) {
    if constexpr (Watched) {
      if (!c.has(Channel::kWatched)) return;
      band_.events.push_back({tile_of(c.leaf), static_cast<Port>(__builtin_ctz(output)), false,
                              Slot::wavelet(payload, color_of(c.leaf))});
    }
  }

  std::uint32_t next_of(const Channel& c, unsigned output) const {
    return c.has(Channel::kForks) ? forks_[c.next].next[output] : c.next;
  }

  [[gnu::always_inline]] inline bool send_link(const Channel& c, std::uint32_t index,
                                               std::uint64_t payload) {
    Record& next = records_[index];
    Record::Word& place = slot(next, next.channel.tail);
    const std::uint64_t old = place.load(std::memory_order_relaxed);
    if ((old & Slot::kFull) != 0) return false;
    if (!due(old)) {
      waits_ = true;
      return false;
    }
    place.store(payload | hop_stamp_, std::memory_order_relaxed);
    next.channel.tail = next_place(next.channel, next.channel.tail);
    if (!Plain && next.channel.has(Channel::kTwin)) {
      band_.to_twins.emplace_back(index, Slot::wavelet(payload, color_of(c.leaf)));
    } else if (index - band_.first < band_.count) {
      next_.add(index - band_.first);
    } else {
      band_.crossing.push_back(index);
    }
    ++hops_;
    if (counts_ != nullptr) fabric_.count_link(tile_of(c.leaf), tile_of(next.channel.leaf));
    return true;
  }

  [[gnu::always_inline]] inline bool send_ramp(const Channel& c, std::uint64_t head,
                                               std::uint64_t payload) {
    if constexpr (!Plain) {
      ChannelFabric::Filter* filter = c.has(Channel::kFiltered) ? fabric_.filter(c.leaf) : nullptr;
      const Wavelet wavelet = Slot::wavelet(head, color_of(c.leaf));
      if (filter != nullptr && !filter->filter.passes(wavelet, filter->counter)) {
        filter->counter = filter->filter.count(wavelet, filter->counter);
        ++filtered_;
        return true;
      }
      if (!fabric_.credits_.empty()) {
        if (fabric_.credits_[c.leaf] == 0) return false;
        --fabric_.credits_[c.leaf];
      }
      if (filter != nullptr) filter->counter = filter->filter.count(wavelet, filter->counter);
    }
    note(c, kRampBit, payload);
    if (counts_ != nullptr) ++counts_[tile_of(c.leaf)].ramp;
    deliveries_->leaf = c.leaf;
    deliveries_->data = static_cast<std::uint32_t>(payload);
    deliveries_->flags = static_cast<std::uint32_t>(payload >> Slot::kFlagShift) & 3;
    ++deliveries_;
    return true;
  }

  /// The last copy of the head has left.
  [[gnu::always_inline]] inline void pop(Record& record, std::uint64_t head) {
    Channel& c = record.channel;
    const bool ramp = c.port() == Port::kRamp;
    slot(record, c.head).store(ramp ? ramp_stamp_ : hop_stamp_, std::memory_order_relaxed);
    c.head = next_place(c, c.head);
    c.pending = 0;
    ++left_;
    if (ramp) {
      band_.freed.push_back(c.leaf);
    } else if (parks_) {
      fabric_.wake(fabric_.graph_.mesh().neighbour(tile_of(c.leaf), c.port()), band_, next_);
    }
    if (!Plain && c.has(Channel::kTwin)) {
      band_.from_twins.push_back(static_cast<std::uint32_t>(&record - records_));
    }
    if ((head & (Slot::kControl | Slot::kAdvance)) != 0) {
      const Command command = command_of(Slot::wavelet(head, color_of(c.leaf)));
      band_.commands.push_back(std::uint64_t{c.leaf} << 8 |
                               static_cast<std::uint64_t>(c.port()) << 4 |
                               static_cast<std::uint64_t>(command));
    }
    if ((head_of(record) & Slot::kFull) != 0) keep(record);
  }

  ChannelFabric& fabric_;
  ChannelFabric::Band& band_;
  ActiveSet& active_;  ///< of this cycle
  ActiveSet& next_;
  const base::Cycles now_;
  EngineSink& sink_;
  Record* const records_;
  const Fork* const forks_;
  const std::uint64_t due_;  ///< stamps up to this one
  const std::uint64_t hop_stamp_, ramp_stamp_;
  const std::uint32_t step_;
  const bool parks_;
  const bool far_;  ///< records lie beyond a near cache
  const bool resets_;
  ChannelFabric::TileCounts* const counts_;
  Delivery* deliveries_;
  std::size_t listed_ = 0;
  std::uint64_t hops_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t filtered_ = 0;
  bool waits_ = false;
};

}  // namespace wse::fabric
