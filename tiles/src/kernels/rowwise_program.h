// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "axpy_layout.h"
#include "predicted.h"
#include "vector_math.h"
#include "wse/tiles/kernels/rowwise.h"

namespace wse::tiles {

/// The program of a tile while it is written. Tokens are worked through in groups so small that vectors
/// of a group fit the buffer beside the datapath.
class RowwiseProgram {
 public:
  using P = ProgramBuilder;
  static constexpr DataType kFp32 = DataType::kFp32;
  static constexpr double kGeluFactor = 0.7978845608028654;  // sqrt(2 / pi)
  static constexpr double kGeluCube = 0.044715;

  RowwiseProgram(P& p, const RowwiseShape& shape, const ComputeConfig& config)
      : p_(p),
        shape_(shape),
        w_(p, config),
        t_(tokens(shape)),
        group_(group(shape)),
        near_left_(config.cache_bytes),
        one_(1 / single(shape.features)) {
    const std::uint32_t f = shape.tile_features();
    // Bytes beside the datapath go to what meets most in a step; the others, and what lies in memory,
    // begin in pairs of banks where reads and the write of three steps before do not meet.
    if (gradient_of_norm()) {
      const Array sums = near_array("feature sums", 2);
      both_ = p.all(sums);
      scale_sum_ = p.part(sums, 0, 1);
      shift_sum_ = p.part(sums, 1, 1);
      scale_sums_ = p.walk(sums, 0, {{group_, 0}});
      shift_sums_ = p.walk(sums, 1, {{group_, 0}});
    }
    for (const char name : order(shape)) {
      (name == 's'   ? s_
       : name == 'k' ? k_
       : name == 'c' ? c_
       : name == 'd' ? d_
                     : e_) = scratch(std::string(1, name));
    }
    math_ = std::make_unique<VectorMath>(w_, group_, s_, k_);
    const bool pairs = shape.op == RowwiseOp::kRotary;
    x_ = activations("x", 0, pairs ? &next_x_ : nullptr);
    y_ = activations("y", 0, pairs ? &next_y_ : nullptr);
    if (has_dy(shape)) dy_ = activations("dy", 2);
    if (pairs) {
      begin_in_pair(p_, 1);
      cos_ = p.at_register(p.part(p.array("cos", f / 2 * stride32()), 0, group_), kFeature32);
      sin_ = p.at_register(p.part(p.array("sin", f / 2 * stride32()), 0, group_), kFeature32);
    }
    if (entropy()) {
      target_ = of_tokens("target", 3);
      loss_ = of_tokens("loss", 0);
    }
    if (has_powers(shape)) {
      begin_in_pair(p_, 0);
      powers_ = p.at_register(p.part(p.array("powers", f * stride32()), 0, group_), kFeature32);
    }
    scale_ = p.array("scale", f);
    shift_ = p.array("shift", f);
    mean_ = of_tokens("mean", 2);
    rstd_ = of_tokens("rstd", 1);
    begin_in_pair(p_, 1);
    value_ = p.array("value", value_elements(shape));
    v_ = p.at_register(p.part(value_, 0, group_), kToken);
    if (value_.elements >= 2 * t_) second_ = p.at_register(p.part(value_, t_, group_), kToken);
    if (gradient_of_norm()) {
      of_scale_ = p.at_register(p.part(value_, 2 * t_, 1), kParameter);
      of_shift_ = p.at_register(p.part(value_, 2 * t_ + f, 1), kParameter);
    }
  }

  /// Tokens of a tile, padded to groups of equal size, and their number in a group.
  static std::uint32_t tokens(const RowwiseShape& s) {
    return group(s) * static_cast<std::uint32_t>(base::ceil_div(s.tile_tokens(), group(s)));
  }
  static std::uint32_t group(const RowwiseShape& s) {
    const std::uint64_t tokens = s.tile_tokens();
    return static_cast<std::uint32_t>(base::ceil_div(tokens, token_groups(tokens)));
  }
  /// Elements from a feature to the next one: a turn of the banks.
  static std::uint32_t stride(const RowwiseShape& s) {
    return round_up(tokens(s), kBankTurn / element_bytes_of(s.type));
  }
  /// Of the value: sums of tokens; the gradient of a layer norm: two a token, two a feature.
  static std::uint32_t value_elements(const RowwiseShape& s) {
    const std::uint32_t t = tokens(s);
    if (s.op == RowwiseOp::kCrossEntropy && !s.backward) return 2 * t;
    const bool norm = s.op == RowwiseOp::kLayerNorm && s.backward;
    return norm ? 2 * t + 2 * s.tile_features() : t;
  }
  /// Whether gradients of results come in beside the activations.
  static bool has_dy(const RowwiseShape& s) {
    return s.backward && s.op != RowwiseOp::kCrossEntropy && s.op != RowwiseOp::kRotary;
  }
  /// Whether exponentials are kept.
  static bool has_powers(const RowwiseShape& s) {
    return (s.op == RowwiseOp::kSoftmax && !s.backward) ||
           (s.op == RowwiseOp::kCrossEntropy && s.backward);
  }
  Array value() const { return value_; }
  base::Cycles cycles() const { return w_.cycles(); }

  // Layer norm.

  void sum(std::uint32_t features) {
    each(
        features, [&] { clear(v_); }, [&] { op(VectorOp::kAdd, v_, v_, x_); });
  }
  void sum_squares(std::uint32_t features) {
    const auto mean = [&] {
      real(VectorOp::kMul, mean_, v_, P::number(one_));
      clear(v_);
    };
    each(features, mean, [&] {
      op(VectorOp::kSub, c_, x_, mean_);
      add_product(v_, c_, c_, kFp32);
    });
  }
  void normalise(std::uint32_t features) {
    const auto deviation = [&] {
      real(VectorOp::kFma, c_, v_, P::number(one_), P::number(single(Rowwise::kEpsilon)));
      math_->rsqrt(rstd_, c_);
    };
    each(features, deviation, [&] {
      normalised();
      load(kScaleRegister, scale_);
      load(kShiftRegister, shift_);
      op(VectorOp::kFma, y_, c_, P::r(kScaleRegister), P::r(kShiftRegister));
    });
  }
  void norm_sums(std::uint32_t features) {
    w_.vector(VectorOp::kMove, kFp32, p_.all(value_), P::number(0), value_.elements);
    each(
        features, [] {},
        [&] {
          normalised();
          w_.vector(VectorOp::kMove, kFp32, both_, P::number(0), 2);
          op(VectorOp::kFma, scale_sums_, dy_, c_, scale_sums_);
          op(VectorOp::kAdd, shift_sums_, shift_sums_, dy_);
          w_.vector(VectorOp::kAdd, kFp32, of_scale_, of_scale_, scale_sum_, 1);
          w_.vector(VectorOp::kAdd, kFp32, of_shift_, of_shift_, shift_sum_, 1);
          load(kScaleRegister, scale_);
          op(VectorOp::kMul, d_, dy_, P::r(kScaleRegister));
          real(VectorOp::kAdd, v_, v_, d_);
          add_product(second_, d_, c_, kFp32);
        });
  }
  void norm_gradient(std::uint32_t features) {
    const auto means = [&] {
      real(VectorOp::kMul, v_, v_, P::number(one_));
      real(VectorOp::kMul, second_, second_, P::number(one_));
    };
    each(features, means, [&] {
      normalised();
      load(kScaleRegister, scale_);
      op(VectorOp::kMul, d_, dy_, P::r(kScaleRegister));
      real(VectorOp::kSub, d_, d_, v_);
      real(VectorOp::kMul, c_, c_, second_);
      real(VectorOp::kSub, d_, d_, c_);
      op(VectorOp::kMul, y_, d_, rstd_);
    });
  }

  // Softmax.

  void largest(std::uint32_t features) {
    each(
        features, [&] { w_.vector(VectorOp::kMove, kFp32, v_, P::number(-3e38F), group_); },
        [&] { op(VectorOp::kMax, v_, v_, x_); });
  }
  void sum_powers(std::uint32_t features) {
    const auto keep = [&] {
      w_.vector(VectorOp::kMove, kFp32, mean_, v_, group_);
      clear(v_);
    };
    each(features, keep, [&] {
      op(VectorOp::kSub, c_, x_, mean_);
      math_->exp(powers_, c_);
      real(VectorOp::kAdd, v_, v_, powers_);
    });
  }
  void divide(std::uint32_t features) {
    each(
        features, [&] { math_->reciprocal(rstd_, v_); },
        [&] { op(VectorOp::kMul, y_, powers_, rstd_); });
  }
  void sum_products(std::uint32_t features) {
    each(
        features, [&] { clear(v_); }, [&] { add_product(v_, x_, dy_, shape_.type); });
  }
  void softmax_gradient(std::uint32_t features) {
    each(
        features, [] {},
        [&] {
          op(VectorOp::kSub, c_, dy_, v_);
          op(VectorOp::kMul, y_, x_, c_);
        });
  }

  // GELU.

  void gelu(std::uint32_t features) {
    each(
        features, [] {},
        [&] {
          square();
          sigmoid();
          op(VectorOp::kMul, y_, x_, e_);
        });
  }
  void gelu_gradient(std::uint32_t features) {
    each(
        features, [] {},
        [&] {
          square();
          // Twice the derivative of z.
          real(VectorOp::kFma, mean_, c_, P::number(single(6 * kGeluCube * kGeluFactor)),
               P::number(single(2 * kGeluFactor)));
          sigmoid();
          real(VectorOp::kSub, d_, P::number(1), e_);
          real(VectorOp::kMul, d_, d_, e_);
          real(VectorOp::kMul, d_, d_, mean_);
          op(VectorOp::kMul, d_, x_, d_);
          real(VectorOp::kAdd, d_, d_, e_);
          op(VectorOp::kMul, y_, dy_, d_);
        });
  }

  // Cross-entropy.

  /// Of exp(x - largest), and the x of the target.
  void sum_of_targets(std::uint32_t features) {
    const auto keep = [&] {
      w_.vector(VectorOp::kMove, kFp32, mean_, v_, group_);
      clear(v_);
      clear(second_);
    };
    each(features, keep, [&] {
      op(VectorOp::kSub, c_, x_, mean_);
      math_->exp(e_, c_);
      real(VectorOp::kAdd, v_, v_, e_);
      is_target();
      op(VectorOp::kMul, d_, x_, d_);
      real(VectorOp::kAdd, second_, second_, d_);
    });
  }
  void loss(std::uint32_t) {
    each(
        0,
        [&] {
          math_->log(c_, v_);
          real(VectorOp::kAdd, c_, c_, mean_);
          real(VectorOp::kSub, loss_, c_, second_);
        },
        [] {});
  }
  void loss_gradient(std::uint32_t features) {
    const float of_mean = 1 / single(shape_.tokens);
    const auto factor = [&] {
      math_->reciprocal(rstd_, v_);
      real(VectorOp::kMul, rstd_, rstd_, P::number(of_mean));
    };
    each(features, factor, [&] {
      real(VectorOp::kMul, c_, powers_, rstd_);
      is_target();
      real(VectorOp::kMul, d_, d_, P::number(of_mean));
      op(VectorOp::kSub, y_, c_, d_);
    });
  }

  // Rotary embedding: features 2 i and 2 i + 1 are turned.

  void rotate(std::uint32_t features) {
    features_at_once_ = 2;
    each(
        features, [] {},
        [&] {
          const bool back = shape_.backward;
          op(VectorOp::kMul, c_, x_, cos_);
          op(VectorOp::kMul, d_, next_x_, sin_);
          op(back ? VectorOp::kAdd : VectorOp::kSub, y_, c_, d_);
          op(VectorOp::kMul, c_, x_, sin_);
          op(VectorOp::kMul, d_, next_x_, cos_);
          op(back ? VectorOp::kSub : VectorOp::kAdd, next_y_, d_, c_);
        });
  }

 private:
  enum : std::uint8_t {
    kFeature = 1,  ///< bytes to the group of a feature among activations
    kFeature32,    ///< among fp32 numbers of the same shape
    kParameter,    ///< among parameters
    kToken,        ///< to the group among numbers of tokens
    kFirst,        ///< to the group of the first feature among activations
    kGroupsLeft,
    kLeft,
    kScaleRegister,
    kShiftRegister,
    kIndex,      ///< of the feature
    kFirstIndex  ///< of the first one of the tile
  };

  static float single(double value) { return static_cast<float>(value); }

  /// Scratch vectors, those that meet most first.
  static std::string order(const RowwiseShape& s) {
    if (s.op == RowwiseOp::kRotary) return "cdesk";
    if (s.op == RowwiseOp::kCrossEntropy) return s.backward ? "skcde" : "skced";
    if (s.op == RowwiseOp::kLayerNorm) return s.backward ? "cdesk" : "ceskd";
    if (s.op == RowwiseOp::kSoftmax) return s.backward ? "ceskd" : "skcde";
    return "skcde";
  }

  std::uint32_t stride() const { return p_.map().stride_or(stride(shape_)); }
  std::uint32_t stride32() const { return round_up(t_, kBankTurn / 4); }
  Array near_array(const std::string& name, std::uint32_t elements) {
    near_left_ -= 4 * elements;
    return p_.near_array(name, elements);
  }
  Operand scratch(const std::string& name) {
    if (4 * group_ <= near_left_) return p_.all(near_array(name, group_));
    begin_in_pair(p_, 2);
    return p_.all(p_.array(name, group_));
  }
  /// The group of a feature, and of the next one if it is asked for.
  Operand activations(const char* name, std::uint32_t pair, Operand* next = nullptr) {
    begin_in_pair(p_, pair);
    const std::uint32_t n = stride();
    const Array array = p_.array(name, shape_.tile_features() * n, element_bytes_of(shape_.type));
    if (next != nullptr) *next = p_.at_register(p_.part(array, n, group_), kFeature);
    return p_.at_register(p_.part(array, 0, group_), kFeature);
  }
  Operand of_tokens(const char* name, std::uint32_t pair) {
    begin_in_pair(p_, pair);
    return p_.at_register(p_.part(p_.array(name, t_), 0, group_), kToken);
  }
  bool entropy() const { return shape_.op == RowwiseOp::kCrossEntropy; }
  bool gradient_of_norm() const { return shape_.op == RowwiseOp::kLayerNorm && shape_.backward; }

  /// For each group of tokens `before`, then `body` for each feature.
  template <class Before, class Body>
  void each(std::uint32_t features, const Before& before, const Body& body) {
    const std::uint32_t bytes = element_bytes_of(shape_.type);
    w_.set(kToken, P::integer(0));
    w_.set(kFirst, P::integer(0));
    if (entropy()) {
      p_.scalar(VectorOp::kMul, DataType::kInt32, kFirstIndex, P::r(kColumnRegister),
                P::integer(shape_.tile_features()));
      w_.count_scalar();
    }
    w_.repeat(t_ / group_, kGroupsLeft, [&] {
      before();
      w_.set(kFeature, P::r(kFirst));
      w_.set(kFeature32, P::r(kToken));
      w_.set(kParameter, P::integer(0));
      if (entropy()) w_.set(kIndex, P::r(kFirstIndex));
      w_.repeat(features / features_at_once_, kLeft, [&] {
        body();
        w_.add(kFeature, features_at_once_ * stride() * bytes);
        if (entropy()) w_.add(kIndex, 1);
        w_.add(kFeature32, 4 * stride32());
        w_.add(kParameter, 4);
      });
      w_.add(kToken, 4 * group_);
      w_.add(kFirst, bytes * group_);
    });
  }
  void load(std::uint8_t r, const Array& parameters) {
    p_.load(r, P::r(kParameter), DataType::kInt32, P::integer(parameters.address));
    w_.count_scalar();
  }
  /// With activations among the operands.
  void op(VectorOp o, Operand result, Operand a, Operand b, Operand c = {}) {
    w_.vector(o, shape_.type, result, a, b, c, group_);
  }
  void real(VectorOp o, Operand result, Operand a, Operand b, Operand c = {}) {
    w_.vector(o, kFp32, result, a, b, c, group_);
  }
  void clear(Operand v) { w_.vector(VectorOp::kMove, kFp32, v, P::number(0), group_); }
  /// Not at once: three operands in memory are too many.
  void add_product(Operand sum, Operand a, Operand b, DataType type) {
    w_.vector(VectorOp::kMul, type, e_, a, b, group_);
    real(VectorOp::kAdd, sum, sum, e_);
  }
  /// d = 1 where the feature is the target of the token, else 0.
  void is_target() {
    w_.vector(VectorOp::kEqual, DataType::kInt32, d_, target_, P::r(kIndex), group_);
    w_.vector(VectorOp::kFromInt, kFp32, d_, d_, group_);
  }
  void normalised() {
    op(VectorOp::kSub, c_, x_, mean_);
    real(VectorOp::kMul, c_, c_, rstd_);
  }
  /// c = x^2, in two steps, as one would read its operand twice.
  void square() {
    op(VectorOp::kMul, c_, x_, P::number(1));
    op(VectorOp::kMul, c_, c_, x_);
  }
  /// e = 1 / (1 + exp(-2 z)); c holds x^2.
  void sigmoid() {
    real(VectorOp::kFma, c_, c_, P::number(single(kGeluCube)), P::number(1));
    op(VectorOp::kMul, d_, x_, c_);
    real(VectorOp::kMul, d_, d_, P::number(single(-2 * kGeluFactor)));
    math_->exp(c_, d_);
    real(VectorOp::kAdd, d_, c_, P::number(1));
    math_->reciprocal(e_, d_);
  }

  P& p_;
  const RowwiseShape& shape_;
  VectorWriter w_;
  std::unique_ptr<VectorMath> math_;
  const std::uint32_t t_;      ///< tokens of the tile
  const std::uint32_t group_;  ///< of a group
  std::uint32_t near_left_;    ///< bytes
  const float one_;            ///< over the number of features
  Array scale_, shift_, value_;
  std::uint32_t features_at_once_ = 1;
  Operand x_, y_, dy_, next_x_, next_y_, cos_, sin_, target_, loss_, mean_, rstd_, s_, k_, c_, d_,
      e_, powers_, v_;
  Operand second_, of_scale_, of_shift_;  ///< of the value, behind the first
  Operand both_, scale_sum_, shift_sum_, scale_sums_, shift_sums_;
};

}  // namespace wse::tiles
