// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace wse::fabric {

/// The five ports of a router.
enum class Port : std::uint8_t { kNorth, kEast, kSouth, kWest, kRamp };
inline constexpr std::size_t kNumPorts = 5;
inline constexpr std::size_t kNumColors = 24;  ///< routable colors [csl-examples]
inline constexpr std::array<Port, kNumPorts> kPorts{Port::kNorth, Port::kEast, Port::kSouth,
                                                    Port::kWest, Port::kRamp};

constexpr std::size_t index_of(Port port) { return static_cast<std::size_t>(port); }

/// The port of the neighbour that a link port faces. Not for the ramp.
constexpr Port facing(Port port) {
  return static_cast<Port>((static_cast<std::uint8_t>(port) + 2) % 4);
}

const char* name_of(Port port);  ///< "north", ..

/// A set of ports: bit p is port p.
class PortSet {
 public:
  constexpr PortSet() = default;
  constexpr PortSet(Port port) : bits_(static_cast<std::uint8_t>(1U << index_of(port))) {}
  static constexpr PortSet from_bits(unsigned bits) {
    PortSet set;
    set.bits_ = static_cast<std::uint8_t>(bits & 0x1f);
    return set;
  }
  constexpr std::uint8_t bits() const { return bits_; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool contains(Port port) const { return (bits_ >> index_of(port) & 1) != 0; }
  /// How many ports of the set come before this one.
  unsigned rank(Port port) const { return count(bits_ & ((1U << index_of(port)) - 1)); }
  unsigned size() const { return count(bits_); }

  friend constexpr PortSet operator|(PortSet a, PortSet b) {
    return from_bits(unsigned{a.bits_} | b.bits_);
  }
  friend constexpr PortSet operator-(PortSet a, PortSet b) {
    return from_bits(unsigned{a.bits_} & ~unsigned{b.bits_});
  }
  friend constexpr bool operator==(PortSet a, PortSet b) { return a.bits_ == b.bits_; }
  friend constexpr bool operator!=(PortSet a, PortSet b) { return a.bits_ != b.bits_; }

 private:
  /// Of five bits, without a library call where the machine has no instruction for it.
  static constexpr unsigned count(unsigned bits) {
    return (bits & 1) + (bits >> 1 & 1) + (bits >> 2 & 1) + (bits >> 3 & 1) + (bits >> 4 & 1);
  }
  std::uint8_t bits_ = 0;
};
constexpr PortSet operator|(Port a, Port b) { return PortSet(a) | PortSet(b); }

}  // namespace wse::fabric
