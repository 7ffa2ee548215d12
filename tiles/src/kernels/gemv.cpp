// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/kernels/gemv.h"

#include <algorithm>
#include <cmath>

#include "axpy_layout.h"
#include "plan.h"

namespace wse::tiles {
namespace {

using P = ProgramBuilder;

}  // namespace

std::uint32_t GemvShape::tile_rows() const {
  return round_up((rows + mesh.rows - 1) / mesh.rows, type == DataType::kFp16 ? 2 : 1);
}

Gemv::Gemv(const GemvShape& shape, const MeshConfig& config, std::uint64_t seed)
    : shape_(shape), config_(config.compute), seed_(seed), kernel_(make_kernel()) {
  const Program& any = kernel_.programs.front();
  a_ = *any.find_array("a");
  x_ = *any.find_array("x");
  y_ = *any.find_array("result");
}

std::uint32_t Gemv::stride() const {
  return round_up(shape_.tile_rows(), kBankTurn / element_bytes());
}

Kernel Gemv::make_kernel() {
  const fabric::Mesh mesh = shape_.mesh;
  CollectiveShape sums;
  sums.mesh = mesh;
  sums.type = shape_.type == DataType::kFp16 ? DataType::kFp16 : DataType::kFp32;
  sums.words = shape_.tile_rows() / (sums.type == DataType::kFp16 ? 2 : 1);
  CollectivePlan plan(CollectiveKind::kAllreduce, sums, "gemv");
  plan.arrays([this](ProgramBuilder& p) { return multiply(p); });
  plan.allreduce_rows();
  const std::uint32_t lanes = config_.lanes(VectorOp::kFma, shape_.type);
  const std::uint32_t clear_lanes = config_.lanes(VectorOp::kMove, shape_.type);
  predicted_ = base::ceil_div(shape_.tile_rows(), clear_lanes) +
               shape_.tile_columns() * (base::ceil_div(shape_.tile_rows(), lanes) + 1);
  predicted_ += predicted_allreduce_row(mesh.columns, sums.words);
  return plan.build(shape_.tile_rows(), shape_.tile_rows()).kernel;
}

/// Leaves the products of the tile in the array that it gives.
Array Gemv::multiply(ProgramBuilder& p) const {
  constexpr std::uint8_t kFactor = 0;
  constexpr std::uint8_t kX = 1;  // address of the next element of x
  constexpr std::uint8_t kA = 2;  // of the next column, less that of the first
  constexpr std::uint8_t kLeft = 3;
  const std::uint32_t rows = shape_.tile_rows();
  const std::uint32_t columns = shape_.tile_columns();
  const std::uint32_t turn = std::min(columns, 32U);
  const std::uint8_t sum_bytes = sum_bytes_of(shape_.type);
  const Array a = p.array("a", columns * stride(), element_bytes());
  const Array x = p.array("x", columns, element_bytes());
  const bool near = rows * sum_bytes <= config_.cache_bytes;
  const Array y = near ? p.near_array("y", rows, sum_bytes) : p.array("y", rows, sum_bytes);
  const Operand all = p.all(y);
  const Operand n = P::integer(rows);
  std::vector<Operand> column;
  for (std::uint32_t j = 0; j < turn; ++j) {
    column.push_back(p.at_register(p.part(a, j * stride(), rows), kA));
  }
  const auto multiply_some = [&](std::uint32_t count) {
    for (std::uint32_t j = 0; j < count; ++j) {
      p.load(kFactor, P::r(kX), shape_.type, P::integer(j * element_bytes()));
      p.vector(VectorOp::kFma, shape_.type, all, column[j], P::r(kFactor), all, n);
    }
  };
  p.vector(VectorOp::kMove, shape_.type, all, P::integer(0), n);
  p.set(kX, P::integer(x.address));
  if (columns > turn) {
    p.set(kLeft, P::integer(columns / turn));
    const std::uint16_t begin = p.here();
    multiply_some(turn);
    p.scalar(VectorOp::kAdd, DataType::kInt32, kX, P::r(kX), P::integer(turn * element_bytes()));
    p.scalar(VectorOp::kAdd, DataType::kInt32, kA, P::r(kA),
             P::integer(turn * stride() * element_bytes()));
    p.scalar(VectorOp::kSub, DataType::kInt32, kLeft, P::r(kLeft), P::integer(1));
    p.jump_if_not_zero(P::r(kLeft), begin);
    multiply_some(columns % turn);
  } else {
    multiply_some(columns);
  }
  return y;
}

// Data ----------------------------------------------------------------------------------------------

double Gemv::matrix(std::uint32_t row, std::uint32_t column) const {
  if (row >= shape_.rows || column >= shape_.columns) return 0;
  return rounded(random_number(seed_, 1 + row, column), element_bytes());
}

double Gemv::vector(std::uint32_t column) const {
  return column < shape_.columns ? rounded(random_number(seed_, 0, column), element_bytes()) : 0;
}

void Gemv::fill(TileMesh& mesh) const {
  for (std::uint32_t tile = 0; tile < shape_.mesh.tiles(); ++tile) {
    const base::Coordinate at = shape_.mesh.at(tile);
    const std::uint32_t first_row = at.y * shape_.tile_rows();
    const std::uint32_t first_column = at.x * shape_.tile_columns();
    std::vector<double> block(a_.elements, 0);
    std::vector<double> x;
    for (std::uint32_t j = 0; j < shape_.tile_columns(); ++j) {
      x.push_back(vector(first_column + j));
      for (std::uint32_t i = 0; i < shape_.tile_rows(); ++i) {
        block[j * stride() + i] = matrix(first_row + i, first_column + j);
      }
    }
    write_numbers(mesh, tile, a_, block);
    write_numbers(mesh, tile, x_, x);
  }
}

void Gemv::compare(Comparison& comparison) const {
  std::vector<double> x;
  for (std::uint32_t j = 0; j < shape_.columns; ++j) x.push_back(vector(j));
  for (std::uint32_t y = 0; y < shape_.mesh.rows; ++y) {
    std::vector<double> sums(shape_.tile_rows(), 0);
    for (std::uint32_t i = 0; i < sums.size(); ++i) {
      const std::uint32_t row = y * shape_.tile_rows() + i;
      for (std::uint32_t j = 0; j < shape_.columns; ++j) sums[i] += matrix(row, j) * x[j];
    }
    for (std::uint32_t column = 0; column < shape_.mesh.columns; ++column) {
      comparison.add(shape_.mesh.tile(column, y), y_, sums);
    }
  }
}

double Gemv::error_bound() const {
  if (shape_.type != DataType::kFp16) return 1e-5;
  return std::ldexp(1.0, -11) * (1 + std::sqrt(shape_.columns));
}

}  // namespace wse::tiles
