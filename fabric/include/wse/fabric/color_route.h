// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "wse/fabric/port.h"
#include "wse/fabric/wavelet.h"

namespace wse::fabric {

inline constexpr std::size_t kMaxSwitchPositions = 4;  ///< [csl-examples]

/// One setting of a switch: wavelets from any of the inputs go to all of the outputs.
struct SwitchPosition {
  PortSet inputs;
  PortSet outputs;
  friend bool operator==(const SwitchPosition& a, const SwitchPosition& b) {
    return a.inputs == b.inputs && a.outputs == b.outputs;
  }
};

/// Which control wavelets lose their first command in a router.
enum class PopMode : std::uint8_t { kNever, kAlways, kOnAdvance };

/// What of a color passes from the router to its compute engine. Control wavelets always do
///
struct RampFilter {
  enum class Kind : std::uint8_t {
    kNone,
    kCounter,  ///< data wavelets are numbered 0, 1, .. modulo `period`; numbers first..last pass
    kRange,    ///< the upper 16 bits of the data, an index, must be in first..last
  };
  Kind kind = Kind::kNone;
  std::uint16_t first = 0;
  std::uint16_t last = 0;    ///< included
  std::uint32_t period = 1;  ///< of the counter

  bool passes(const Wavelet& wavelet, std::uint32_t counter) const {
    if (kind == Kind::kNone || wavelet.control) return true;
    const std::uint32_t value = kind == Kind::kCounter ? counter : wavelet.data >> 16;
    return first <= value && value <= last;
  }
  /// The counter after this wavelet.
  std::uint32_t count(const Wavelet& wavelet, std::uint32_t counter) const {
    if (kind != Kind::kCounter || wavelet.control) return counter;
    return counter + 1 == period ? 0 : counter + 1;
  }
  friend bool operator==(const RampFilter& a, const RampFilter& b) {
    return a.kind == b.kind && a.first == b.first && a.last == b.last && a.period == b.period;
  }
};

/// How one router treats one color.
struct ColorRoute {
  std::array<SwitchPosition, kMaxSwitchPositions> positions{};
  std::uint8_t position_count = 1;
  bool ring = false;  ///< advancing past the last position returns to the first
  PopMode pop = PopMode::kNever;
  RampFilter filter;

  ColorRoute() = default;
  ColorRoute(PortSet inputs, PortSet outputs) { positions[0] = {inputs, outputs}; }

  /// Over all positions.
  PortSet inputs() const;
  PortSet outputs() const;
  /// Where wavelets of an input go in a position; empty where it is not taken.
  PortSet outputs_of(Port input, unsigned position) const {
    const SwitchPosition& p = positions[position];
    return p.inputs.contains(input) ? p.outputs : PortSet();
  }
  /// Over all positions.
  PortSet outputs_of(Port input) const;
  /// The position that a command leads to.
  std::uint8_t position_after(Command command, std::uint8_t position) const;
  /// The data of a wavelet that has passed: without its first command where that is popped.
  std::uint32_t data_after(const Wavelet& wavelet) const;

  friend bool operator==(const ColorRoute& a, const ColorRoute& b);
};

}  // namespace wse::fabric
