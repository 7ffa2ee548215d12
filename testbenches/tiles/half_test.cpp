// SPDX-License-Identifier: Apache-2.0
// Half precision against integers: every result is the nearest half, ties to even.
#include "wse/tiles/half.h"

#include <gtest/gtest.h>

#include <cmath>

#include "wse/base/random.h"

namespace wse::tiles {
namespace {

__extension__ using Wide = __int128;
constexpr int kPoint = 48;                    // binary digits after the point of a Wide
constexpr Wide kUnit = Wide{1} << (48 - 24);  // 2^-24, the least half, as a Wide

/// A finite half, exactly, in units of 2^-24.
std::int64_t units(Half h) {
  const int exponent = h.bits() >> 10 & 31;
  const std::int64_t fraction = h.bits() & 0x3ff;
  const std::int64_t magnitude = exponent == 0 ? fraction : (fraction | 0x400) << (exponent - 1);
  return (h.bits() & 0x8000) != 0 ? -magnitude : magnitude;
}
bool is_finite(Half h) { return (h.bits() >> 10 & 31) != 31; }

/// The nearest half of a number in units of 2^-48; the sign of a zero is not told.
std::uint16_t nearest(Wide value) {
  const unsigned sign = value < 0 ? 0x8000 : 0;
  const Wide magnitude = value < 0 ? -value : value;
  // Halves in their order have rising bits: find the last one that is not above.
  std::uint16_t below = 0;
  for (int bit = 14; bit >= 0; --bit) {
    const auto next = static_cast<std::uint16_t>(below | 1 << bit);
    if (!is_finite(Half::of_bits(next))) continue;
    if (static_cast<Wide>(units(Half::of_bits(next))) * kUnit <= magnitude) below = next;
  }
  const Wide low = static_cast<Wide>(units(Half::of_bits(below))) * kUnit;
  const auto above = static_cast<std::uint16_t>(below + 1);
  // Beyond the largest, the next step of the same size stands for infinity.
  const Wide high = is_finite(Half::of_bits(above))
                        ? static_cast<Wide>(units(Half::of_bits(above))) * kUnit
                        : static_cast<Wide>(65536) << kPoint;
  const Wide twice = 2 * magnitude - low - high;
  const bool up = twice > 0 || (twice == 0 && (below & 1) != 0);
  return static_cast<std::uint16_t>(sign | (up ? above : below));
}

Half random_half(base::Random& random) {
  while (true) {
    const Half h = Half::of_bits(static_cast<std::uint16_t>(random.next()));
    if (is_finite(h)) return h;
  }
}

void expect_nearest(Half result, Wide exact, Half a, Half b, Half c) {
  if (exact == 0) {
    ASSERT_EQ(result.bits() & 0x7fff, 0);
    return;
  }
  ASSERT_EQ(result.bits(), nearest(exact))
      << std::hex << a.bits() << " " << b.bits() << " " << c.bits();
}

TEST(HalfTest, EveryHalfIsItself) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const Half h = Half::of_bits(static_cast<std::uint16_t>(bits));
    if (!is_finite(h)) continue;
    ASSERT_EQ(Half::of(h.value()).bits(), bits);
    ASSERT_EQ(static_cast<double>(h.value()), std::ldexp(static_cast<double>(units(h)), -24));
  }
}

TEST(HalfTest, SumsAndProductsAreRoundedOnce) {
  base::Random random(1);
  for (int i = 0; i < 1'000'000; ++i) {
    const Half a = random_half(random);
    // Now and then a number near the other, so that much cancels.
    const Half b =
        i % 3 == 0
            ? Half::of_bits(static_cast<std::uint16_t>((a.bits() ^ 0x8000) + random.below(64) - 32))
            : random_half(random);
    if (!is_finite(b)) continue;
    expect_nearest(a + b, static_cast<Wide>(units(a) + units(b)) * kUnit, a, b, {});
    expect_nearest(a - b, static_cast<Wide>(units(a) - units(b)) * kUnit, a, b, {});
    expect_nearest(a * b, static_cast<Wide>(units(a)) * units(b), a, b, {});
    if (HasFailure()) return;
  }
}

TEST(HalfTest, AMultiplyAddIsRoundedOnce) {
  base::Random random(2);
  for (int i = 0; i < 2'000'000; ++i) {
    const Half a = random_half(random), b = random_half(random);
    // Every other time near the product, where a second rounding would show.
    Half c = random_half(random);
    if (i % 2 == 0) {
      const auto step = static_cast<std::uint16_t>(random.below(5000));
      c = Half::of_bits(static_cast<std::uint16_t>((a * b).bits() - step));
    }
    if (!is_finite(c)) continue;
    const Wide exact =
        static_cast<Wide>(units(a)) * units(b) + (static_cast<Wide>(units(c)) * kUnit);
    expect_nearest(fma(a, b, c), exact, a, b, c);
    if (HasFailure()) return;
  }
}

TEST(HalfTest, TiesAndTheRangeAreThoseOfTheFormat) {
  EXPECT_EQ(Half::of(65504.0F).bits(), 0x7bff);
  EXPECT_EQ(Half::of(65519.99).bits(), 0x7bff);
  EXPECT_EQ(Half::of(65520.0).bits(), 0x7c00);  // a tie goes to the even one, infinity
  EXPECT_EQ(Half::of(std::ldexp(1.0, -25)).bits(), 0);
  EXPECT_EQ(Half::of(std::ldexp(1.0000001, -25)).bits(), 1);
  EXPECT_EQ(Half::of(2049.0).bits(), Half::of(2048.0).bits());
  EXPECT_EQ(Half::of(2051.0).bits(), Half::of(2052.0).bits());
  EXPECT_TRUE(std::isnan(Half::of(std::nan("")).value()));
  EXPECT_TRUE(std::isnan((Half::of_bits(0x7c00) - Half::of_bits(0x7c00)).value()));
}

TEST(HalfTest, MixedKeepsTheProductExact) {
  // (1 + 2^-10)^2 = 1 + 2^-9 + 2^-20: a half product would lose the last term.
  const Half a = Half::of(1.0F + std::ldexp(1.0F, -10));
  EXPECT_EQ(fma_mixed(a, a, 0.0F), 1.0F + std::ldexp(1.0F, -9) + std::ldexp(1.0F, -20));
}

}  // namespace
}  // namespace wse::tiles
