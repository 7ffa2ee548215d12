// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace wse::fabric {

/// 32 bits of data, a color and a control bit. The advance flag is set by the descriptor of a data
/// wavelet: it advances the switches that it passes, as a control wavelet would.
struct Wavelet {
  std::uint32_t data = 0;
  std::uint8_t color = 0;  ///< 0 .. 23
  bool control = false;
  bool advance = false;

  friend bool operator==(const Wavelet& a, const Wavelet& b) {
    return a.data == b.data && a.color == b.color && a.control == b.control &&
           a.advance == b.advance;
  }
};

/// What a control wavelet asks of the switch of its color in a router.
enum class Command : std::uint8_t { kNothing, kAdvance, kReset, kTeardown };

/// The data of a control wavelet: bits 0 .. 15 hold eight commands of two bits, the first
/// one lowest.
inline constexpr std::uint32_t kCommandBits = 0xffff;
constexpr Command first_command(std::uint32_t data) { return static_cast<Command>(data & 3); }
constexpr std::uint32_t without_first_command(std::uint32_t data) {
  return (data & ~kCommandBits) | ((data & kCommandBits) >> 2);
}

/// What a wavelet asks of the switch that it passes.
constexpr Command command_of(const Wavelet& wavelet) {
  if (wavelet.control) return first_command(wavelet.data);
  return wavelet.advance ? Command::kAdvance : Command::kNothing;
}

}  // namespace wse::fabric
