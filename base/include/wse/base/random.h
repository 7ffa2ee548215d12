// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace wse::base {

/// SplitMix64: a named, seeded generator held by its user; the same numbers on every platform
/// (the distributions of the standard library are not).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  /// Uniform in 0 .. bound - 1; the bias of the modulo is below bound / 2^64.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  /// The same in low .. high.
  std::uint32_t between(std::uint32_t low, std::uint32_t high) {
    return low + static_cast<std::uint32_t>(below(std::uint64_t{high} - low + 1));
  }

 private:
  std::uint64_t state_;
};

}  // namespace wse::base
