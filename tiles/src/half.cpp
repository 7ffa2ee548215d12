// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/half.h"

#include <cmath>
#include <cstring>

namespace wse::tiles {

Half Half::of(double value) {
  auto rounded = static_cast<float>(value);
  const double back = rounded;
  if (back == value || std::isnan(value) || std::isinf(rounded)) return of(rounded);
  // Round to odd: cut off, and note in the last digit that something was.
  if (std::abs(back) > std::abs(value)) rounded = std::nextafter(rounded, 0.0F);
  std::uint32_t bits = 0;
  std::memcpy(&bits, &rounded, sizeof bits);
  bits |= 1;
  std::memcpy(&rounded, &bits, sizeof bits);
  return of(rounded);
}

Half fma(Half a, Half b, Half c) {
  // The product takes 22 digits and is exact; the sum of it and 11 digits is exact in a double, or so
  // far from a tie of halves that its rounding does not matter.
  const double product = static_cast<double>(a.value()) * static_cast<double>(b.value());
  return Half::of(product + static_cast<double>(c.value()));
}

}  // namespace wse::tiles
