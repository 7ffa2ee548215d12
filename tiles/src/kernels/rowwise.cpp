// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/kernels/rowwise.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "axpy_layout.h"
#include "plan.h"
#include "vector_math.h"

namespace wse::tiles {
namespace {

using P = ProgramBuilder;

constexpr DataType kFp32 = DataType::kFp32;
constexpr double kGeluFactor = 0.7978845608028654;  // sqrt(2 / pi)
constexpr double kGeluCube = 0.044715;

enum Which : std::uint32_t { kX, kScale, kShift, kDy };

float single(double value) { return static_cast<float>(value); }

/// The program of a tile while it is written. Tokens are worked through in groups so small that vectors
/// of a group fit the buffer beside the datapath.
class TileProgram {
 public:
  TileProgram(P& p, const RowwiseShape& shape, const ComputeConfig& config)
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
    x_ = activations("x", 0);
    y_ = activations("y", 0);
    if (shape.backward) dy_ = activations("dy", 2);
    if (shape.op == RowwiseOp::kSoftmax && !shape.backward) {
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
    if (gradient_of_norm()) {
      w_of_scale_ = p.at_register(p.part(value_, t_, group_), kToken);
      of_scale_ = p.at_register(p.part(value_, 2 * t_, 1), kParameter);
      of_shift_ = p.at_register(p.part(value_, 2 * t_ + f, 1), kParameter);
    }
  }

  /// Tokens of a tile, padded to groups of equal size, and their number in a group.
  static std::uint32_t tokens(const RowwiseShape& s) {
    return group(s) * static_cast<std::uint32_t>(base::ceil_div(s.tile_tokens(), group(s)));
  }
  static std::uint32_t group(const RowwiseShape& s) {
    constexpr std::uint32_t kMost = 16;
    const std::uint64_t groups = base::ceil_div(s.tile_tokens(), kMost);
    return static_cast<std::uint32_t>(base::ceil_div(s.tile_tokens(), groups));
  }
  /// Elements from a feature to the next one: a turn of the banks.
  static std::uint32_t stride(const RowwiseShape& s) {
    return round_up(tokens(s), kBankTurn / element_bytes_of(s.type));
  }
  /// Of the value: sums of tokens; the gradient of a layer norm: two a token, two a feature.
  static std::uint32_t value_elements(const RowwiseShape& s) {
    const std::uint32_t t = tokens(s);
    const bool norm = s.op == RowwiseOp::kLayerNorm && s.backward;
    return norm ? 2 * t + 2 * s.tile_features() : t;
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
          accumulate(VectorOp::kFma, scale_sums_, dy_, c_, scale_sums_);
          accumulate(VectorOp::kAdd, shift_sums_, shift_sums_, dy_, {});
          w_.vector(VectorOp::kAdd, kFp32, of_scale_, of_scale_, scale_sum_, 1);
          w_.vector(VectorOp::kAdd, kFp32, of_shift_, of_shift_, shift_sum_, 1);
          load(kScaleRegister, scale_);
          op(VectorOp::kMul, d_, dy_, P::r(kScaleRegister));
          real(VectorOp::kAdd, v_, v_, d_);
          add_product(w_of_scale_, d_, c_, kFp32);
        });
  }
  void norm_gradient(std::uint32_t features) {
    const auto means = [&] {
      real(VectorOp::kMul, v_, v_, P::number(one_));
      real(VectorOp::kMul, w_of_scale_, w_of_scale_, P::number(one_));
    };
    each(features, means, [&] {
      normalised();
      load(kScaleRegister, scale_);
      op(VectorOp::kMul, d_, dy_, P::r(kScaleRegister));
      real(VectorOp::kSub, d_, d_, v_);
      real(VectorOp::kMul, c_, c_, w_of_scale_);
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
    kShiftRegister
  };

  /// Scratch vectors, those that meet most first.
  static std::string order(const RowwiseShape& s) {
    if (s.op == RowwiseOp::kLayerNorm) return s.backward ? "cdesk" : "ceskd";
    if (s.op == RowwiseOp::kSoftmax) return s.backward ? "ceskd" : "skcde";
    return "skcde";
  }

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
  Operand activations(const char* name, std::uint32_t pair) {
    begin_in_pair(p_, pair);
    const std::uint8_t bytes = element_bytes_of(shape_.type);
    const Array array = p_.array(name, shape_.tile_features() * stride(shape_), bytes);
    return p_.at_register(p_.part(array, 0, group_), kFeature);
  }
  Operand of_tokens(const char* name, std::uint32_t pair) {
    begin_in_pair(p_, pair);
    return p_.at_register(p_.part(p_.array(name, t_), 0, group_), kToken);
  }
  bool gradient_of_norm() const { return shape_.op == RowwiseOp::kLayerNorm && shape_.backward; }

  /// For each group of tokens `before`, then `body` for each feature.
  template <class Before, class Body>
  void each(std::uint32_t features, const Before& before, const Body& body) {
    const std::uint32_t bytes = element_bytes_of(shape_.type);
    set(kToken, P::integer(0));
    set(kFirst, P::integer(0));
    w_.repeat(t_ / group_, kGroupsLeft, [&] {
      before();
      set(kFeature, P::r(kFirst));
      set(kFeature32, P::r(kToken));
      set(kParameter, P::integer(0));
      w_.repeat(features, kLeft, [&] {
        body();
        add(kFeature, stride(shape_) * bytes);
        add(kFeature32, 4 * stride32());
        add(kParameter, 4);
      });
      add(kToken, 4 * group_);
      add(kFirst, bytes * group_);
    });
  }
  void set(std::uint8_t r, Operand value) {
    p_.set(r, value);
    w_.count_scalar();
  }
  void add(std::uint8_t r, std::uint32_t n) {
    p_.scalar(VectorOp::kAdd, DataType::kInt32, r, P::r(r), P::integer(n));
    w_.count_scalar();
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
  /// Into one number: an element a step.
  void accumulate(VectorOp o, Operand result, Operand a, Operand b, Operand c) {
    p_.vector(o, shape_.type, result, a, b, c, P::integer(group_));
    w_.count_steps(group_);
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
  Operand x_, y_, dy_, mean_, rstd_, s_, k_, c_, d_, e_, powers_, v_;
  Operand w_of_scale_, of_scale_, of_shift_;  ///< of the value
  Operand both_, scale_sum_, shift_sum_, scale_sums_, shift_sums_;
};

}  // namespace

std::string name_of(RowwiseOp op) {
  switch (op) {
    case RowwiseOp::kLayerNorm:
      return "layernorm";
    case RowwiseOp::kSoftmax:
      return "softmax";
    case RowwiseOp::kGelu:
      return "gelu";
  }
  return {};
}

Rowwise::Rowwise(const RowwiseShape& shape, const MeshConfig& config, std::uint64_t seed)
    : shape_(shape), config_(config.compute), seed_(seed), kernel_(make_kernel()) {}

std::uint32_t Rowwise::features_of(std::uint32_t tile) const {
  const std::uint32_t each = shape_.tile_features();
  const std::uint32_t first = shape_.mesh.at(tile).x * each;
  return first >= shape_.features ? 0 : std::min(each, shape_.features - first);
}

Kernel Rowwise::make_kernel() {
  const std::string name = name_of(shape_.op) + (shape_.backward ? " gradient" : "");
  if (shape_.type == DataType::kFp16) {
    throw ProgramError(name + ": sums of fp16 are too coarse; mixed keeps activations of fp16");
  }
  const fabric::Mesh mesh = shape_.mesh;
  const std::uint32_t t = TileProgram::tokens(shape_);
  CollectiveShape values;
  values.mesh = mesh;
  values.words = TileProgram::value_elements(shape_);
  CollectivePlan plan(CollectiveKind::kAllreduce, values, name);
  std::unique_ptr<TileProgram> program;
  base::Cycles longest = 0;
  const auto finish = [&] { longest = std::max(longest, program ? program->cycles() : 0); };
  plan.arrays([&](P& p) {
    finish();
    program = std::make_unique<TileProgram>(p, shape_, config_);
    return program->value();
  });
  base::Cycles messages = 0;
  const auto work = [&](void (TileProgram::*what)(std::uint32_t)) {
    plan.work([&program, what](P&, std::uint32_t features) { (*program.*what)(features); },
              [this](std::uint32_t tile) { return features_of(tile); });
  };
  const auto allreduce = [&](std::uint32_t words) {
    plan.part(0, words);
    plan.allreduce_rows();
    messages += predicted_allreduce_row(mesh.columns, words);
  };
  if (shape_.op == RowwiseOp::kGelu) {
    work(shape_.backward ? &TileProgram::gelu_gradient : &TileProgram::gelu);
  } else if (shape_.op == RowwiseOp::kSoftmax && !shape_.backward) {
    work(&TileProgram::largest);
    plan.combine(VectorOp::kMax);
    allreduce(t);
    work(&TileProgram::sum_powers);
    plan.combine(VectorOp::kAdd);
    allreduce(t);
    work(&TileProgram::divide);
  } else if (shape_.op == RowwiseOp::kSoftmax) {
    work(&TileProgram::sum_products);
    allreduce(t);
    work(&TileProgram::softmax_gradient);
  } else if (!shape_.backward) {
    work(&TileProgram::sum);
    allreduce(t);
    work(&TileProgram::sum_squares);
    allreduce(t);
    work(&TileProgram::normalise);
  } else {
    constexpr std::uint8_t kUp = 9;  // two colors
    work(&TileProgram::norm_sums);
    allreduce(2 * t);
    const std::uint32_t gradients = 2 * shape_.tile_features();
    plan.part(2 * t, gradients);
    for (std::uint32_t x = 0; x < mesh.columns; ++x) {
      plan.chain(Line::column(mesh, x, 0, mesh.rows - 1), kUp);
    }
    messages += mesh.rows > 1 ? predicted_chain(mesh.rows, gradients) : 0;
    work(&TileProgram::norm_gradient);
  }
  Kernel kernel = plan.build(values.words, values.words).kernel;
  finish();
  predicted_ = longest + messages;
  return kernel;
}

// Data ----------------------------------------------------------------------------------------------

double Rowwise::input(std::uint32_t which, std::uint32_t token, std::uint32_t feature) const {
  const std::uint64_t stream = std::uint64_t{which} << 32 | token;
  const double value = random_number(seed_, stream, feature);
  if (which == kScale || which == kShift) return rounded(value, 4);
  return rounded(which == kX ? 3 * value : value, shape_.type == kFp32 ? 4 : 2);
}

std::vector<double> Rowwise::token_of(std::uint32_t which, std::uint32_t token) const {
  std::vector<double> values;
  for (std::uint32_t f = 0; f < shape_.features; ++f) values.push_back(input(which, token, f));
  return values;
}

std::vector<double> Rowwise::parameters(std::uint32_t which) const { return token_of(which, 0); }

/// The activations that a token has in the array "x": of the gradient of softmax its results.
std::vector<double> Rowwise::given(std::uint32_t token) const {
  std::vector<double> x = token_of(kX, token);
  if (shape_.op != RowwiseOp::kSoftmax || !shape_.backward) return x;
  x = forward(shape_.op, x, {}, {});
  for (double& value : x) value = rounded(value, shape_.type == kFp32 ? 4 : 2);
  return x;
}

std::vector<double> Rowwise::forward(RowwiseOp op, const std::vector<double>& x,
                                     const std::vector<double>& g, const std::vector<double>& b) {
  std::vector<double> y(x.size());
  const auto n = static_cast<double>(x.size());
  if (op == RowwiseOp::kGelu) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double z = kGeluFactor * (x[i] + kGeluCube * x[i] * x[i] * x[i]);
      y[i] = x[i] / (1 + std::exp(-2 * z));
    }
  } else if (op == RowwiseOp::kSoftmax) {
    const double largest = *std::max_element(x.begin(), x.end());
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += y[i] = std::exp(x[i] - largest);
    for (double& value : y) value /= sum;
  } else {
    double mean = 0;
    double squares = 0;
    for (const double value : x) mean += value / n;
    for (const double value : x) squares += (value - mean) * (value - mean) / n;
    const double rstd = 1 / std::sqrt(squares + kEpsilon);
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = (x[i] - mean) * rstd * g[i] + b[i];
  }
  return y;
}

/// For softmax `x` are its results.
std::vector<double> Rowwise::backward(RowwiseOp op, const std::vector<double>& x,
                                      const std::vector<double>& g, const std::vector<double>& dy) {
  std::vector<double> dx(x.size());
  const auto n = static_cast<double>(x.size());
  if (op == RowwiseOp::kGelu) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double z = kGeluFactor * (x[i] + kGeluCube * x[i] * x[i] * x[i]);
      const double s = 1 / (1 + std::exp(-2 * z));
      const double slope = kGeluFactor * (1 + 3 * kGeluCube * x[i] * x[i]);
      dx[i] = dy[i] * (s + 2 * x[i] * s * (1 - s) * slope);
    }
  } else if (op == RowwiseOp::kSoftmax) {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * dy[i];
    for (std::size_t i = 0; i < x.size(); ++i) dx[i] = x[i] * (dy[i] - sum);
  } else {
    double mean = 0;
    double squares = 0;
    for (const double value : x) mean += value / n;
    for (const double value : x) squares += (value - mean) * (value - mean) / n;
    const double rstd = 1 / std::sqrt(squares + kEpsilon);
    double sum = 0;
    double with_x = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      sum += dy[i] * g[i] / n;
      with_x += dy[i] * g[i] * (x[i] - mean) * rstd / n;
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      dx[i] = rstd * (dy[i] * g[i] - sum - (x[i] - mean) * rstd * with_x);
    }
  }
  return dx;
}

void Rowwise::fill(TileMesh& mesh) const {
  const std::uint32_t t = TileProgram::tokens(shape_);
  const std::uint32_t each = shape_.tile_features();
  const Program& any = kernel_.programs.front();
  const auto array = [&](const char* name) { return *any.find_array(name); };
  const auto put = [&](const std::vector<double>& token, std::uint32_t number, const char* name) {
    for (std::uint32_t f = 0; f < shape_.features; ++f) {
      const std::uint32_t tile = shape_.mesh.tile(f / each, number / t);
      write_numbers(mesh, tile, array(name), {token[f]},
                    f % each * TileProgram::stride(shape_) + number % t);
    }
  };
  for (std::uint32_t token = 0; token < shape_.tokens; ++token) {
    const std::vector<double> x = given(token);
    put(x, token, "x");
    if (!shape_.backward) continue;
    put(token_of(kDy, token), token, "dy");
    if (shape_.op != RowwiseOp::kLayerNorm) continue;
    double mean = 0;
    double squares = 0;
    for (const double value : x) mean += value / shape_.features;
    for (const double value : x) squares += (value - mean) * (value - mean) / shape_.features;
    for (std::uint32_t column = 0; column < shape_.mesh.columns; ++column) {
      const std::uint32_t tile = shape_.mesh.tile(column, token / t);
      write_numbers(mesh, tile, array("mean"), {mean}, token % t);
      write_numbers(mesh, tile, array("rstd"), {1 / std::sqrt(squares + kEpsilon)}, token % t);
    }
  }
  for (std::uint32_t tile = 0; tile < shape_.mesh.tiles(); ++tile) {
    for (std::uint32_t i = 0; i < features_of(tile); ++i) {
      const std::uint32_t f = shape_.mesh.at(tile).x * each + i;
      write_numbers(mesh, tile, array("scale"), {input(kScale, 0, f)}, i);
      write_numbers(mesh, tile, array("shift"), {input(kShift, 0, f)}, i);
    }
  }
}

void Rowwise::compare(Comparison& comparison) const {
  const std::uint32_t t = TileProgram::tokens(shape_);
  const std::uint32_t each = shape_.tile_features();
  const Program& any = kernel_.programs.front();
  const std::vector<double> g = parameters(kScale);
  const std::vector<double> b = parameters(kShift);
  std::vector<double> dg(shape_.features, 0);
  std::vector<double> db(shape_.features, 0);
  for (std::uint32_t token = 0; token < shape_.tokens; ++token) {
    const std::vector<double> x = given(token);
    const std::vector<double> dy = token_of(kDy, token);
    const std::vector<double> y =
        shape_.backward ? backward(shape_.op, x, g, dy) : forward(shape_.op, x, g, b);
    for (std::uint32_t f = 0; f < shape_.features; ++f) {
      comparison.add(shape_.mesh.tile(f / each, token / t), *any.find_array("y"), {y[f]},
                     f % each * TileProgram::stride(shape_) + token % t);
    }
    const std::vector<double> normalised =
        forward(RowwiseOp::kLayerNorm, x, std::vector<double>(x.size(), 1),
                std::vector<double>(x.size(), 0));
    for (std::uint32_t f = 0; f < shape_.features; ++f) {
      dg[f] += dy[f] * normalised[f];
      db[f] += dy[f];
    }
  }
  if (shape_.op != RowwiseOp::kLayerNorm || !shape_.backward) return;
  for (std::uint32_t f = 0; f < shape_.features; ++f) {
    const std::uint32_t tile = shape_.mesh.tile(f / each, 0);
    const Array value = *any.find_array("value");
    comparison.add(tile, value, {dg[f]}, 2 * t + f % each);
    comparison.add(tile, value, {db[f]}, 2 * t + each + f % each);
  }
}

}  // namespace wse::tiles
