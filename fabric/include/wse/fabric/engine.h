// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wse/base/units.h"
#include "wse/fabric/circuit.h"
#include "wse/fabric/fabric_config.h"
#include "wse/fabric/route_table.h"
#include "wse/fabric/router_model.h"

namespace wse::fabric {

/// Times and sizes of a fabric at the cycle level; what they mean is in docs/timing.md.
struct EngineConfig {
  std::uint32_t hop_cycles = 1;
  std::uint32_t ramp_cycles = 2;
  std::uint32_t queue_depth = 2;
  Arbitration arbitration = Arbitration::kRoundRobin;
  /// Depth of the queue behind the ramp, by leaf; empty: compute engines take everything at once.
  std::vector<std::uint8_t> receiver_depth;

  /// Of several threads each must have more copies than this to move, or one does all.
  std::uint32_t copies_a_thread = 1000;
  /// With fewer wavelets in queues it does not pay to run ahead.
  std::uint32_t copies_to_run_ahead = 20'000;
  std::uint32_t near_records = 50'000;  ///< of which a near cache holds those in use: 1.6 MB

  /// Of a machine. A violation if its queues are too long for the engines.
  static EngineConfig of(const FabricConfig& machine, base::ConfigErrors& errors);

  /// Slots behind an output: the queue, and two for each pipeline stage beyond the first.
  static std::uint32_t slots(std::uint32_t depth, std::uint32_t latency) {
    return depth + 2 * (latency - 1);
  }
  std::uint32_t link_slots() const { return slots(queue_depth, hop_cycles); }
  std::uint32_t ramp_slots() const { return slots(queue_depth, ramp_cycles); }
};

/// A tile and a color: where copies of wavelets end.
constexpr std::uint32_t leaf_of(std::uint32_t tile, std::uint8_t color) {
  return tile * static_cast<std::uint32_t>(kNumColors) + color;
}
constexpr std::uint32_t tile_of(std::uint32_t leaf) {
  return leaf / static_cast<std::uint32_t>(kNumColors);
}
constexpr std::uint8_t color_of(std::uint32_t leaf) {
  return static_cast<std::uint8_t>(leaf % kNumColors);
}

/// A copy of a wavelet that reaches a compute engine.
struct Delivery {
  static constexpr std::uint32_t kControl = 1;
  static constexpr std::uint32_t kAdvance = 2;

  std::uint32_t leaf = 0;
  std::uint32_t data = 0;
  std::uint32_t flags = 0;

  static Delivery of(std::uint32_t leaf, const Wavelet& w) {
    return {leaf, w.data, (w.control ? kControl : 0) | (w.advance ? kAdvance : 0)};
  }
  Wavelet wavelet() const {
    return {data, color_of(leaf), (flags & kControl) != 0, (flags & kAdvance) != 0};
  }
};

/// Takes what an engine gives. Copies of one cycle come in no particular order.
class EngineSink {
 public:
  virtual ~EngineSink() = default;
  /// The copies can be used from `cycle` on.
  virtual void deliver(base::Cycles cycle, const Delivery* begin, const Delivery* end) = 0;
  /// A slot behind the ramp of each of these leaves was freed in `cycle`; the compute engine sees it
  /// after the latency of the ramp.
  virtual void free_slots(base::Cycles /*cycle*/, const std::uint32_t* /*begin*/,
                          const std::uint32_t* /*end*/) {}
  /// A sink for what a band of rows gives, used by the band's thread; null if this sink wants
  /// everything from the caller's thread.
  virtual EngineSink* for_band(std::uint32_t /*band*/) { return nullptr; }
  /// A wavelet whose copies meet nobody: they can be used at the leaves of its circuit from
  /// `first` + depth x hop_cycles on. Unless overridden, delivers the copies one by one. `number`
  /// is that of the circuit.
  virtual void deliver_flow(std::uint32_t number, const Circuit& circuit, base::Cycles first,
                            std::uint32_t hop_cycles, const Wavelet& wavelet);
};

/// Counts since the start.
struct EngineCounts {
  std::uint64_t injected = 0;   ///< wavelets
  std::uint64_t delivered = 0;  ///< copies at compute engines
  std::uint64_t filtered = 0;   ///< copies that a filter at a ramp dropped
  std::uint64_t hops = 0;       ///< copies that crossed a link

  friend bool operator==(const EngineCounts& a, const EngineCounts& b) {
    return a.injected == b.injected && a.delivered == b.delivered && a.filtered == b.filtered &&
           a.hops == b.hops;
  }
};

/// A fabric, one cycle at a time. Every engine obeys docs/timing.md: the same routes and the same
/// calls give the same deliveries in the same cycles.
class Engine {
 public:
  virtual ~Engine() = default;

  base::Cycles now() const { return now_; }

  static constexpr std::uint32_t kNoSource = ~std::uint32_t{0};
  /// The ramp of a tile for a color, for inject(); kNoSource if its route takes nothing from there.
  virtual std::uint32_t source(std::uint32_t tile, std::uint8_t color) const = 0;
  /// A compute engine gives a wavelet to its ramp in the cycle now(), at most one a tile and cycle.
  /// False if the queue behind the ramp has no slot; then nothing happened.
  virtual bool inject(std::uint32_t source, const Wavelet& wavelet) = 0;
  /// A compute engine frees a slot of its queue in the cycle now(), at most one a leaf and cycle.
  virtual void return_credit(std::uint32_t leaf) = 0;
  /// Runs the cycle now() and moves on to the next.
  virtual void step(EngineSink& sink) = 0;
  /// Whether anything can move in the cycle now() or later without help from outside.
  virtual bool can_move() const = 0;
  /// Moves on to a later cycle; only while nothing can move.
  void skip_to(base::Cycles cycle);

  virtual EngineCounts counts() const = 0;
  virtual std::uint64_t held() const = 0;  ///< wavelets in queues

 protected:
  /// Before the cycles up to `cycle` are passed over.
  virtual void on_skip(base::Cycles /*cycle*/) {}
  base::Cycles now_ = 0;
};

}  // namespace wse::fabric
