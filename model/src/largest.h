// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace wse::model {

/// The largest n of 0 .. most - 1 that fits, where 0 does and whatever is smaller than what fits.
template <class Fits>
std::uint64_t largest_below(std::uint64_t most, const Fits& fits) {
  std::uint64_t good = 0;
  while (good + 1 < most) {
    const std::uint64_t middle = good + (most - good) / 2;
    (fits(middle) ? good : most) = middle;
  }
  return good;
}

/// The same without a limit; something must be too large.
template <class Fits>
std::uint64_t largest(const Fits& fits) {
  std::uint64_t too_large = 1;
  while (fits(too_large)) too_large *= 2;
  return largest_below(too_large, fits);
}

}  // namespace wse::model
