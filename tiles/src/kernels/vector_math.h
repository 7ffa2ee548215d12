// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wse/base/units.h"
#include "wse/tiles/compute_config.h"
#include "wse/tiles/program_builder.h"

namespace wse::tiles {

/// Writes vector operations and counts the cycles that they take on the datapath.
class VectorWriter {
 public:
  VectorWriter(ProgramBuilder& p, const ComputeConfig& config) : p_(p), config_(config) {}

  ProgramBuilder& program() { return p_; }
  base::Cycles cycles() const { return cycles_; }

  void vector(VectorOp op, DataType type, Operand result, Operand a, Operand b, Operand c,
              std::uint32_t n);
  void vector(VectorOp op, DataType type, Operand result, Operand a, Operand b, std::uint32_t n) {
    vector(op, type, result, a, b, {}, n);
  }
  void vector(VectorOp op, DataType type, Operand result, Operand a, std::uint32_t n) {
    vector(op, type, result, a, {}, {}, n);
  }
  /// What the caller writes: a scalar instruction, or something that takes so many cycles.
  void count_scalar(std::uint32_t n = 1) { count(std::uint64_t{n} * config_.scalar_cycles); }
  void count(base::Cycles cycles) { cycles_ += times_ * cycles; }
  /// Scalar instructions.
  void set(std::uint8_t r, Operand value) {
    p_.set(r, value);
    count_scalar();
  }
  void add(std::uint8_t r, std::uint32_t n) { scalar(VectorOp::kAdd, r, n); }
  void subtract(std::uint8_t r, std::uint32_t n) { scalar(VectorOp::kSub, r, n); }
  /// Runs `body` so often; register `counter` counts.
  template <class Body>
  void repeat(std::uint32_t times, std::uint8_t counter, const Body& body) {
    if (times == 0) return;
    p_.set(counter, ProgramBuilder::integer(times));
    count_scalar();
    loop(times, counter, body);
  }
  /// Runs `body` as often as register `counter` says, maybe never; `most` is counted.
  template <class Body>
  void repeat_up_to(std::uint32_t most, std::uint8_t counter, const Body& body) {
    if (most == 0) return;
    const std::uint16_t skip = p_.here();
    p_.jump_if_zero(ProgramBuilder::r(counter));
    count_scalar();
    loop(most, counter, body);
    p_.at(skip).target = p_.here();
  }

 private:
  void scalar(VectorOp op, std::uint8_t r, std::uint32_t n) {
    p_.scalar(op, DataType::kInt32, r, ProgramBuilder::r(r), ProgramBuilder::integer(n));
    count_scalar();
  }
  template <class Body>
  void loop(std::uint32_t times, std::uint8_t counter, const Body& body) {
    const std::uint16_t begin = p_.here();
    times_ *= times;
    body();
    p_.scalar(VectorOp::kSub, DataType::kInt32, counter, ProgramBuilder::r(counter),
              ProgramBuilder::integer(1));
    p_.jump_if_not_zero(ProgramBuilder::r(counter), begin);
    count_scalar(2);
    times_ /= times;
  }

  ProgramBuilder& p_;
  const ComputeConfig config_;
  base::Cycles cycles_ = 0;
  std::uint64_t times_ = 1;
};

/// Functions of fp32 vectors by additions, multiplications and operations on bits. Scratch vectors `s`
/// and `k` have `n` elements, as all others; `s` had best be near. A result is no operand unless said.
///
///     exp         2^k times a polynomial of degree 6; relative error 2e-7; clamped to -87 .. 88; in place
///     reciprocal  a first guess from the bits, three Newton steps; relative error 2e-7; positive numbers
///     rsqrt       the same
///     log         of numbers from 1 on: exponent and a polynomial of degree 9; error 2e-7 and a rounding
class VectorMath {
 public:
  VectorMath(VectorWriter& writer, std::uint32_t n, Operand s, Operand k)
      : w_(writer), n_(n), s_(s), k_(k) {}

  void exp(Operand result, Operand x);
  void reciprocal(Operand result, Operand x);
  void rsqrt(Operand result, Operand x);
  void log(Operand result, Operand x);

 private:
  void real(VectorOp op, Operand result, Operand a, Operand b, Operand c = {}) {
    w_.vector(op, DataType::kFp32, result, a, b, c, n_);
  }
  void integer(VectorOp op, Operand result, Operand a, Operand b) {
    w_.vector(op, DataType::kInt32, result, a, b, n_);
  }

  VectorWriter& w_;
  const std::uint32_t n_;
  const Operand s_, k_;
};

}  // namespace wse::tiles
