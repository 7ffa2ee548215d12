// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "wse/base/units.h"
#include "wse/tiles/kernels/kernel_job.h"

namespace wse::tiles {

enum class MeshGemmAlgorithm : std::uint8_t { kSumma, kCannon, kInterleaved };
std::string name_of(MeshGemmAlgorithm algorithm);

/// C = A B on P x P tiles, C[m, n], A[m, k], B[k, n].
struct MeshGemmShape {
  fabric::Mesh mesh{1, 1};
  std::uint32_t m = 1;
  std::uint32_t k = 1;
  std::uint32_t n = 1;
  DataType type = DataType::kFp32;
  MeshGemmAlgorithm algorithm = MeshGemmAlgorithm::kInterleaved;

  std::uint32_t side() const { return mesh.columns; }
  /// Of the blocks of a tile, with padding; terms and columns: whole wavelets.
  std::uint32_t block_m() const { return (m + side() - 1) / side(); }
  std::uint32_t block_k() const;
  std::uint32_t block_n() const;
};

/// GEMM with all three matrices in blocks on the mesh, P steps of one block product each.
///
/// Layout       block (i, j) of C in row i and column j. SUMMA: A and B alike. Cannon and interleaved: i
///              and j are ranks in rings along the column and the row, and a tile begins with block
///              (i, i + j) of A and (i + j, j) of B, modulo P.
/// SUMMA        in step s the tiles of column s send their block of A along their row, those of row s
///              theirs of B along their column; switches make a tile listen, then send, then listen to
///              the other side. Four colors.
/// Cannon       all blocks of A go to the next rank of the row, those of B to that of the column. The last
///              rank is P - 1 hops from the first one. Six colors.
/// interleaved  the same on rings that are folded, so that no rank is further than two hops from the next
///              one. Eight colors.
/// Steps        the next blocks arrive in second buffers while a step multiplies: C[i, :] += a B[l, :] for
///              each element a = A[i, l], which is loaded into a register.
/// Time         P times block_m (block_k (ceil(block_n / lanes) + 1) + 4), and a cycle for each wavelet that
///              a tile receives, and sends where blocks go around.
/// Errors       fp32, and mixed with sums in fp32: 1e-5 of the largest value; fp16: 2^-11 sqrt(k).
/// Source       [he2025] MeshGEMM and its baselines; unlike there all three multiply while blocks move.
class MeshGemm final : public KernelJob {
 public:
  /// Throws ConfigError unless the mesh is square.
  MeshGemm(const MeshGemmShape& shape, const MeshConfig& config, std::uint64_t seed);

  const Kernel& kernel() const override { return kernel_; }
  base::Cycles predicted() const override;
  void fill(TileMesh& mesh) const override;
  void compare(Comparison& comparison) const override;
  double error_bound() const;

 private:
  void make_ring_kernel();
  void make_summa_kernel();
  double number(std::uint32_t which, std::uint32_t row, std::uint32_t column, std::uint32_t rows,
                std::uint32_t columns) const;
  std::uint32_t rank(std::uint32_t place) const;

  const MeshGemmShape shape_;
  const ComputeConfig config_;
  const std::uint64_t seed_;
  Kernel kernel_;
  Array a_, b_, c_;
};

}  // namespace wse::tiles
