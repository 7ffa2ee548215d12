// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>
#include <cstdint>

namespace wse::tiles {

/// A number of half precision, IEEE 754 binary16, with arithmetic that rounds each result once, to the
/// nearest and ties to even. The bits travel in wavelets and memory.
class Half {
 public:
  constexpr Half() = default;
  static constexpr Half of_bits(std::uint16_t bits) {
    Half h;
    h.bits_ = bits;
    return h;
  }
  /// The nearest one.
  static Half of(float value) { return of_bits(Eigen::half(value).x); }
  /// The nearest one. Rounds to float on the way such that the second rounding sees what the first
  /// one dropped.
  static Half of(double value);

  constexpr std::uint16_t bits() const { return bits_; }
  float value() const {
    return static_cast<float>(Eigen::half(Eigen::half_impl::raw_uint16_to_half(bits_)));
  }

  // A float has more than twice the digits of a half and two more: a second rounding changes nothing.
  friend Half operator+(Half a, Half b) { return of(a.value() + b.value()); }
  friend Half operator-(Half a, Half b) { return of(a.value() - b.value()); }
  friend Half operator*(Half a, Half b) { return of(a.value() * b.value()); }
  friend Half operator-(Half a) { return of_bits(a.bits_ ^ 0x8000); }
  /// a b + c, rounded once.
  friend Half fma(Half a, Half b, Half c);

 private:
  std::uint16_t bits_ = 0;
};

/// a b + c with a product that is exact and a sum that is rounded once: what the mixed format does.
inline float fma_mixed(Half a, Half b, float c) { return a.value() * b.value() + c; }

}  // namespace wse::tiles
