// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wse/base/units.h"
#include "wse/tiles/kernels/kernel_job.h"
#include "wse/tiles/program_builder.h"

namespace wse::tiles {

/// y = A x, A[rows, columns].
struct GemvShape {
  fabric::Mesh mesh{1, 1};
  std::uint32_t rows = 1;
  std::uint32_t columns = 1;
  DataType type = DataType::kFp16;

  /// Of a tile, with the padding of the last ones; rows: whole wavelets.
  std::uint32_t tile_rows() const;
  std::uint32_t tile_columns() const { return (columns + mesh.columns - 1) / mesh.columns; }
};

/// Product of a matrix and a vector, with the result in every tile of a row.
///
/// Layout   rows over y, columns over x. A tile holds its block of A, column by column, its part of x,
///          and at the end its part of y.
/// Steps    y += x[j] A[:, j] for each column of the tile; then the sums of a row of tiles go from both
///          sides to its middle tile, in two levels of chains (groups of the root of the side), and back
///          from there to all.
/// Time     clearing y + columns of a tile x (ceil(its rows / lanes) + 1) + the closed forms of two-phase reductions of
///          half a row and of a broadcast [luczynski2024].
/// Errors   fp32, and mixed with sums in fp32: 1e-5 of the largest value; fp16: 2^-11 sqrt(columns).
/// Source   [he2025] MeshGEMV, with chains on both levels.
class Gemv final : public KernelJob {
 public:
  Gemv(const GemvShape& shape, const MeshConfig& config, std::uint64_t seed);

  const Kernel& kernel() const override { return kernel_; }
  base::Cycles predicted() const override { return predicted_; }
  void fill(TileMesh& mesh) const override;
  void compare(Comparison& comparison) const override;
  double error_bound() const;

 private:
  Kernel make_kernel();
  Array multiply(ProgramBuilder& p) const;
  std::uint32_t stride() const;
  std::uint8_t element_bytes() const { return shape_.type == DataType::kFp32 ? 4 : 2; }
  double matrix(std::uint32_t row, std::uint32_t column) const;
  double vector(std::uint32_t column) const;

  const GemvShape shape_;
  const ComputeConfig config_;
  const std::uint64_t seed_;
  base::Cycles predicted_ = 0;
  Kernel kernel_;
  Array a_, x_, y_;
};

}  // namespace wse::tiles
