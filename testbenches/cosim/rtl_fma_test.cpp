// SPDX-License-Identifier: Apache-2.0
// The arithmetic of the RTL is that of the compute engines, bit for bit: special values with each
// other, and random numbers where rounding is hard. Planted faults are found.
#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "rtl_alu.h"
#include "wse/base/random.h"
#include "wse/tiles/arithmetic.h"

namespace wse::cosim {
namespace {

using base::Random;
using tiles::VectorOp;

constexpr std::uint32_t kSign = 0x80000000U;
constexpr std::uint32_t kInfinity = 0x7f800000U;
constexpr std::uint32_t kQuiet = 0x00400000U;
constexpr std::uint32_t kInvalid = 0xffc00000U;

bool is_nan(std::uint32_t bits) { return (bits & ~kSign) > kInfinity; }
bool is_quiet(std::uint32_t bits) { return (bits & kQuiet) != 0; }

struct Operands {
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t c = 0;
};

constexpr std::array<VectorOp, kNumAluOps> kOps{VectorOp::kMove, VectorOp::kAdd, VectorOp::kSub,
                                                VectorOp::kMul,  VectorOp::kFma, VectorOp::kNegate};
constexpr std::array kPairOps{AluOp::kAdd, AluOp::kSub, AluOp::kMul};

VectorOp engine_op(AluOp op) { return kOps[static_cast<std::size_t>(op)]; }

bool has_nan(AluOp op, const Operands& x) {
  const std::uint32_t operands = tiles::operands_of(engine_op(op));
  return is_nan(x.a) || (operands > 1 && is_nan(x.b)) || (operands > 2 && is_nan(x.c));
}

/// What the compute engine gives; of an invalid operation what x86 does, wherever this runs.
std::uint32_t expected_of(AluOp op, const Operands& x) {
  const std::uint32_t y = tiles::compute(engine_op(op), tiles::DataType::kFp32, x.a, x.b, x.c);
#if !defined(__x86_64__)
  if (is_nan(y) && !has_nan(op, x)) return kInvalid;
#endif
  return y;
}

/// Bits must be equal, except those of a NaN that comes from a NaN: any quiet one will do.
bool agrees(AluOp op, const Operands& x, std::uint32_t found, std::uint32_t expected) {
  const bool moves = op == AluOp::kMove || op == AluOp::kNegate;
  if (!moves && has_nan(op, x)) return is_nan(found) && is_quiet(found) && is_nan(expected);
  return found == expected;
}

std::string describe(AluOp op, const Operands& x, std::uint32_t found, std::uint32_t expected) {
  std::ostringstream text;
  text << std::hex << tiles::name_of(engine_op(op)) << " a " << x.a << " b " << x.b << " c " << x.c
       << " gives " << found << ", must be " << expected;
  return text.str();
}

/// Compares operations until one differs.
class Comparison {
 public:
  explicit Comparison(RtlAlu& alu) : alu_(alu) {}

  /// Whether the comparison may go on.
  bool check(AluOp op, const Operands& x) {
    ++count_;
    const std::uint32_t found = alu_.compute(op, x.a, x.b, x.c);
    const std::uint32_t expected = expected_of(op, x);
    if (agrees(op, x, found, expected)) return true;
    difference_ = describe(op, x, found, expected);
    return false;
  }
  std::uint64_t count() const { return count_; }
  const std::optional<std::string>& difference() const { return difference_; }

 private:
  RtlAlu& alu_;
  std::uint64_t count_ = 0;
  std::optional<std::string> difference_;
};

// ---- special values -----------------------------------------------------------------------------

std::vector<std::uint32_t> special_values() {
  std::vector<std::uint32_t> values{
      0x00000000,                                                  // zero
      0x00000001, 0x00000002, 0x00000003, 0x007fffff, 0x007ffffe,  // subnormal
      0x00400000, 0x00200000, 0x00000800, 0x00000fff,              // and sparse
      0x00800000, 0x00800001, 0x00ffffff, 0x01000000,              // the smallest normal ones
      0x7f7fffff, 0x7f7ffffe, 0x7f000000, 0x7effffff,              // the largest
      0x3f800000, 0x3f800001, 0x3f7fffff, 0x3f800003,              // an ulp around one
      0x40000000, 0x3f000000, 0x3fc00000, 0x40400000,              // 2, 1/2, 3/2, 3
      0x3fffffff, 0x3faaaaab, 0x3fb504f3,                          // dense ones, square root of 2
      0x4b800000, 0x4b800001, 0x4b7fffff, 0x4b000000,              // 2^24, 2^23
      0x34000000, 0x33800000, 0x33800001, 0x337fffff,              // an ulp, half of one, around it
      0x33000000, 0x32800000,                                      // a quarter, an eighth
      0x5f800000, 0x1f800000, 0x20000000, 0x1a000000, 0x1a800000,  // 2^64, 2^-64, 2^-63, 2^-75
      0x5f7fffff, 0x1fffffff,                                      // products at the borders
      kInfinity,  0x7fc00000, 0x7f800001, 0x7fffffff,              // infinity, NaNs
  };
  const std::size_t positive = values.size();
  for (std::size_t i = 0; i < positive; ++i) values.push_back(values[i] | kSign);
  return values;
}

/// All pairs in the operations of two, all triples in the multiply-add.
void compare_special_values(Comparison& comparison) {
  const std::vector<std::uint32_t> values = special_values();
  for (const std::uint32_t a : values) {
    for (const std::uint32_t b : values) {
      for (std::uint32_t op = 0; op < kNumAluOps; ++op) {
        if (!comparison.check(static_cast<AluOp>(op), {a, b, values[op]})) return;
      }
      for (const std::uint32_t c : values) {
        if (!comparison.check(AluOp::kFma, {a, b, c})) return;
      }
    }
  }
}

// ---- random values ------------------------------------------------------------------------------

/// A number of that biased exponent, cut to 0 .. 254. Fractions with long runs of equal bits are
/// frequent: they make ties, carries through all bits and sticky bits of one place.
std::uint32_t number(Random& random, int exponent) {
  const std::uint64_t bits = random.next();
  const std::uint32_t place = static_cast<std::uint32_t>(bits >> 40) % 23;
  const std::uint32_t all = (1U << 23) - 1;
  std::uint32_t fraction = static_cast<std::uint32_t>(bits) & all;
  switch (bits >> 32 & 7) {
    case 0:
      fraction = 1U << place;
      break;
    case 1:
      fraction = all << place & all;
      break;
    case 2:
      fraction = all >> place;
      break;
    case 3:
      fraction = fraction << place & all;
      break;
    default:
      break;
  }
  const int cut = exponent < 0 ? 0 : exponent > 254 ? 254 : exponent;
  return (bits >> 63 != 0 ? kSign : 0) | static_cast<std::uint32_t>(cut) << 23 | fraction;
}
int within(Random& random, int low, int high) {
  return low + static_cast<int>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}
std::uint32_t bits_of(Random& random) { return static_cast<std::uint32_t>(random.next()); }

Operands uniform_bits(Random& random) {
  const std::uint64_t word = random.next();
  return {static_cast<std::uint32_t>(word), static_cast<std::uint32_t>(word >> 32),
          bits_of(random)};
}
/// The addend takes nearly all of the product away; c is a few ulps beside -a b, b beside -a.
Operands cancelling(Random& random) {
  Operands x;
  const int exponent = within(random, 1, 254);
  x.a = number(random, exponent);
  x.b = number(random, within(random, 1, 254 + 127 - exponent));
  x.c = tiles::compute(VectorOp::kMul, tiles::DataType::kFp32, x.a, x.b, 0) ^ kSign;
  x.c += static_cast<std::uint32_t>(within(random, -3, 3));
  if (random.below(4) == 0) x.b = (x.a ^ kSign) + static_cast<std::uint32_t>(within(random, -3, 3));
  return x;
}
/// The product is at any distance to the addend that the window of the RTL sees, and some more.
Operands aligned(Random& random) {
  Operands x;
  const int a = within(random, 0, 254);
  const int c = within(random, 0, 254);
  x.a = number(random, a);
  x.b = number(random, c + 127 - a + within(random, -60, 60));
  x.c = number(random, c);
  return x;
}
/// Products and sums around the smallest normal number and below it.
Operands tiny(Random& random) {
  Operands x;
  const int a = within(random, 0, 160);
  x.a = number(random, a);
  x.b = number(random, 127 - a + within(random, -30, 30));
  x.c = number(random, within(random, 0, 30));
  return x;
}
/// Around the largest number.
Operands huge(Random& random) {
  Operands x;
  const int a = within(random, 127, 254);
  x.a = number(random, a);
  x.b = number(random, 254 + 127 - a + within(random, -3, 2));
  x.c = number(random, within(random, 225, 254));
  return x;
}
/// A subnormal factor: few bits of a product, and an addend that reaches below them.
Operands short_product(Random& random) {
  Operands x;
  x.a = number(random, 0) & (kSign | 0x7fffffU >> random.below(23));
  const int b = within(random, 120, 254);
  x.b = number(random, b);
  x.c = number(random, b - 127 + within(random, -30, 26));
  if (random.below(2) == 0) std::swap(x.a, x.b);
  return x;
}

constexpr std::array kDistributions{uniform_bits, cancelling, aligned, tiny, huge, short_product};

/// So many triples of each distribution: a multiply-add, and another operation by turns.
void compare_random_values(Comparison& comparison, std::uint64_t seed, std::uint64_t triples) {
  Random random(seed);
  for (std::uint64_t i = 0; i < triples; ++i) {
    for (const auto draw : kDistributions) {
      const Operands x = draw(random);
      if (!comparison.check(AluOp::kFma, x)) return;
      if (!comparison.check(kPairOps[i % kPairOps.size()], x)) return;
    }
  }
}

// ---- tests --------------------------------------------------------------------------------------

class RtlFmaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    alu_ = make_rtl_alu(0);
    if (!alu_) GTEST_SKIP() << "this program was built without Verilator";
  }
  std::unique_ptr<RtlAlu> alu_;
};

TEST_F(RtlFmaTest, SpecialValuesAreThoseOfTheComputeEngine) {
  Comparison comparison(*alu_);
  compare_special_values(comparison);
  EXPECT_FALSE(comparison.difference()) << *comparison.difference();
  EXPECT_GT(comparison.count(), 700'000U);
}

TEST_F(RtlFmaTest, RandomValuesAreThoseOfTheComputeEngine) {
  constexpr std::uint64_t kTriples = 1'000'000;
  Comparison comparison(*alu_);
  compare_random_values(comparison, 1, kTriples);
  EXPECT_FALSE(comparison.difference()) << *comparison.difference();
  EXPECT_EQ(comparison.count(), 2 * kTriples * kDistributions.size());
}

TEST_F(RtlFmaTest, MoveAndNegateKeepEveryOtherBit) {
  for (const std::uint32_t a : special_values()) {
    EXPECT_EQ(alu_->compute(AluOp::kMove, a, ~a, a + 1), a);
    EXPECT_EQ(alu_->compute(AluOp::kNegate, a, ~a, a + 1), a ^ kSign);
  }
}

TEST_F(RtlFmaTest, InvalidOperationsGiveTheNanOfX86) {
  EXPECT_EQ(alu_->compute(AluOp::kMul, kInfinity, 0, 0), kInvalid);
  EXPECT_EQ(alu_->compute(AluOp::kSub, kInfinity, kInfinity, 0), kInvalid);
  EXPECT_EQ(alu_->compute(AluOp::kFma, kInfinity, kInfinity, kInfinity | kSign), kInvalid);
}

TEST_F(RtlFmaTest, EachMutantIsFound) {
  for (std::uint32_t mutant = 1; mutant <= kNumAluMutants; ++mutant) {
    const std::unique_ptr<RtlAlu> faulty = make_rtl_alu(mutant);
    Comparison special(*faulty);
    compare_special_values(special);
    Comparison random(*faulty);
    compare_random_values(random, 1, 100'000);
    EXPECT_TRUE(special.difference() || random.difference()) << "mutant " << mutant;
    std::cout << "mutant " << mutant << ": special values "
              << special.difference().value_or("no difference") << " at " << special.count()
              << "; random values " << random.difference().value_or("no difference") << " at "
              << random.count() << "\n";
  }
}

}  // namespace
}  // namespace wse::cosim
