// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace wse::tiles {

/// How a vector operation computes. Data are bits: IEEE 754 or two's complement.
enum class DataType : std::uint8_t {
  kFp16,
  kMixed,  ///< in fp32; operands of two bytes are fp16, results of two bytes are rounded to fp16
  kFp32,
  kInt16,
  kInt32,
};
inline constexpr std::size_t kNumDataTypes = 5;

/// What is done to each element; a, b, c are the operands.
enum class VectorOp : std::uint8_t {
  kMove,     ///< a
  kAdd,      ///< a + b
  kSub,      ///< a - b
  kMul,      ///< a b
  kNegate,   ///< - a
  kFma,      ///< a b + c, rounded once
  kMax,      ///< the larger one; of a number and a NaN the number
  kMin,      ///< the smaller one
  kLess,     ///< 1 if a < b, else 0
  kEqual,    ///< 1 if a = b, else 0
  kFromInt,  ///< the number nearest to the integer a (16 bits in fp16, else 32)
  kToInt,    ///< the integer nearest to a, ties to even, saturated; NaN gives 0
  kAnd,      ///< integers only, as the following
  kOr,
  kXor,
  kShiftLeft,   ///< by b modulo the width
  kShiftRight,  ///< logically
  kUnpack,  ///< a is a pair, index in the upper 16 bits, value in the lower: the element of that
            ///< index of the result becomes the value
};
inline constexpr std::size_t kNumVectorOps = 18;

std::string_view name_of(DataType type);
std::string_view name_of(VectorOp op);

constexpr bool is_integer(DataType type) {
  return type == DataType::kInt16 || type == DataType::kInt32;
}
/// Bits of an operand inside an operation.
constexpr std::uint32_t bits_of(DataType type) {
  return type == DataType::kFp16 || type == DataType::kInt16 ? 16 : 32;
}
/// Operands that an operation reads: 1 to 3.
constexpr std::uint32_t operands_of(VectorOp op) {
  if (op == VectorOp::kFma) return 3;
  const bool one = op == VectorOp::kMove || op == VectorOp::kNegate || op == VectorOp::kFromInt ||
                   op == VectorOp::kToInt || op == VectorOp::kUnpack;
  return one ? 1 : 2;
}
/// Whether the operation exists for the type.
bool is_legal(VectorOp op, DataType type);
/// Floating-point operations of an element: an addition or multiplication counts one.
constexpr std::uint32_t flops_of(VectorOp op, DataType type) {
  if (is_integer(type)) return 0;
  if (op == VectorOp::kFma) return 2;
  return op == VectorOp::kAdd || op == VectorOp::kSub || op == VectorOp::kMul ? 1 : 0;
}

/// The result of an element. Bits of width bits_of(type), zero-extended; kMixed takes and gives fp32
/// bits. The operation is legal and not kUnpack.
std::uint32_t compute(VectorOp op, DataType type, std::uint32_t a, std::uint32_t b,
                      std::uint32_t c);

/// fp16 bits as fp32 bits, and back with correct rounding.
std::uint32_t widen(std::uint32_t half_bits);
std::uint32_t narrow(std::uint32_t float_bits);

}  // namespace wse::tiles
