// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace wse::base {

/// Bits that are one, without the instruction for it, which a plain x86-64 does not have.
constexpr unsigned population_count(std::uint64_t x) {
  x -= x >> 1 & 0x5555555555555555ULL;
  x = (x & 0x3333333333333333ULL) + (x >> 2 & 0x3333333333333333ULL);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
  return static_cast<unsigned>(x * 0x0101010101010101ULL >> 56);
}

}  // namespace wse::base
