// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "wse/base/twin_error.h"
#include "wse/base/vcd_source.h"
#include "wse/fabric/port.h"
#include "wse/fabric/wavelet.h"

namespace wse::fabric {

/// One direction of a link in one clock: at most one wavelet.
struct LinkPins {
  bool valid = false;
  Wavelet wavelet;

  /// Without a wavelet its payload does not count.
  friend bool operator==(const LinkPins& a, const LinkPins& b) {
    return a.valid == b.valid && (!a.valid || a.wavelet == b.wavelet);
  }
};

/// One direction of the five ports of a router in one clock.
struct RouterPins {
  std::array<LinkPins, kNumPorts> links{};
  /// Bit c: a slot for color c was freed behind this port in this clock. What a router gives frees
  /// slots of its inputs; what it takes frees slots behind its outputs.
  std::array<std::uint32_t, kNumPorts> credits{};

  friend bool operator==(const RouterPins& a, const RouterPins& b) {
    return a.links == b.links && a.credits == b.credits;
  }
};

using base::TwinError;

/// A router as one clocked block, to be stood in for by a model, Verilated RTL or a remote
/// simulator.
///
/// Contract: outputs() is a function of state only (Moore); clock() takes the inputs of this clock
/// and moves the state to the next. A router knows how many slots lie behind each output and color
/// from the start and counts credits; it never sends without a slot. One that has given nothing in
/// kQuietClocks clocks, while nothing came, gives nothing until something comes.
class RouterTwin : public base::Traceable {
 public:
  using Inputs = RouterPins;
  using Outputs = RouterPins;
  static constexpr unsigned kQuietClocks = 64;
  virtual RouterPins outputs() const = 0;
  virtual void clock(const RouterPins& inputs) = 0;
};

}  // namespace wse::fabric
