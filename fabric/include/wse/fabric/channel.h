// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "wse/base/units.h"
#include "wse/fabric/engine.h"

namespace wse::fabric {

/// A place for one wavelet, in one word that its two users share.
///
///   bits 0..31 data | 32 full | 33 control | 34 advance | 35..63 stamp
///
/// While full, the stamp is the cycle from which the reader may use the wavelet; while empty, the
/// cycle from which the writer may use the place. So neither sees in a cycle what the other does
/// in that cycle, whichever is visited first. Stamps are kept modulo 2^29 and compared within half
/// of that: somebody must renew() old ones in time.
class Slot {
 public:
  static constexpr unsigned kFlagShift = 33;
  static constexpr unsigned kStampShift = 35;
  static constexpr std::uint64_t kFull = std::uint64_t{1} << 32;
  static constexpr std::uint64_t kControl = std::uint64_t{1} << 33;
  static constexpr std::uint64_t kAdvance = std::uint64_t{1} << 34;
  static constexpr std::uint64_t kPayload = (std::uint64_t{1} << kStampShift) - 1;
  static constexpr base::Cycles kRenewEvery = base::Cycles{1} << 27;

  static constexpr std::uint64_t stamp(base::Cycles cycle) { return cycle << kStampShift; }
  /// Whether the stamp is not after `cycle`.
  static constexpr bool due(std::uint64_t slot, base::Cycles cycle) {
    return static_cast<std::int64_t>((stamp(cycle) | kPayload) - slot) >= 0;
  }
  static constexpr std::uint64_t make(const Wavelet& wavelet) {
    return wavelet.data | kFull | (wavelet.control ? kControl : 0) |
           (wavelet.advance ? kAdvance : 0);
  }
  static constexpr Wavelet wavelet(std::uint64_t slot, std::uint8_t color) {
    return {static_cast<std::uint32_t>(slot), color, (slot & kControl) != 0,
            (slot & kAdvance) != 0};
  }
};

/// The queue of one input and color of a router, and where its wavelets go: one record for each
/// that a route uses. `head` is written by the router that owns the queue, `tail` by the one that
/// feeds it; the other fields that change by the owner.
struct Channel {
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  std::uint32_t next;  ///< channel behind its link output; if it has several: index of a Fork
  std::uint32_t leaf;  ///< tile and color
  std::uint8_t capacity;
  std::uint8_t head;
  std::uint8_t tail;
  std::uint8_t outputs;   ///< in force; 0 while the switch does not take this input, or halted
  std::uint8_t pending;   ///< outputs that the head has not left by; 0: it has left by none
  std::uint8_t member;    ///< distance from the first record of its router
  std::uint8_t siblings;  ///< records of its router where channels share outputs, else 0
  std::uint8_t input;     ///< port, and flags

  static constexpr std::uint8_t kPort = 7;
  static constexpr std::uint8_t kFiltered = 8;  ///< a filter stands at the ramp
  static constexpr std::uint8_t kPops = 16;     ///< control wavelets may lose their first command
  static constexpr std::uint8_t kTwin = 32;  ///< its router, or the one that feeds it, is elsewhere
  static constexpr std::uint8_t kWatched = 64;  ///< what leaves it is noted
  static constexpr std::uint8_t kForks = 128;   ///< it has several link outputs

  Port port() const { return static_cast<Port>(input & kPort); }
  bool has(std::uint8_t flag) const { return (input & flag) != 0; }
};

/// The channels behind the outputs north, east, south, west.
struct Fork {
  std::uint32_t next[4];
};

/// A channel and its queue, half a cache line: who visits it finds the wavelets there, who feeds it
/// touches nothing else. A queue of three to six slots runs on into the next record, which is then
/// no channel of its own; a longer one lies elsewhere, at an index that slots[0] keeps.
struct alignas(32) Record {
  using Word = std::atomic<std::uint64_t>;  ///< used by another thread too where bands meet
  static constexpr std::uint32_t kSlots = 2;
  static constexpr std::uint32_t kSlotsWithNext = 6;

  Channel channel;
  Word slots[kSlots];

  /// Records that a queue takes.
  static constexpr std::uint32_t needed(std::uint32_t capacity) {
    return capacity <= kSlots || capacity > kSlotsWithNext ? 1 : 2;
  }
  Word& near_slot(std::uint8_t place) {
    return *(reinterpret_cast<Word*>(this) + offsetof(Record, slots) / sizeof(Word) + place);
  }
};
static_assert(sizeof(Record) == 32, "two a cache line");

/// Arbitration of a router in which channels share an output.
struct Arbiter {
  std::uint32_t last_step;  ///< in which a channel held something
  std::uint32_t unused;
  std::uint64_t pointers;  ///< a byte an output: the channel that it asks first

  std::uint8_t pointer(unsigned output) const {
    return static_cast<std::uint8_t>(pointers >> (8 * output));
  }
  /// At the start of a step: pointers return to the start after one in which nothing was held.
  void start(std::uint32_t step) {
    if (last_step != step - 1) pointers = 0;
    last_step = step;
  }
  /// Sets the pointers of a set of outputs; the others return to the start.
  void set_all(std::uint32_t step, unsigned set, std::uint8_t to) {
    last_step = step;
    pointers = spread(set) * to;
  }
  /// Sets the pointers of a set of outputs and keeps those of another one; the rest return to the
  /// start.
  void move(unsigned set, std::uint8_t to, unsigned kept) {
    pointers = (pointers & (spread(kept) * 0xff)) | spread(set) * to;
  }
  /// A byte of 1 for each bit of a set of outputs.
  static std::uint64_t spread(unsigned outputs) {
    const std::uint64_t links = ((outputs & 0xf) * std::uint64_t{0x00204081}) & 0x01010101;
    return links | static_cast<std::uint64_t>(outputs >> 4 & 1) << 32;
  }
};
static_assert(sizeof(Arbiter) == 16, "small, because there is one a tile");

}  // namespace wse::fabric
