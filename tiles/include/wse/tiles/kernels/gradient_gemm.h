// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wse/base/units.h"
#include "wse/tiles/kernels/kernel_job.h"
#include "wse/tiles/memory_map.h"

namespace wse::tiles {

/// dW = X^T dY, X[tokens, inputs], dY[tokens, outputs], dW[inputs, outputs].
struct GradientGemmShape {
  fabric::Mesh mesh{1,
                    1};  ///< of tiles with activations; a row that takes gradients lies before them
  std::uint32_t tokens = 8;
  std::uint32_t inputs = 8;
  std::uint32_t outputs = 8;
  DataType type = DataType::kMixed;

  /// Of a tile, with padding; tokens: whole wavelets.
  std::uint32_t tile_tokens() const;
  std::uint32_t tile_inputs() const;
  std::uint32_t tile_outputs() const { return (outputs + mesh.columns - 1) / mesh.columns; }
};

/// The gradient of the weights of a GEMM by weight streaming.
///
/// Layout   features over columns, tokens over rows; a tile holds its part of X and of dY, feature by
///          feature. Row 0 of the kernel stands for the lanes that take the gradients: the tile in column x
///          ends with those of all outputs for the inputs of its column.
/// Steps    the columns send dY along their rows, one after the other. For each output a tile receives
///          its tokens and takes their product with each of its inputs; the sums of all tokens travel up
///          the column, each tile adds its own, on a microthread while the next output is multiplied.
/// Time     outputs x (inputs of a tile x ceil(t / lanes) + 2 x wavelets of t tokens, received by all and
///          sent by the owner, + wavelets of the sums + clearing them), without what fills rows and columns.
/// Errors   fp32, and mixed with sums in fp32: 1e-5 of the largest value; fp16: 2^-11 sqrt(tokens).
/// Source   [lie2022].
class GradientGemm final : public KernelJob {
 public:
  /// `map` places x and dy.
  GradientGemm(const GradientGemmShape& shape, const MeshConfig& config, std::uint64_t seed,
               const MemoryMap& map = {});

  const Kernel& kernel() const override { return kernel_; }
  base::Cycles predicted() const override;
  void fill(TileMesh& mesh) const override;
  void compare(Comparison& comparison) const override;
  base::Rectangle working_tiles() const override;
  double error_bound() const;

 private:
  void route();
  Program collector(std::uint32_t column) const;
  double number(std::uint32_t which, std::uint32_t feature, std::uint32_t token) const;

  const GradientGemmShape shape_;
  const ComputeConfig config_;
  const std::uint64_t seed_;
  const MemoryMap map_;
  Kernel kernel_;
  Array x_, dy_, dw_;
};

}  // namespace wse::tiles
