// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "wse/base/units.h"
#include "wse/tiles/kernels/kernel_job.h"

namespace wse::tiles {

/// A rectangle of the tiles that multiply a block of a matrix by weight streaming, Y = X W.
struct WindowGemmShape {
  std::uint32_t ring = 1;       ///< columns over which the inputs lie; sums of a row go around them
  base::Span columns{0, 1};     ///< of these, that the window has
  std::uint32_t first_row = 0;  ///< of the window; its tokens follow those of the rows before
  std::uint32_t rows = 1;
  std::uint32_t tile_tokens = 2;  ///< of each tile, a multiple of the elements of a wavelet
  std::uint32_t inputs = 1;       ///< of the matrix
  std::uint32_t outputs = 1;      ///< of the matrix
  std::uint32_t first_output = 0;
  std::uint32_t block_outputs = 1;  ///< that the tiles work through
  DataType type = DataType::kMixed;
  bool transposed = false;  ///< as in StreamedGemmShape

  /// Inputs of a column, evenly spread; at least one, of which all weights may be zero.
  std::uint32_t inputs_of(std::uint32_t column) const;
  std::uint32_t outputs_of_rank() const { return (outputs + ring - 1) / ring; }
};

/// When the weights of the block reach the window, evenly spread from the first to the last one, and when
/// its tiles begin with them, on one clock; and the cycle of the run that is that beginning.
struct WeightArrival {
  base::Cycles first = 0;
  base::Cycles last = 0;
  base::Cycles start = 0;
  base::Cycles launch = 0;
};

/// The streamed GEMM on a rectangle that is cut out of a row of more columns.
///
/// Layout   row 0 stands for what brings the weights. West and east of the window lie the two columns
///          next to it, where the ring has them: the ring goes on outside, and these are its
///          neighbours. Inside, everything is as in StreamedGemm.
/// Outside  a neighbour multiplies with weights and inputs of its own, as any tile. Sums that it would
///          hear from further outside lie in its memory, bit for bit what the tiles there would send;
///          sums that it would send further stay in it. So it gives as soon as it has the sums of its own.
/// Time     the cycles of StreamedGemm for an output, but for what fills the ring: the columns outside do
///          not make the window wait for the first sums.
/// Errors   those of StreamedGemm on all columns, see error_bound().
class WindowGemm final : public KernelJob {
 public:
  /// Throws ProgramError if a tile of the window does not hold its share.
  WindowGemm(const WindowGemmShape& shape, const MeshConfig& config, std::uint64_t seed);

  /// What the kernel runs with: `config`, with memory enough for what stands around the window.
  const MeshConfig& config() const { return config_; }
  /// Of the next fill(); at once unless it is told.
  void set_arrival(const WeightArrival& arrival) { arrival_ = arrival; }

  const Kernel& kernel() const override { return kernel_; }
  /// By the cost terms, with the inputs of the fullest column.
  base::Cycles predicted() const override;
  void fill(TileMesh& mesh) const override;
  void compare(Comparison& comparison) const override;
  /// The window in the kernel's mesh.
  base::Rectangle working_tiles() const override;
  /// Of the window alone, from the first issue of its tiles to the last.
  void finish(const TileMesh& mesh, KernelResult& result) const override;

  /// All that is to be written: to a tile, an address in it, data, bytes.
  using Write = std::function<void(std::uint32_t, std::uint32_t, const void*, std::size_t)>;
  void fill(const Write& write) const;
  /// All results that tiles hold in the end: the tile, its array, the first element, the reference.
  using Expect =
      std::function<void(std::uint32_t, const Array&, std::uint32_t, const std::vector<double>&)>;
  void expect(const Expect& expect) const;

  /// Of results, relative to the largest.
  double error_bound() const;
  /// Weights that enter a tile of a column of the mesh.
  std::uint64_t weights_of_column(std::uint32_t x) const;

 private:
  void route();
  void add_programs();
  void make_room();
  void fill_weights(const Write& write, std::uint32_t x) const;
  void fill_activations(const Write& write, std::uint32_t x) const;
  void fill_sums(const Write& write, std::uint32_t x) const;
  std::uint32_t columns() const { return kernel_.mesh().columns; }

  const WindowGemmShape shape_;
  MeshConfig config_;
  const std::uint64_t seed_;
  const std::uint32_t west_;  ///< column of the ring that is column 0 of the mesh
  Kernel kernel_;
  WeightArrival arrival_;
  std::vector<Array> x_, y_;  ///< by column of the mesh
  /// By column: sums that a tile gets from outside or has in the end, by row, place in y, token.
  std::vector<std::vector<double>> sums_;
};

}  // namespace wse::tiles
