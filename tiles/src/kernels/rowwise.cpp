// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/kernels/rowwise.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "axpy_layout.h"
#include "plan.h"
#include "rowwise_program.h"

namespace wse::tiles {
namespace {

enum Which : std::uint32_t { kX, kScale, kShift, kDy, kTarget };

/// Mean and one over the standard deviation.
std::pair<double, double> moments(const std::vector<double>& x) {
  const auto n = static_cast<double>(x.size());
  double mean = 0;
  double squares = 0;
  for (const double value : x) mean += value / n;
  for (const double value : x) squares += (value - mean) * (value - mean) / n;
  return {mean, 1 / std::sqrt(squares + Rowwise::kEpsilon)};
}

}  // namespace

std::string name_of(RowwiseOp op) {
  switch (op) {
    case RowwiseOp::kLayerNorm:
      return "layernorm";
    case RowwiseOp::kSoftmax:
      return "softmax";
    case RowwiseOp::kGelu:
      return "gelu";
    case RowwiseOp::kCrossEntropy:
      return "cross-entropy";
    case RowwiseOp::kRotary:
      return "rotary";
  }
  return {};
}

Rowwise::Rowwise(const RowwiseShape& shape, const MeshConfig& config, std::uint64_t seed,
                 const MemoryMap& map)
    : shape_(shape), config_(config.compute), seed_(seed), map_(map), kernel_(make_kernel()) {}

/// From a feature to the next one.
std::uint32_t Rowwise::stride() const { return map_.stride_or(RowwiseProgram::stride(shape_)); }

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
  if (shape_.op == RowwiseOp::kRotary && shape_.features % 2 != 0) {
    throw ProgramError(name + ": features are turned in pairs, their number must be even");
  }
  const fabric::Mesh mesh = shape_.mesh;
  const std::uint32_t t = RowwiseProgram::tokens(shape_);
  CollectiveShape values;
  values.mesh = mesh;
  values.words = RowwiseProgram::value_elements(shape_);
  check_stride(map_, name, shape_.type, t);
  CollectivePlan plan(CollectiveKind::kAllreduce, values, name);
  plan.place(map_);
  std::unique_ptr<RowwiseProgram> program;
  base::Cycles longest = 0;
  const auto finish = [&] { longest = std::max(longest, program ? program->cycles() : 0); };
  plan.arrays([&](ProgramBuilder& p) {
    finish();
    program = std::make_unique<RowwiseProgram>(p, shape_, config_);
    return program->value();
  });
  base::Cycles messages = 0;
  const auto work = [&](void (RowwiseProgram::*what)(std::uint32_t)) {
    plan.work(
        [&program, what](ProgramBuilder&, std::uint32_t features) { (*program.*what)(features); },
        [this](std::uint32_t tile) { return features_of(tile); });
  };
  const auto allreduce = [&](std::uint32_t words) {
    plan.part(0, words);
    plan.allreduce_rows();
    messages += predicted_allreduce_row(mesh.columns, words);
  };
  if (shape_.op == RowwiseOp::kRotary) {
    work(&RowwiseProgram::rotate);
  } else if (shape_.op == RowwiseOp::kCrossEntropy) {
    work(&RowwiseProgram::largest);
    plan.combine(VectorOp::kMax);
    allreduce(t);
    plan.combine(VectorOp::kAdd);
    work(shape_.backward ? &RowwiseProgram::sum_powers : &RowwiseProgram::sum_of_targets);
    allreduce(shape_.backward ? t : 2 * t);
    work(shape_.backward ? &RowwiseProgram::loss_gradient : &RowwiseProgram::loss);
  } else if (shape_.op == RowwiseOp::kGelu) {
    work(shape_.backward ? &RowwiseProgram::gelu_gradient : &RowwiseProgram::gelu);
  } else if (shape_.op == RowwiseOp::kSoftmax && !shape_.backward) {
    work(&RowwiseProgram::largest);
    plan.combine(VectorOp::kMax);
    allreduce(t);
    work(&RowwiseProgram::sum_powers);
    plan.combine(VectorOp::kAdd);
    allreduce(t);
    work(&RowwiseProgram::divide);
  } else if (shape_.op == RowwiseOp::kSoftmax) {
    work(&RowwiseProgram::sum_products);
    allreduce(t);
    work(&RowwiseProgram::softmax_gradient);
  } else if (!shape_.backward) {
    work(&RowwiseProgram::sum);
    allreduce(t);
    work(&RowwiseProgram::sum_squares);
    allreduce(t);
    work(&RowwiseProgram::normalise);
  } else {
    constexpr std::uint8_t kUp = 9;  // two colors
    work(&RowwiseProgram::norm_sums);
    allreduce(2 * t);
    const std::uint32_t gradients = 2 * shape_.tile_features();
    plan.part(2 * t, gradients);
    for (std::uint32_t x = 0; x < mesh.columns; ++x) {
      plan.chain(Line::column(mesh, x, 0, mesh.rows - 1), kUp);
    }
    messages += mesh.rows > 1 ? predicted_chain(mesh.rows, gradients) : 0;
    work(&RowwiseProgram::norm_gradient);
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
  return rounded(which == kX ? 3 * value : value, element_bytes_of(shape_.type));
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
  for (double& value : x) value = rounded(value, element_bytes_of(shape_.type));
  return x;
}

std::vector<double> Rowwise::forward(RowwiseOp op, const std::vector<double>& x,
                                     const std::vector<double>& g, const std::vector<double>& b) {
  std::vector<double> y(x.size());
  if (op == RowwiseOp::kGelu) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double z =
          RowwiseProgram::kGeluFactor * (x[i] + RowwiseProgram::kGeluCube * x[i] * x[i] * x[i]);
      y[i] = x[i] / (1 + std::exp(-2 * z));
    }
  } else if (op == RowwiseOp::kSoftmax) {
    const double largest = *std::max_element(x.begin(), x.end());
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += y[i] = std::exp(x[i] - largest);
    for (double& value : y) value /= sum;
  } else {
    const auto [mean, rstd] = moments(x);
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
      const double z =
          RowwiseProgram::kGeluFactor * (x[i] + RowwiseProgram::kGeluCube * x[i] * x[i] * x[i]);
      const double s = 1 / (1 + std::exp(-2 * z));
      const double slope =
          RowwiseProgram::kGeluFactor * (1 + 3 * RowwiseProgram::kGeluCube * x[i] * x[i]);
      dx[i] = dy[i] * (s + 2 * x[i] * s * (1 - s) * slope);
    }
  } else if (op == RowwiseOp::kSoftmax) {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * dy[i];
    for (std::size_t i = 0; i < x.size(); ++i) dx[i] = x[i] * (dy[i] - sum);
  } else {
    const auto [mean, rstd] = moments(x);
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

std::uint32_t Rowwise::target_of(std::uint32_t token) const {
  const double place = (random_number(seed_, std::uint64_t{kTarget} << 32, token) + 1.0) / 2;
  return std::min(static_cast<std::uint32_t>(place * shape_.features), shape_.features - 1);
}

void Rowwise::put_target(TileMesh& mesh, std::uint32_t token) const {
  const std::uint32_t t = RowwiseProgram::tokens(shape_);
  const Array array = *kernel_.programs.front().find_array("target");
  const std::uint32_t target = target_of(token);
  for (std::uint32_t column = 0; column < shape_.mesh.columns; ++column) {
    mesh.write(shape_.mesh.tile(column, token / t), array.address + token % t * 4, &target, 4);
  }
}

/// Of the features 2 i and 2 i + 1 of a token.
double Rowwise::angle(std::uint32_t token, std::uint32_t i) const {
  return token * std::pow(10'000, -2.0 * i / shape_.features);
}

void Rowwise::put_angles(TileMesh& mesh, std::uint32_t token) const {
  const std::uint32_t t = RowwiseProgram::tokens(shape_);
  const std::uint32_t each = shape_.tile_features() / 2;
  const Program& any = kernel_.programs.front();
  const std::uint32_t stride = any.find_array("cos")->elements / each;
  for (std::uint32_t i = 0; i < shape_.features / 2; ++i) {
    const std::uint32_t tile = shape_.mesh.tile(i / each, token / t);
    const std::uint32_t place = i % each * stride + token % t;
    write_numbers(mesh, tile, *any.find_array("cos"), {std::cos(angle(token, i))}, place);
    write_numbers(mesh, tile, *any.find_array("sin"), {std::sin(angle(token, i))}, place);
  }
}

/// Features of a token after the operation, or their gradients.
std::vector<double> Rowwise::expected(std::uint32_t token) const {
  const std::vector<double> x = given(token);
  if (shape_.op == RowwiseOp::kRotary) {
    std::vector<double> y(x.size());
    for (std::uint32_t i = 0; i < x.size() / 2; ++i) {
      const double c = rounded(std::cos(angle(token, i)), 4);
      const double s = rounded(std::sin(angle(token, i)), 4) * (shape_.backward ? -1 : 1);
      y[2 * i] = x[2 * i] * c - x[2 * i + 1] * s;
      y[2 * i + 1] = x[2 * i] * s + x[2 * i + 1] * c;
    }
    return y;
  }
  if (shape_.op == RowwiseOp::kCrossEntropy) {
    std::vector<double> y = forward(RowwiseOp::kSoftmax, x, {}, {});
    if (!shape_.backward) return {-std::log(y[target_of(token)])};
    y[target_of(token)] -= 1;
    for (double& value : y) value /= shape_.tokens;
    return y;
  }
  if (!shape_.backward) return forward(shape_.op, x, parameters(kScale), parameters(kShift));
  return backward(shape_.op, x, parameters(kScale), token_of(kDy, token));
}

void Rowwise::fill(TileMesh& mesh) const {
  const std::uint32_t t = RowwiseProgram::tokens(shape_);
  const std::uint32_t each = shape_.tile_features();
  const Program& any = kernel_.programs.front();
  const auto array = [&](const char* name) { return *any.find_array(name); };
  const auto put = [&](const std::vector<double>& token, std::uint32_t number, const char* name) {
    for (std::uint32_t f = 0; f < shape_.features; ++f) {
      const std::uint32_t tile = shape_.mesh.tile(f / each, number / t);
      write_numbers(mesh, tile, array(name), {token[f]}, f % each * stride() + number % t);
    }
  };
  for (std::uint32_t token = 0; token < shape_.tokens; ++token) {
    const std::vector<double> x = given(token);
    put(x, token, "x");
    if (shape_.op == RowwiseOp::kCrossEntropy) put_target(mesh, token);
    if (shape_.op == RowwiseOp::kRotary) put_angles(mesh, token);
    if (!RowwiseProgram::has_dy(shape_)) continue;
    put(token_of(kDy, token), token, "dy");
    if (shape_.op != RowwiseOp::kLayerNorm) continue;
    const auto [mean, rstd] = moments(x);
    for (std::uint32_t column = 0; column < shape_.mesh.columns; ++column) {
      const std::uint32_t tile = shape_.mesh.tile(column, token / t);
      write_numbers(mesh, tile, array("mean"), {mean}, token % t);
      write_numbers(mesh, tile, array("rstd"), {rstd}, token % t);
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
  const std::uint32_t t = RowwiseProgram::tokens(shape_);
  const std::uint32_t each = shape_.tile_features();
  const Program& any = kernel_.programs.front();
  const bool is_loss = shape_.op == RowwiseOp::kCrossEntropy && !shape_.backward;
  for (std::uint32_t token = 0; token < shape_.tokens; ++token) {
    const std::vector<double> y = expected(token);
    for (std::uint32_t column = 0; is_loss && column < shape_.mesh.columns; ++column) {
      comparison.add(shape_.mesh.tile(column, token / t), *any.find_array("loss"), y, token % t);
    }
    for (std::uint32_t f = 0; !is_loss && f < shape_.features; ++f) {
      comparison.add(shape_.mesh.tile(f / each, token / t), *any.find_array("y"), {y[f]},
                     f % each * stride() + token % t);
    }
  }
  if (shape_.op == RowwiseOp::kLayerNorm && shape_.backward) compare_parameters(comparison);
}

/// Gradients of scale and shift, in the first row of tiles.
void Rowwise::compare_parameters(Comparison& comparison) const {
  const std::uint32_t t = RowwiseProgram::tokens(shape_);
  const std::uint32_t each = shape_.tile_features();
  const std::vector<double> ones(shape_.features, 1);
  const std::vector<double> zeros(shape_.features, 0);
  std::vector<double> of_scale = zeros;
  std::vector<double> of_shift = zeros;
  for (std::uint32_t token = 0; token < shape_.tokens; ++token) {
    const std::vector<double> normalised =
        forward(RowwiseOp::kLayerNorm, given(token), ones, zeros);
    for (std::uint32_t f = 0; f < shape_.features; ++f) {
      of_scale[f] += input(kDy, token, f) * normalised[f];
      of_shift[f] += input(kDy, token, f);
    }
  }
  const Array value = *kernel_.programs.front().find_array("value");
  for (std::uint32_t f = 0; f < shape_.features; ++f) {
    const std::uint32_t tile = shape_.mesh.tile(f / each, 0);
    comparison.add(tile, value, {of_scale[f]}, 2 * t + f % each);
    comparison.add(tile, value, {of_shift[f]}, 2 * t + each + f % each);
  }
}

}  // namespace wse::tiles
