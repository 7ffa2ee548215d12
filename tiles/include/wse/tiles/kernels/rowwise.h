// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "wse/base/units.h"
#include "wse/tiles/kernels/kernel_job.h"
#include "wse/tiles/memory_map.h"

namespace wse::tiles {

enum class RowwiseOp : std::uint8_t { kLayerNorm, kSoftmax, kGelu, kCrossEntropy, kRotary };
std::string name_of(RowwiseOp op);

/// An operation on activations X[tokens, features], token by token.
struct RowwiseShape {
  fabric::Mesh mesh{1, 1};
  std::uint32_t tokens = 8;
  std::uint32_t features = 8;
  DataType type = DataType::kFp32;  ///< or kMixed: activations of fp16, arithmetic of fp32
  RowwiseOp op = RowwiseOp::kLayerNorm;
  bool backward = false;

  /// Of a tile, with the padding of the last ones.
  std::uint32_t tile_tokens() const { return (tokens + mesh.rows - 1) / mesh.rows; }
  std::uint32_t tile_features() const {
    const std::uint32_t each = (features + mesh.columns - 1) / mesh.columns;
    return op == RowwiseOp::kRotary ? (each + 1) / 2 * 2 : each;
  }
};

/// Layer norm, softmax, GELU, cross-entropy and rotary embedding, forward and backward.
///
/// Layout   features over columns, tokens over rows. A tile holds its features one after the other, the
///          tokens of each side by side; padding takes no part. Scale and shift of the layer norm are
///          one of each a feature.
/// Steps    layer norm  sums over the features of a row of tiles, by two-level chains to its middle tile
///                      and back: of x, then of (x - mean)^2; y = (x - mean) rstd g + b
///          its gradient sums of dy g and of dy g x^, where x^ = (x - mean) rstd, in one message; dx;
///                      dg and db of the tile's tokens are summed up the columns, into the first row
///          softmax     the largest x of a token, then the sum of exp(x - it); backward the sum of y dy
///          cross-entropy  the largest x, then the sum of exp(x - it) and the x of the target: the loss
///                      of each token, in every tile of its row; backward (softmax - target) / tokens
///          rotary      features 2 i and 2 i + 1 are turned by token x 10000^(-2 i / features): nothing is
///                      sent
///          GELU        x / (1 + exp(-2 z)), z = sqrt(2 / pi) (x + 0.044715 x^3): nothing is sent
/// Time     the vector steps and scalar instructions of the fullest tile, counted while the program is
///          written, and the closed forms of its reductions [luczynski2024].
/// Errors   fp32: 2e-5 of the largest value; mixed: 2e-3, as results are rounded to fp16.
class Rowwise final : public KernelJob {
 public:
  static constexpr double kEpsilon = 1e-5;  ///< of the layer norm

  /// Throws ProgramError if the type is kFp16, whose sums would be too coarse.
  /// `map` places any of x, y, dy, mean, rstd, scale, shift, target, loss, and of the gradient of the
  /// layer norm value, which ends with the gradients of scale and shift.
  Rowwise(const RowwiseShape& shape, const MeshConfig& config, std::uint64_t seed,
          const MemoryMap& map = {});

  const Kernel& kernel() const override { return kernel_; }
  base::Cycles predicted() const override { return predicted_; }
  void fill(TileMesh& mesh) const override;
  void compare(Comparison& comparison) const override;
  double error_bound() const { return shape_.type == DataType::kFp32 ? 2e-5 : 2e-3; }

  /// What the kernel computes, in double precision: y of a token, or dx for a given dy.
  static std::vector<double> forward(RowwiseOp op, const std::vector<double>& x,
                                     const std::vector<double>& g, const std::vector<double>& b);
  static std::vector<double> backward(RowwiseOp op, const std::vector<double>& x,
                                      const std::vector<double>& g, const std::vector<double>& dy);

 private:
  Kernel make_kernel();
  std::uint32_t stride() const;
  std::uint32_t features_of(std::uint32_t tile) const;
  double input(std::uint32_t which, std::uint32_t token, std::uint32_t feature) const;
  std::vector<double> token_of(std::uint32_t which, std::uint32_t token) const;
  std::vector<double> given(std::uint32_t token) const;
  std::vector<double> expected(std::uint32_t token) const;
  std::uint32_t target_of(std::uint32_t token) const;
  double angle(std::uint32_t token, std::uint32_t i) const;
  void put_target(TileMesh& mesh, std::uint32_t token) const;
  void put_angles(TileMesh& mesh, std::uint32_t token) const;
  void compare_parameters(Comparison& comparison) const;
  std::vector<double> parameters(std::uint32_t which) const;

  const RowwiseShape shape_;
  const ComputeConfig config_;
  const std::uint64_t seed_;
  const MemoryMap map_;
  base::Cycles predicted_ = 0;
  Kernel kernel_;
};

}  // namespace wse::tiles
