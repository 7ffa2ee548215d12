// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace wse::base {

using Cycles = std::uint64_t;       ///< cycles of the core clock since the start of the run
using Picoseconds = std::uint64_t;  ///< time in steps of the kernel's resolution, 1 ps
using Bytes = std::uint64_t;

__extension__ typedef unsigned __int128 WideUint;  ///< intermediate products of two 64-bit counts

/// a * b / c without overflow of the product, rounded down. c must not be zero.
constexpr std::uint64_t mul_div(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  std::uint64_t product = 0;
  if (!__builtin_mul_overflow(a, b, &product)) return product / c;  // the common case, and cheap
  return static_cast<std::uint64_t>(static_cast<WideUint>(a) * b / c);
}

/// a * b / c rounded up.
constexpr std::uint64_t mul_div_up(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  return static_cast<std::uint64_t>((static_cast<WideUint>(a) * b + c - 1) / c);
}

/// a * b, or the largest number where that does not fit.
constexpr std::uint64_t mul_saturated(std::uint64_t a, std::uint64_t b) {
  const WideUint product = static_cast<WideUint>(a) * b;
  return product > ~std::uint64_t{0} ? ~std::uint64_t{0} : static_cast<std::uint64_t>(product);
}

/// a / b rounded up. b must not be zero.
constexpr std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) {
  return (a + b - 1) / b;  // NOLINT(clang-analyzer-core.DivideZero): b is checked where it is made
}

}  // namespace wse::base
