// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wse/base/units.h"
#include "wse/tiles/cost_terms.h"
#include "wse/tiles/kernels/kernel_job.h"
#include "wse/tiles/memory_map.h"

namespace wse::tiles {

/// Y = X W by weight streaming, Y[tokens, outputs], X[tokens, inputs], W[inputs, outputs].
struct StreamedGemmShape {
  fabric::Mesh mesh{1,
                    1};  ///< of tiles with activations; a row that brings weights lies before them
  std::uint32_t tokens = 8;
  std::uint32_t inputs = 8;
  std::uint32_t outputs = 8;
  DataType type = DataType::kMixed;
  /// Share of the weights that are not zero, in 0 < density <= 1; others are not sent.
  double density = 1;
  /// The gradient of the inputs of Y = X W: inputs of this GEMM are gradients of Y, outputs those of X.
  bool transposed = false;

  /// The column whose tiles keep an output: outputs lie by rank in a ring folded onto the row.
  std::uint32_t column_of_output(std::uint32_t output) const;
  /// Of a tile, with the padding of the last one: multiples of the lanes.
  std::uint32_t tile_tokens() const;
  std::uint32_t tile_inputs() const { return (inputs + mesh.columns - 1) / mesh.columns; }
  std::uint32_t tile_outputs() const { return (outputs + mesh.columns - 1) / mesh.columns; }
};

/// GEMM with weights that are streamed and activations that stay.
///
/// Layout   features over columns, tokens over rows. The kernel has a row more than the shape: row 0 holds
///          the weights of its column, output by output, and stands for the lanes that bring them. The tile
///          in column x and row y > 0 holds tokens [(y - 1) t, y t) of block b of X and of Y, feature by feature, where
///          b is the rank of x in a ring folded onto the row (0, 2, 4, .. and back over the odd columns).
/// Steps    a weight is broadcast down its column and starts a vector operation in every tile: acc +=
///          w x[feature]. When the weights of an output are done, its sums travel around the ring of the
///          row to the tile that owns the output, each tile adds its own, on a microthread while the
///          weights of the next output arrive. Accumulators are in the buffer beside the datapath if two
///          of them fit it, else in the SRAM. A weight is a wavelet, of a sparse one the upper half is
///          the address of its feature; a control wavelet ends an output then.
/// Time     weights a column x (ceil(t / lanes) + 1), as CostTerms has it, + outputs x ceil(t / 2), fp32:
///          t, as a wavelet holds two sums of fp16; without what fills the ring and the columns. Sparse:
///          the same for each output, with the rank that has most weights of it.
/// Errors   fp32 1e-5 of the largest value. mixed: sums of a tile in fp32, between tiles in fp16. fp16:
///          all sums in fp16. Both: 2^-11 sqrt(roundings) of the largest value, see error_bound().
/// Gradient dX = dY W^T is the same kernel: the lanes stream the same weights, input by input.
/// Source   [lie2022], [s1c].
class StreamedGemm final : public KernelJob {
 public:
  /// Throws ProgramError if a tile or a weight column does not hold its share.
  /// `map` places x and y.
  StreamedGemm(const StreamedGemmShape& shape, const MeshConfig& config, std::uint64_t seed,
               const MemoryMap& map = {});

  const Kernel& kernel() const override { return kernel_; }
  void fill(TileMesh& mesh) const override;
  void compare(Comparison& comparison) const override;
  base::Rectangle working_tiles() const override;

  /// By the terms above, with the weights of the fullest column.
  base::Cycles predicted() const override;
  /// Of results, relative to the largest.
  double error_bound() const;
  /// Of W, or of W transposed.
  double weight(std::uint32_t input, std::uint32_t output) const;
  /// Weights that are sent down a column.
  std::uint64_t weights_of_column(std::uint32_t x) const;

 private:
  struct Weight {
    std::uint32_t input;  ///< among those of the rank
    double value;
  };
  void make_data();
  CostTerms cost_terms() const;
  base::Cycles predicted_sparse(const CostTerms& terms) const;
  std::vector<Weight> make_weights(std::uint32_t rank, std::uint32_t output) const;
  const std::vector<Weight>& weights(std::uint32_t rank, std::uint32_t output) const {
    return weight_data_[std::size_t{output} * shape_.mesh.columns + rank];
  }
  std::uint32_t all_outputs() const { return shape_.tile_outputs() * shape_.mesh.columns; }
  std::uint32_t all_tokens() const { return shape_.tile_tokens() * shape_.mesh.rows; }
  void route();
  Program weight_program() const;

  const StreamedGemmShape shape_;
  const ComputeConfig config_;
  const std::uint32_t queue_depth_;  ///< of routers
  const TileConfig tile_;
  const std::uint64_t seed_;
  const MemoryMap map_;
  std::vector<double> activations_;               ///< by feature, by token
  std::vector<std::vector<Weight>> weight_data_;  ///< by output, by rank
  Kernel kernel_;
  Array x_, y_, weights_, counts_;
};

}  // namespace wse::tiles
