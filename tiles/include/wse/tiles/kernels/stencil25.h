// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <vector>

#include "wse/base/units.h"
#include "wse/tiles/kernels/kernel_job.h"

namespace wse::tiles {

/// A wave that is stepped on a grid of W x H x nz cells: a column of cells a tile.
struct StencilShape {
  fabric::Mesh mesh{5, 5};
  std::uint32_t nz = 100;
  std::uint32_t block = 0;  ///< cells that are exchanged at a time; 0: 400 at most, of equal size
  std::uint32_t steps = 1;

  std::uint32_t blocks() const;
  std::uint32_t block_cells() const;
};

/// The acoustic wave equation with a 25-point stencil: eighth order in space, second in time.
///
///     next = 2 u - last + K (sum over x, y, z of c0 u + c1 (u+1 + u-1) + .. + c4 (u+4 + u-4))
///
/// Layout   fp32. Two columns of cells with four ghost cells at each end, a sum a cell, and a buffer of
///          20 blocks for products. K differs from tile to tile. Cells outside of the grid are zero.
/// Steps    for each block, in each of four directions, a tile sends its cells to the four next tiles and
///          to itself and receives those of the four tiles before it: every fifth tile sends at the same
///          time, and two control wavelets hand the line to the next one (one color a direction, four
///          switch positions). Each word that arrives is multiplied by the coefficient of its distance
///          into the buffer, by a microthread a direction. When a block is complete, the buffer is added up
///          into the sums. When all are, eight multiply-adds along z and a subtraction complete the step.
/// Errors   1e-4 of the largest value against double precision.
/// Source   [jacquelin2022] and its published program [csl-examples].
class Stencil25 final : public KernelJob {
 public:
  Stencil25(const StencilShape& shape, std::uint64_t seed);

  const Kernel& kernel() const override { return kernel_; }
  base::Cycles predicted() const override { return 0; }
  void fill(TileMesh& mesh) const override;
  void compare(Comparison& comparison) const override;

 private:
  static constexpr std::uint32_t kReach = 4;  ///< cells, in each direction
  static constexpr std::uint32_t kSenders = kReach + 1;

  void route();
  Program program(const std::array<std::uint32_t, 4>& senders) const;
  std::uint32_t place(fabric::Port direction, base::Coordinate at) const;
  double cell(std::uint32_t which, std::uint32_t tile, std::uint32_t z) const;
  double speed(std::uint32_t tile) const;
  std::vector<double> reference() const;

  const StencilShape shape_;
  const std::uint64_t seed_;
  Kernel kernel_;
  Array cells_, constants_, along_z_;
};

}  // namespace wse::tiles
