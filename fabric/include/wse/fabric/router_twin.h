// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace wse::fabric {

/// The five ports of a router.
enum class Port : std::uint8_t { kNorth, kEast, kSouth, kWest, kRamp };
inline constexpr std::size_t kNumPorts = 5;
inline constexpr std::size_t kNumColors = 24;  ///< routable colors [csl-examples]

/// One direction of a link in one clock: at most one wavelet, and a ready bit a color in the
/// opposite direction.
struct LinkPins {
  bool valid = false;
  bool control = false;
  std::uint8_t color = 0;
  std::uint32_t data = 0;
};

/// A router as one clocked block, to be stood in for by a model, Verilated RTL or a remote
/// simulator.
///
/// Contract: outputs() and ready() are functions of state only (Moore); clock() takes the inputs of
/// this clock and moves the state to the next. A wavelet may be given on a port only for a color
/// whose ready bit was set.
class RouterTwin {
 public:
  using Links = std::array<LinkPins, kNumPorts>;
  using Ready =
      std::array<std::uint32_t, kNumPorts>;  ///< bit c: the port takes a wavelet of color c

  virtual ~RouterTwin() = default;
  virtual Links outputs() const = 0;
  virtual Ready ready() const = 0;
  virtual void clock(const Links& inputs, const Ready& neighbours_ready) = 0;
};

}  // namespace wse::fabric
