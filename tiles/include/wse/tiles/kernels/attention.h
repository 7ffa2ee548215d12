// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "wse/base/units.h"
#include "wse/tiles/kernels/kernel_job.h"
#include "wse/tiles/memory_map.h"

namespace wse::tiles {

/// Attention of the tokens of one sequence to each other, in heads of equal width.
struct AttentionShape {
  fabric::Mesh mesh{1, 1};
  std::uint32_t tokens = 8;
  std::uint32_t heads = 1;
  std::uint32_t head_features = 8;
  DataType type = DataType::kFp32;  ///< or kMixed: activations of fp16, sums of fp32
  bool causal = true;               ///< a token sees itself and those before it; else all
  bool backward = false;

  std::uint32_t columns_of_head() const { return mesh.columns / heads; }
  /// Of a tile, with padding: whole wavelets.
  std::uint32_t tile_tokens() const;
  std::uint32_t tile_features() const;
  /// Rows that have tokens, and the tokens of the last one.
  std::uint32_t rows() const { return (tokens + tile_tokens() - 1) / tile_tokens(); }
  std::uint32_t last_tokens() const { return tokens - (rows() - 1) * tile_tokens(); }
};

/// Query, key, value, and what else there is of a head; by feature, by token.
struct AttentionData {
  std::vector<double> q, k, v, dy;
};
struct AttentionResult {
  std::vector<double> y, dq, dk, dv;
  std::vector<double> log_sum;  ///< of exp(scaled score) over the keys, by query
};

/// y = softmax(q k^T / sqrt(width)) v, and its gradients.
///
/// Layout   a head is a group of columns: its features over them, tokens over rows. A tile holds its
///          features one after the other, the tokens of each side by side.
/// Steps    row by row, tiles send their keys and values along their column: causal to the rows behind
///          them, else to all. For each block of keys that arrives
///            scores   of all keys with the tile's queries, over the features of the tile: a key's number
///                     starts a multiply-add over the queries, as a weight does in the streaming GEMM
///            sums     of the scores over the columns of the head, by a ring: each tile ends with those
///                     of its share of the queries
///            softmax  of the share, block by block with a running maximum (log sums are kept)
///            shares   go around the ring to all tiles of the head, with the factors by which sums shrink
///            result   for each value that arrives a multiply-add over the queries
///          Backward keeps keys and values of the block, takes the products dy v with the scores, gives
///          dq from the block's keys, and sends the sums dv = p^T dy, dk = ds^T q along the column to the
///          owner of the keys, each tile adding its own, on a microthread while the next block begins.
/// Time     the vector steps and scalar instructions of the last row, counted while the program is
///          written, and two cycles a wavelet of what goes around the ring.
/// Errors   fp32: 2e-5 of the largest value; mixed: 4e-3, as shares and results are rounded to fp16.
/// Source   block by block softmax [dao2022]; keys and values along columns [lie2022].
class Attention final : public KernelJob {
 public:
  /// Throws ProgramError for fp16, heads that are no groups of columns, and too many tokens a tile.
  /// `map` places any of q, kv (keys, then values), y, log sum, and of the gradient dy, dq, dkv.
  Attention(const AttentionShape& shape, const MeshConfig& config, std::uint64_t seed,
            const MemoryMap& map = {});

  const Kernel& kernel() const override { return kernel_; }
  base::Cycles predicted() const override { return predicted_; }
  void fill(TileMesh& mesh) const override;
  void compare(Comparison& comparison) const override;
  base::Rectangle working_tiles() const override;
  double error_bound() const { return shape_.type == DataType::kFp32 ? 2e-5 : 4e-3; }

  /// A head in double precision; gradients if dy is given.
  static AttentionResult reference(const AttentionShape& shape, const AttentionData& head);

 private:
  void make_programs();
  void route();
  std::uint32_t stride(const Array& activations) const;
  AttentionData data_of(std::uint32_t head) const;
  void put(TileMesh& mesh, std::uint32_t head, const char* name, std::uint32_t row,
           const std::vector<double>& numbers) const;
  void put_of_queries(TileMesh& mesh, std::uint32_t head, const char* name,
                      const std::vector<double>& numbers) const;
  /// Calls `what(tile, column of the head, feature of the tile, first token, tokens of the tile)`.
  template <class What>
  void each_vector(std::uint32_t head, const What& what) const;

  const AttentionShape shape_;
  const MeshConfig config_;
  const std::uint64_t seed_;
  const MemoryMap map_;
  base::Cycles predicted_ = 0;
  Kernel kernel_;
};

}  // namespace wse::tiles
