// SPDX-License-Identifier: Apache-2.0
// Every operation of every type against sums and products that are exact, rounded once.
#include "wse/tiles/arithmetic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "wse/base/random.h"

namespace wse::tiles {
namespace {

// Holds a product of two halves plus a half exactly: from 2^-48 to below 2^16.
using Wide = long double;
static_assert(std::numeric_limits<Wide>::digits >= 64, "the reference must be exact");

constexpr std::array<VectorOp, kNumVectorOps> kOps{
    VectorOp::kMove,       VectorOp::kAdd,   VectorOp::kSub,     VectorOp::kMul,
    VectorOp::kNegate,     VectorOp::kFma,   VectorOp::kMax,     VectorOp::kMin,
    VectorOp::kLess,       VectorOp::kEqual, VectorOp::kFromInt, VectorOp::kToInt,
    VectorOp::kAnd,        VectorOp::kOr,    VectorOp::kXor,     VectorOp::kShiftLeft,
    VectorOp::kShiftRight, VectorOp::kUnpack};
constexpr std::array<DataType, kNumDataTypes> kTypes{
    DataType::kFp16, DataType::kMixed, DataType::kFp32, DataType::kInt16, DataType::kInt32};

float float_of(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
std::uint32_t bits_of_float(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// The value of a half, from its fields.
Wide value_of_half(std::uint32_t bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31);
  const auto fraction = static_cast<Wide>(bits & 0x3ff);
  Wide magnitude;
  if (exponent == 31) {
    magnitude = fraction == 0 ? std::numeric_limits<Wide>::infinity()
                              : std::numeric_limits<Wide>::quiet_NaN();
  } else {
    magnitude =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

/// The bits of the nearest half, ties to even; not for a NaN.
std::uint32_t nearest_half(Wide value) {
  const std::uint32_t sign = std::signbit(value) ? 0x8000 : 0;
  const Wide magnitude = std::fabs(value);
  if (magnitude >= 65520) return sign | 0x7c00;  // halfway to 65536, and beyond
  if (magnitude == 0) return sign;
  const int exponent = std::max(std::ilogb(magnitude), -14);
  // In units of the last place: below 2048, or 2048 where it rounds up to the next power of two.
  const auto units =
      static_cast<std::uint32_t>(std::nearbyint(std::ldexp(magnitude, 10 - exponent)));
  // Bits of halves count on over powers of two.
  return sign | (static_cast<std::uint32_t>(exponent + 14) * 1024 + units);
}

/// a b + c of floats, rounded once: to odd in double, then to float.
float fma_rounded_once(float a, float b, float c) {
  const double product = static_cast<double>(a) * b;  // exact
  const double addend = c;
  const double sum = product + addend;
  if (!std::isfinite(sum)) return static_cast<float>(sum);
  const double shadow = sum - product;
  const double rest = (product - (sum - shadow)) + (addend - shadow);
  std::uint64_t bits;
  std::memcpy(&bits, &sum, sizeof bits);
  if (rest == 0 || (bits & 1) != 0) return static_cast<float>(sum);
  // Inexact and even: the odd neighbour on the side of the exact sum.
  const double towards =
      rest > 0 ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
  return static_cast<float>(std::nextafter(sum, towards));
}

/// The nearest integer, ties to even, saturated.
std::int64_t nearest_integer(Wide value, std::int64_t low, std::int64_t high) {
  if (std::isnan(value)) return 0;
  if (value <= static_cast<Wide>(low)) return low;
  if (value >= static_cast<Wide>(high)) return high;
  const Wide floor = std::floor(value);
  const Wide rest = value - floor;
  const auto below = static_cast<std::int64_t>(floor);
  if (rest > 0.5L || (rest == 0.5L && below % 2 != 0)) return below + 1;
  return below;
}

/// The nearest float of an integer, ties to even, by integers alone.
double nearest_float(std::int64_t value) {
  auto magnitude = static_cast<std::uint64_t>(value < 0 ? -value : value);
  int shift = 0;
  while (magnitude >> shift >= 1U << 24) ++shift;
  const std::uint64_t kept = magnitude >> shift;
  const std::uint64_t twice_rest = 2 * (magnitude - (kept << shift));
  const std::uint64_t unit = std::uint64_t{1} << shift;
  const bool up = twice_rest > unit || (twice_rest == unit && kept % 2 != 0);
  const double rounded = std::ldexp(static_cast<double>(kept + (up ? 1 : 0)), shift);
  return value < 0 ? -rounded : rounded;
}

/// What an operation of fp16 should give; a NaN stands for any.
std::uint32_t expected_half(VectorOp op, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  const Wide x = value_of_half(a), y = value_of_half(b), z = value_of_half(c);
  const auto rounded = [](Wide value) { return std::isnan(value) ? 0x7e00U : nearest_half(value); };
  switch (op) {
    case VectorOp::kMove:
      return a;
    case VectorOp::kAdd:
      return rounded(x + y);
    case VectorOp::kSub:
      return rounded(x - y);
    case VectorOp::kMul:
      return rounded(x * y);
    case VectorOp::kNegate:
      return a ^ 0x8000;
    case VectorOp::kFma:
      return rounded(x * y + z);
    case VectorOp::kMax:
      return std::isnan(x) ? b : std::isnan(y) ? a : x < y ? b : a;
    case VectorOp::kMin:
      return std::isnan(x) ? b : std::isnan(y) ? a : y < x ? b : a;
    case VectorOp::kLess:
      return x < y ? 0x3c00 : 0;
    case VectorOp::kEqual:
      return x == y ? 0x3c00 : 0;
    case VectorOp::kFromInt:
      return nearest_half(static_cast<Wide>(static_cast<std::int16_t>(a)));
    case VectorOp::kToInt:
      return static_cast<std::uint32_t>(nearest_integer(x, -32768, 32767)) & 0xffff;
    default:
      ADD_FAILURE() << "no such operation";
      return 0;
  }
}

bool same_half(std::uint32_t got, std::uint32_t wanted, VectorOp op) {
  if (op == VectorOp::kToInt) return got == wanted;
  const bool is_nan = std::isnan(value_of_half(wanted));
  if (is_nan && op != VectorOp::kMove && op != VectorOp::kNegate) {
    return got <= 0xffff && std::isnan(value_of_half(got));
  }
  // Of two zeros either may be the larger one.
  const bool zero = (op == VectorOp::kMax || op == VectorOp::kMin) && (wanted & 0x7fff) == 0;
  return zero ? (got & ~0x8000U) == 0 : got == wanted;
}

void check_half(VectorOp op, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  const std::uint32_t got = compute(op, DataType::kFp16, a, b, c);
  const std::uint32_t wanted = expected_half(op, a, b, c);
  ASSERT_TRUE(same_half(got, wanted, op)) << name_of(op) << std::hex << " of " << a << " " << b
                                          << " " << c << " gives " << got << " and not " << wanted;
}

constexpr std::array<std::uint32_t, 22> kSpecialHalves{
    0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x83ff, 0x0400, 0x8400, 0x3800, 0x3c00, 0xbc00,
    0x3c01, 0x5bff, 0x6400, 0x77ff, 0x7800, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00, 0xfe01};

std::vector<VectorOp> ops_of(DataType type, std::uint32_t operands) {
  std::vector<VectorOp> ops;
  for (const VectorOp op : kOps) {
    if (op == VectorOp::kUnpack || !is_legal(op, type) || operands_of(op) != operands) continue;
    ops.push_back(op);
  }
  return ops;
}

TEST(ArithmeticTest, EveryHalfIsRightInOperationsOfOneOperand) {
  for (const VectorOp op : ops_of(DataType::kFp16, 1)) {
    for (std::uint32_t a = 0; a < 0x10000; ++a) {
      ASSERT_NO_FATAL_FAILURE(check_half(op, a, 0, 0));
    }
  }
}

TEST(ArithmeticTest, SpecialHalvesAreRightInAllOperations) {
  for (const std::uint32_t a : kSpecialHalves) {
    for (const std::uint32_t b : kSpecialHalves) {
      for (const VectorOp op : ops_of(DataType::kFp16, 2)) {
        ASSERT_NO_FATAL_FAILURE(check_half(op, a, b, 0));
      }
      for (const std::uint32_t c : kSpecialHalves) {
        ASSERT_NO_FATAL_FAILURE(check_half(VectorOp::kFma, a, b, c));
      }
    }
  }
}

TEST(ArithmeticTest, RandomHalvesAreRoundedOnceInAllOperations) {
  base::Random random(11);
  for (int i = 0; i < 400'000; ++i) {
    const auto a = static_cast<std::uint32_t>(random.below(0x10000));
    auto b = static_cast<std::uint32_t>(random.below(0x10000));
    // Now and then close to the first one, so that much cancels.
    if (i % 4 == 0) b = (a ^ (i % 8 == 0 ? 0x8000U : 0U)) + static_cast<std::uint32_t>(i % 5);
    b &= 0xffff;
    for (const VectorOp op : ops_of(DataType::kFp16, 2)) {
      ASSERT_NO_FATAL_FAILURE(check_half(op, a, b, 0));
    }
    auto c = static_cast<std::uint32_t>(random.below(0x10000));
    if (i % 2 == 0) {
      c = (nearest_half(value_of_half(a) * value_of_half(b)) ^ 0x8000U) -
          static_cast<std::uint32_t>(random.below(5000));
    }
    ASSERT_NO_FATAL_FAILURE(check_half(VectorOp::kFma, a, b, c & 0xffff));
  }
}

// fp32 and mixed ----------------------------------------------------------------------------------

std::uint32_t expected_single(VectorOp op, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  const float x = float_of(a), y = float_of(b);
  // A sum or product of two floats rounded to double and then to float is rounded once in effect.
  const double wide = x;
  switch (op) {
    case VectorOp::kMove:
      return a;
    case VectorOp::kAdd:
      return bits_of_float(static_cast<float>(wide + y));
    case VectorOp::kSub:
      return bits_of_float(static_cast<float>(wide - y));
    case VectorOp::kMul:
      return bits_of_float(static_cast<float>(wide * y));
    case VectorOp::kNegate:
      return a ^ 0x80000000U;
    case VectorOp::kFma:
      return bits_of_float(fma_rounded_once(x, y, float_of(c)));
    case VectorOp::kMax:
      return std::isnan(x) ? b : std::isnan(y) ? a : x < y ? b : a;
    case VectorOp::kMin:
      return std::isnan(x) ? b : std::isnan(y) ? a : y < x ? b : a;
    case VectorOp::kLess:
      return x < y ? 0x3f800000U : 0;
    case VectorOp::kEqual:
      return x == y ? 0x3f800000U : 0;
    case VectorOp::kFromInt:
      return bits_of_float(static_cast<float>(nearest_float(static_cast<std::int32_t>(a))));
    case VectorOp::kToInt:
      return static_cast<std::uint32_t>(nearest_integer(x, -2147483648LL, 2147483647LL));
    default:
      ADD_FAILURE() << "no such operation";
      return 0;
  }
}

void check_single(VectorOp op, DataType type, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  const std::uint32_t got = compute(op, type, a, b, c);
  const std::uint32_t wanted = expected_single(op, a, b, c);
  bool same = got == wanted;
  if (op != VectorOp::kMove && op != VectorOp::kNegate && op != VectorOp::kToInt) {
    if (std::isnan(float_of(wanted))) same = std::isnan(float_of(got));
    const bool choice = op == VectorOp::kMax || op == VectorOp::kMin;
    if (choice && float_of(wanted) == 0) same = float_of(got) == 0;
  }
  ASSERT_TRUE(same) << name_of(op) << " of " << name_of(type) << std::hex << " of " << a << " " << b
                    << " " << c << " gives " << got << " and not " << wanted;
}

constexpr std::array<std::uint32_t, 24> kSpecialSingles{
    0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x00800000, 0x3f000000, 0x3f800000,
    0xbf800000, 0x3f800001, 0x3fc00000, 0x40200000, 0xc0200000, 0x4b000001, 0x4b800001, 0x4effffff,
    0x4f000000, 0xcf000000, 0xcf000001, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00001};

TEST(ArithmeticTest, SpecialFloatsAreRightInAllOperations) {
  for (const std::uint32_t a : kSpecialSingles) {
    for (const VectorOp op : ops_of(DataType::kFp32, 1)) {
      ASSERT_NO_FATAL_FAILURE(check_single(op, DataType::kFp32, a, 0, 0));
      ASSERT_NO_FATAL_FAILURE(check_single(op, DataType::kMixed, a, 0, 0));
    }
    for (const std::uint32_t b : kSpecialSingles) {
      for (const VectorOp op : ops_of(DataType::kFp32, 2)) {
        ASSERT_NO_FATAL_FAILURE(check_single(op, DataType::kFp32, a, b, 0));
        ASSERT_NO_FATAL_FAILURE(check_single(op, DataType::kMixed, a, b, 0));
      }
      for (const std::uint32_t c : kSpecialSingles) {
        ASSERT_NO_FATAL_FAILURE(check_single(VectorOp::kFma, DataType::kFp32, a, b, c));
      }
    }
  }
}

/// Floats of like size, so that sums round, or any bits at all.
std::uint32_t random_single(base::Random& random, bool any) {
  const auto bits = static_cast<std::uint32_t>(random.next());
  if (any) return bits;
  return (bits & 0x807fffffU) | static_cast<std::uint32_t>(110 + random.below(34)) << 23;
}

TEST(ArithmeticTest, RandomFloatsAreRoundedOnceInAllOperations) {
  base::Random random(12);
  for (int i = 0; i < 400'000; ++i) {
    const std::uint32_t a = random_single(random, i % 4 == 0);
    const std::uint32_t b = random_single(random, i % 4 == 0);
    const std::uint32_t c = random_single(random, i % 4 == 0);
    for (const DataType type : {DataType::kFp32, DataType::kMixed}) {
      for (const VectorOp op : ops_of(type, 1)) {
        ASSERT_NO_FATAL_FAILURE(check_single(op, type, a, 0, 0));
      }
      for (const VectorOp op : ops_of(type, 2)) {
        ASSERT_NO_FATAL_FAILURE(check_single(op, type, a, b, 0));
      }
    }
    ASSERT_NO_FATAL_FAILURE(check_single(VectorOp::kFma, DataType::kFp32, a, b, c));
    // Near the product, where a second rounding would show.
    const float product = float_of(a) * float_of(b);
    const std::uint32_t near = bits_of_float(-product) + static_cast<std::uint32_t>(i % 7);
    ASSERT_NO_FATAL_FAILURE(check_single(VectorOp::kFma, DataType::kFp32, a, b, near));
  }
}

TEST(ArithmeticTest, AMixedMultiplyAddOfHalvesIsRoundedOnceToFp32) {
  base::Random random(13);
  for (int i = 0; i < 400'000; ++i) {
    const std::uint32_t a = widen(static_cast<std::uint32_t>(random.below(0x10000)));
    const std::uint32_t b = widen(static_cast<std::uint32_t>(random.below(0x10000)));
    const std::uint32_t c = random_single(random, i % 4 == 0);
    ASSERT_NO_FATAL_FAILURE(check_single(VectorOp::kFma, DataType::kMixed, a, b, c));
  }
}

// Operands of four bytes are legal in the mixed format; then the product is not exact in fp32.
TEST(ArithmeticTest, AMixedMultiplyAddOfFloatsIsRoundedOnceToFp32) {
  base::Random random(14);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint32_t a = random_single(random, false);
    const std::uint32_t b = random_single(random, false);
    const std::uint32_t c = random_single(random, false);
    ASSERT_NO_FATAL_FAILURE(check_single(VectorOp::kFma, DataType::kMixed, a, b, c));
  }
}

TEST(ArithmeticTest, IntegersOfNumbersSaturateAndTiesAreEven) {
  const auto of_single = [](float x) {
    return static_cast<std::int32_t>(
        compute(VectorOp::kToInt, DataType::kFp32, bits_of_float(x), 0, 0));
  };
  EXPECT_EQ(of_single(0.5F), 0);
  EXPECT_EQ(of_single(1.5F), 2);
  EXPECT_EQ(of_single(-2.5F), -2);
  EXPECT_EQ(of_single(3e9F), 2147483647);
  EXPECT_EQ(of_single(-3e9F), std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(of_single(std::numeric_limits<float>::infinity()), 2147483647);
  EXPECT_EQ(of_single(std::numeric_limits<float>::quiet_NaN()), 0);
  const auto of_half = [](std::uint32_t bits) {
    return compute(VectorOp::kToInt, DataType::kFp16, bits, 0, 0);
  };
  EXPECT_EQ(of_half(0x7bff), 0x7fffU);  // 65504
  EXPECT_EQ(of_half(0xfc00), 0x8000U);  // minus infinity
  EXPECT_EQ(of_half(0x7e00), 0U);       // NaN
  EXPECT_EQ(of_half(0x4100), 2U);       // 2.5
  EXPECT_EQ(of_half(0xc300), 0xfffcU);  // -3.5
}

TEST(ArithmeticTest, OfANumberAndANanTheNumberIsTheLargerAndTheSmaller) {
  const std::uint32_t nan = 0x7fc00000, one = 0x3f800000;
  for (const VectorOp op : {VectorOp::kMax, VectorOp::kMin}) {
    for (const DataType type : {DataType::kFp32, DataType::kMixed}) {
      EXPECT_EQ(compute(op, type, nan, one, 0), one);
      EXPECT_EQ(compute(op, type, one, nan, 0), one);
      EXPECT_TRUE(std::isnan(float_of(compute(op, type, nan, nan, 0))));
    }
    EXPECT_EQ(compute(op, DataType::kFp16, 0x7e00, 0x3c00, 0), 0x3c00U);
    EXPECT_EQ(compute(op, DataType::kFp16, 0x3c00, 0x7e00, 0), 0x3c00U);
  }
  EXPECT_EQ(compute(VectorOp::kEqual, DataType::kFp32, nan, nan, 0), 0U);
  EXPECT_EQ(compute(VectorOp::kLess, DataType::kFp32, nan, one, 0), 0U);
}

// Integers ----------------------------------------------------------------------------------------

/// On 64 bits with signs, then cut to the width.
std::uint32_t expected_integer(VectorOp op, int width, std::uint32_t a, std::uint32_t b,
                               std::uint32_t c) {
  const auto extend = [width](std::uint32_t bits) -> std::int64_t {
    return width == 16 ? std::int64_t{static_cast<std::int16_t>(bits)}
                       : std::int64_t{static_cast<std::int32_t>(bits)};
  };
  const std::int64_t x = extend(a), y = extend(b), z = extend(c);
  std::int64_t result = 0;
  switch (op) {
    case VectorOp::kMove:
      result = x;
      break;
    case VectorOp::kAdd:
      result = x + y;
      break;
    case VectorOp::kSub:
      result = x - y;
      break;
    case VectorOp::kMul:
      result = x * y;
      break;
    case VectorOp::kNegate:
      result = -x;
      break;
    case VectorOp::kFma:
      // The lower bits of a sum do not depend on those that overflow.
      result = static_cast<std::int64_t>(static_cast<std::uint64_t>(x * y) +
                                         static_cast<std::uint64_t>(z));
      break;
    case VectorOp::kMax:
      result = std::max(x, y);
      break;
    case VectorOp::kMin:
      result = std::min(x, y);
      break;
    case VectorOp::kLess:
      result = x < y ? 1 : 0;
      break;
    case VectorOp::kEqual:
      result = x == y ? 1 : 0;
      break;
    case VectorOp::kAnd:
      result = x & y;
      break;
    case VectorOp::kOr:
      result = x | y;
      break;
    case VectorOp::kXor:
      result = x ^ y;
      break;
    case VectorOp::kShiftLeft:
      result = static_cast<std::int64_t>(std::uint64_t{a} << (b % static_cast<unsigned>(width)));
      break;
    case VectorOp::kShiftRight:
      result = static_cast<std::int64_t>(std::uint64_t{a} >> (b % static_cast<unsigned>(width)));
      break;
    default:
      ADD_FAILURE() << "no such operation";
  }
  const auto bits = static_cast<std::uint64_t>(result);
  return static_cast<std::uint32_t>(width == 16 ? bits & 0xffff : bits & 0xffffffff);
}

void check_integers(DataType type, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  const int width = type == DataType::kInt16 ? 16 : 32;
  for (const VectorOp op : kOps) {
    if (op == VectorOp::kUnpack || !is_legal(op, type)) continue;
    ASSERT_EQ(compute(op, type, a, b, c), expected_integer(op, width, a, b, c))
        << name_of(op) << " of " << name_of(type) << std::hex << " of " << a << " " << b << " "
        << c;
  }
}

TEST(ArithmeticTest, IntegersWrapAroundInAllOperations) {
  base::Random random(15);
  const std::array<std::uint32_t, 8> edges{0, 1, 15, 16, 0x7fff, 0x8000, 0xffff, 0xfffe};
  for (const std::uint32_t a : edges) {
    for (const std::uint32_t b : edges) {
      check_integers(DataType::kInt16, a, b, 0x7fff);
      // The same in the upper half, and both.
      check_integers(DataType::kInt32, a << 16, b, 0x7fffffff);
      check_integers(DataType::kInt32, a << 16 | 0xffff, b << 16 | b, 0x80000000);
    }
  }
  for (int i = 0; i < 200'000; ++i) {
    const auto a = static_cast<std::uint32_t>(random.next());
    const auto b = static_cast<std::uint32_t>(random.next());
    const auto c = static_cast<std::uint32_t>(random.next());
    check_integers(DataType::kInt32, a, b, c);
    check_integers(DataType::kInt16, a & 0xffff, b & 0xffff, c & 0xffff);
    if (HasFailure()) return;
  }
}

// Tables ------------------------------------------------------------------------------------------

TEST(ArithmeticTest, OperationsAreLegalForTheTypesThatTheHeaderNames) {
  for (const DataType type : kTypes) {
    for (const VectorOp op : kOps) {
      bool legal = true;
      if (op == VectorOp::kAnd || op == VectorOp::kOr || op == VectorOp::kXor ||
          op == VectorOp::kShiftLeft || op == VectorOp::kShiftRight) {
        legal = is_integer(type);  // "integers only"
      } else if (op == VectorOp::kFromInt || op == VectorOp::kToInt) {
        legal = !is_integer(type);  // from and to a number
      } else if (op == VectorOp::kUnpack) {
        legal = bits_of(type) == 16;  // the value is the lower half of a pair
      }
      EXPECT_EQ(is_legal(op, type), legal) << name_of(op) << " of " << name_of(type);
    }
  }
}

TEST(ArithmeticTest, ResultsDependOnAsManyOperandsAsAnOperationHas) {
  for (const DataType type : kTypes) {
    for (const VectorOp op : kOps) {
      if (!is_legal(op, type) || op == VectorOp::kUnpack) continue;
      base::Random random(16);
      bool on_b = false, on_c = false;
      const std::uint32_t mask = bits_of(type) == 16 ? 0xffff : ~0U;
      for (int i = 0; i < 1000; ++i) {
        // Positive and of like size: neither NaN nor out of range.
        const std::uint32_t one = type == DataType::kFp16 ? 0x3c00 : 0x3f800000;
        const std::uint32_t spread = type == DataType::kFp16 ? 0x3ff : 0x7fffff;
        const auto any = [&] {
          return (one | (static_cast<std::uint32_t>(random.next()) & spread)) & mask;
        };
        const std::uint32_t a = any(), b = any(), c = any();
        const std::uint32_t equal_or_b = op == VectorOp::kEqual && i % 2 == 0 ? a : b;
        const std::uint32_t result = compute(op, type, a, equal_or_b, c);
        on_b = on_b || compute(op, type, a, any(), c) != result;
        on_c = on_c || compute(op, type, a, equal_or_b, any()) != result;
        EXPECT_LE(result, mask);
      }
      EXPECT_EQ(on_b, operands_of(op) >= 2) << name_of(op) << " of " << name_of(type);
      EXPECT_EQ(on_c, operands_of(op) >= 3) << name_of(op) << " of " << name_of(type);
    }
  }
}

TEST(ArithmeticTest, FlopsCountAdditionsAndMultiplicationsOfNumbers) {
  for (const VectorOp op : kOps) {
    std::uint32_t flops = 0;
    if (op == VectorOp::kAdd || op == VectorOp::kSub || op == VectorOp::kMul) flops = 1;
    if (op == VectorOp::kFma) flops = 2;
    for (const DataType type : kTypes) {
      EXPECT_EQ(flops_of(op, type), is_integer(type) ? 0 : flops)
          << name_of(op) << " of " << name_of(type);
    }
  }
}

TEST(ArithmeticTest, NamesTellOperationsAndTypesApart) {
  std::set<std::string> names;
  for (const VectorOp op : kOps) names.emplace(name_of(op));
  for (const DataType type : kTypes) names.emplace(name_of(type));
  EXPECT_EQ(names.size(), kNumVectorOps + kNumDataTypes);
}

TEST(ArithmeticTest, WideningIsExactAndNarrowingRoundsOnce) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const Wide value = value_of_half(bits);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(float_of(widen(bits))));
      continue;
    }
    ASSERT_EQ(static_cast<Wide>(float_of(widen(bits))), value);
    ASSERT_EQ(narrow(widen(bits)), bits);
  }
  base::Random random(17);
  for (int i = 0; i < 1'000'000; ++i) {
    const std::uint32_t bits = random_single(random, i % 4 == 0);
    if (std::isnan(float_of(bits))) {
      ASSERT_TRUE(std::isnan(value_of_half(narrow(bits))));
    } else {
      ASSERT_EQ(narrow(bits), nearest_half(float_of(bits))) << std::hex << bits;
    }
  }
}

}  // namespace
}  // namespace wse::tiles
