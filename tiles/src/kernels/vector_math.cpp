// SPDX-License-Identifier: Apache-2.0
#include "vector_math.h"

#include <array>

namespace wse::tiles {

using P = ProgramBuilder;

void VectorWriter::vector(VectorOp op, DataType type, Operand result, Operand a, Operand b,
                          Operand c, std::uint32_t n) {
  if (n == 0) return;
  p_.vector(op, type, result, a, b, c, P::integer(n));
  cycles_ += times_ * base::ceil_div(n, config_.lanes(op, type));
}

void VectorMath::exp(Operand result, Operand x) {
  constexpr float kLog2E = 1.44269504F;
  // ln(2)^k / k!, from k = 6 down to 0.
  constexpr std::array<float, 7> kPowers{1.54035304e-4F,
                                         1.33335581e-3F,
                                         9.61812911e-3F,
                                         5.55041087e-2F,
                                         2.40226507e-1F,
                                         6.93147181e-1F,
                                         1};
  real(VectorOp::kMax, s_, x, P::number(-87));
  real(VectorOp::kMin, s_, s_, P::number(88));
  real(VectorOp::kMul, s_, s_, P::number(kLog2E));
  w_.vector(VectorOp::kToInt, DataType::kFp32, k_, s_, n_);
  w_.vector(VectorOp::kFromInt, DataType::kFp32, result, k_, n_);
  real(VectorOp::kSub, s_, s_, result);
  real(VectorOp::kFma, result, s_, P::number(kPowers[0]), P::number(kPowers[1]));
  for (std::size_t i = 2; i < kPowers.size(); ++i) {
    real(VectorOp::kFma, result, result, s_, P::number(kPowers[i]));
  }
  integer(VectorOp::kShiftLeft, k_, k_, P::integer(23));
  integer(VectorOp::kAdd, result, result, k_);
}

void VectorMath::reciprocal(Operand result, Operand x) {
  integer(VectorOp::kSub, result, P::integer(0x7ef311c7), x);
  for (int step = 0; step < 3; ++step) {
    real(VectorOp::kMul, s_, x, result);
    real(VectorOp::kSub, s_, P::number(2), s_);
    real(VectorOp::kMul, result, result, s_);
  }
}

void VectorMath::rsqrt(Operand result, Operand x) {
  integer(VectorOp::kShiftRight, s_, x, P::integer(1));
  integer(VectorOp::kSub, result, P::integer(0x5f3759df), s_);
  for (int step = 0; step < 3; ++step) {
    real(VectorOp::kMul, s_, result, result);
    real(VectorOp::kMul, s_, s_, x);
    real(VectorOp::kFma, s_, s_, P::number(-0.5F), P::number(1.5F));
    real(VectorOp::kMul, result, result, s_);
  }
}

/// With m = x 2^-k between sqrt(1/2) and sqrt(2) and f = m - 1: k ln 2 + f - f^2 / 2 + f^3 q(f).
void VectorMath::log(Operand result, Operand x) {
  constexpr std::int64_t kSqrtHalf = 0x3f3504f3;  // bits
  constexpr float kLn2 = 0.693147181F;
  // Least squares of log(1 + f) over the interval, as in the Cephes library.
  constexpr std::array<float, 9> kTerms{7.0376836292e-2F,  -1.1514610310e-1F, 1.1676998740e-1F,
                                        -1.2420140846e-1F, 1.4249322787e-1F,  -1.6668057665e-1F,
                                        2.0000714765e-1F,  -2.4999993993e-1F, 3.3333331174e-1F};
  integer(VectorOp::kSub, k_, x, P::integer(kSqrtHalf));
  integer(VectorOp::kShiftRight, k_, k_, P::integer(23));
  integer(VectorOp::kShiftLeft, s_, k_, P::integer(23));
  integer(VectorOp::kSub, result, x, s_);
  real(VectorOp::kSub, result, result, P::number(1));
  real(VectorOp::kFma, s_, result, P::number(kTerms[0]), P::number(kTerms[1]));
  for (std::size_t i = 2; i < kTerms.size(); ++i) {
    real(VectorOp::kFma, s_, s_, result, P::number(kTerms[i]));
  }
  real(VectorOp::kFma, s_, s_, result, P::number(-0.5F));
  real(VectorOp::kMul, s_, s_, result);
  real(VectorOp::kMul, s_, s_, result);
  real(VectorOp::kAdd, result, result, s_);
  w_.vector(VectorOp::kFromInt, DataType::kFp32, k_, k_, n_);
  real(VectorOp::kFma, result, k_, P::number(kLn2), result);
}

}  // namespace wse::tiles
