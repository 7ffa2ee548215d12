// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/arithmetic.h"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "wse/base/check.h"
#include "wse/tiles/half.h"

namespace wse::tiles {
namespace {

float to_float(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
std::uint32_t to_bits(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
Half to_half(std::uint32_t bits) { return Half::of_bits(static_cast<std::uint16_t>(bits)); }

/// The nearest integer of so many bits, ties to even; the rounding mode is never changed.
template <class Int>
Int nearest(float value) {
  if (std::isnan(value)) return 0;
  const double rounded = std::nearbyint(static_cast<double>(value));
  const double low = std::numeric_limits<Int>::min();
  const double high = std::numeric_limits<Int>::max();
  return static_cast<Int>(rounded < low ? low : rounded > high ? high : rounded);
}

/// Comparisons and choices are the same for all floating types.
std::uint32_t choose(VectorOp op, float a, float b, std::uint32_t a_bits, std::uint32_t b_bits,
                     std::uint32_t one) {
  switch (op) {
    case VectorOp::kMax:
      return std::isnan(a) || a < b ? b_bits : a_bits;
    case VectorOp::kMin:
      return std::isnan(a) || b < a ? b_bits : a_bits;
    case VectorOp::kLess:
      return a < b ? one : 0;
    case VectorOp::kEqual:
      return a == b ? one : 0;
    default:
      break;
  }
  WSE_CHECK(false, "an operation of integers on floating numbers");
  return 0;
}

std::uint32_t compute_single(VectorOp op, std::uint32_t a_bits, std::uint32_t b_bits,
                             std::uint32_t c_bits) {
  const float a = to_float(a_bits);
  const float b = to_float(b_bits);
  switch (op) {
    case VectorOp::kMove:
      return a_bits;
    case VectorOp::kAdd:
      return to_bits(a + b);
    case VectorOp::kSub:
      return to_bits(a - b);
    case VectorOp::kMul:
      return to_bits(a * b);
    case VectorOp::kNegate:
      return a_bits ^ 0x80000000U;
    case VectorOp::kFma:
      return to_bits(std::fma(a, b, to_float(c_bits)));
    case VectorOp::kFromInt:
      return to_bits(static_cast<float>(static_cast<std::int32_t>(a_bits)));
    case VectorOp::kToInt:
      return static_cast<std::uint32_t>(nearest<std::int32_t>(a));
    default:
      return choose(op, a, b, a_bits, b_bits, to_bits(1.0F));
  }
}

std::uint32_t compute_half(VectorOp op, std::uint32_t a_bits, std::uint32_t b_bits,
                           std::uint32_t c_bits) {
  const Half a = to_half(a_bits);
  const Half b = to_half(b_bits);
  switch (op) {
    case VectorOp::kMove:
      return a_bits;
    case VectorOp::kAdd:
      return (a + b).bits();
    case VectorOp::kSub:
      return (a - b).bits();
    case VectorOp::kMul:
      return (a * b).bits();
    case VectorOp::kNegate:
      return (-a).bits();
    case VectorOp::kFma:
      return fma(a, b, to_half(c_bits)).bits();
    case VectorOp::kFromInt:
      return Half::of(static_cast<float>(static_cast<std::int16_t>(a_bits))).bits();
    case VectorOp::kToInt:
      return static_cast<std::uint16_t>(nearest<std::int16_t>(a.value()));
    default:
      return choose(op, a.value(), b.value(), a_bits, b_bits, Half::of(1.0F).bits());
  }
}

std::uint32_t compute_integer(VectorOp op, std::uint32_t bits, std::uint32_t a, std::uint32_t b,
                              std::uint32_t c) {
  const std::uint32_t mask = bits == 16 ? 0xffffU : ~0U;
  const auto is_less = [bits](std::uint32_t x, std::uint32_t y) {  // with signs
    const std::uint32_t sign = 1U << (bits - 1);
    return (x ^ sign) < (y ^ sign);
  };
  const auto result = [&]() -> std::uint32_t {
    switch (op) {
      case VectorOp::kMove:
      case VectorOp::kFromInt:
      case VectorOp::kToInt:
      case VectorOp::kUnpack:
        return a;
      case VectorOp::kAdd:
        return a + b;
      case VectorOp::kSub:
        return a - b;
      case VectorOp::kMul:
        return a * b;
      case VectorOp::kNegate:
        return 0U - a;
      case VectorOp::kFma:
        return a * b + c;
      case VectorOp::kMax:
        return is_less(a, b) ? b : a;
      case VectorOp::kMin:
        return is_less(b, a) ? b : a;
      case VectorOp::kLess:
        return is_less(a, b) ? 1 : 0;
      case VectorOp::kEqual:
        return a == b ? 1 : 0;
      case VectorOp::kAnd:
        return a & b;
      case VectorOp::kOr:
        return a | b;
      case VectorOp::kXor:
        return a ^ b;
      case VectorOp::kShiftLeft:
        return a << (b % bits);
      case VectorOp::kShiftRight:
        return a >> (b % bits);
    }
    return 0;
  };
  return result() & mask;
}

}  // namespace

std::string_view name_of(DataType type) {
  static constexpr std::array<std::string_view, kNumDataTypes> kNames{"fp16", "mixed", "fp32",
                                                                      "int16", "int32"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string_view name_of(VectorOp op) {
  static constexpr std::array<std::string_view, kNumVectorOps> kNames{
      "move",  "add",      "sub",    "mul", "negate", "fma", "max",        "min",         "less",
      "equal", "from_int", "to_int", "and", "or",     "xor", "shift_left", "shift_right", "unpack"};
  return kNames[static_cast<std::size_t>(op)];
}

bool is_legal(VectorOp op, DataType type) {
  switch (op) {
    case VectorOp::kFromInt:
    case VectorOp::kToInt:
      return !is_integer(type);
    case VectorOp::kAnd:
    case VectorOp::kOr:
    case VectorOp::kXor:
    case VectorOp::kShiftLeft:
    case VectorOp::kShiftRight:
      return is_integer(type);
    case VectorOp::kUnpack:
      return type == DataType::kFp16 || type == DataType::kInt16;
    default:
      return true;
  }
}

std::uint32_t compute(VectorOp op, DataType type, std::uint32_t a, std::uint32_t b,
                      std::uint32_t c) {
  switch (type) {
    case DataType::kFp16:
      return compute_half(op, a, b, c);
    case DataType::kMixed:
    case DataType::kFp32:
      return compute_single(op, a, b, c);
    case DataType::kInt16:
      return compute_integer(op, 16, a, b, c);
    case DataType::kInt32:
      return compute_integer(op, 32, a, b, c);
  }
  return 0;
}

std::uint32_t widen(std::uint32_t half_bits) { return to_bits(to_half(half_bits).value()); }
std::uint32_t narrow(std::uint32_t float_bits) { return Half::of(to_float(float_bits)).bits(); }

}  // namespace wse::tiles
