// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wse/base/units.h"
#include "wse/tiles/kernels/kernel_job.h"
#include "wse/tiles/memory_map.h"

namespace wse::tiles {

/// x[token] = table[number of the token], and the gradient of the table.
struct EmbeddingShape {
  fabric::Mesh mesh{1, 1};  ///< of tiles with activations; a row with the table lies before them
  std::uint32_t tokens = 8;
  std::uint32_t features = 8;
  std::uint32_t vocabulary = 64;
  DataType type = DataType::kFp32;  ///< or kMixed: numbers of fp16, gradients summed in fp32
  bool backward = false;

  /// Of a tile, with padding; features: whole wavelets.
  std::uint32_t tile_tokens() const { return (tokens + mesh.rows - 1) / mesh.rows; }
  std::uint32_t tile_features() const;
};

/// Embedding of tokens.
///
/// Layout   features over columns, tokens over rows; a tile holds its features one after the other. The
///          kernel has a row more than the shape: row 0 holds the table, each column its features of all
///          words, and the numbers of all tokens. It stands for the lanes and the host behind them.
/// Steps    row 0 looks up token by token and sends its features down the column; a router takes what is
///          for its tile and then passes the rest. Backward the tiles send the gradients of their tokens
///          up, one after the other, and row 0 adds them to those of the words.
/// Time     tokens x (wavelets of the features of a tile + 5 to look up), and the last tile's sorting of
///          its tokens by feature, an element a cycle, as they lie apart.
/// Errors   forward none. Backward fp32 1e-5 of the largest value, mixed the same: sums are fp32.
class Embedding final : public KernelJob {
 public:
  /// Throws ProgramError for fp16, and if the table does not fit a tile of row 0.
  /// `map` places x.
  Embedding(const EmbeddingShape& shape, const MeshConfig& config, std::uint64_t seed,
            const MemoryMap& map = {});

  const Kernel& kernel() const override { return kernel_; }
  base::Cycles predicted() const override;
  void fill(TileMesh& mesh) const override;
  void compare(Comparison& comparison) const override;
  base::Rectangle working_tiles() const override;
  double error_bound() const { return shape_.backward ? 1e-5 : 0; }

 private:
  std::uint32_t all_tokens() const { return shape_.tile_tokens() * shape_.mesh.rows; }
  std::uint32_t word_of(std::uint32_t token) const;
  double number(std::uint32_t row, std::uint32_t feature) const;
  std::uint8_t table_bytes() const;
  Program table_program() const;
  Program tile_program() const;

  const EmbeddingShape shape_;
  const MeshConfig config_;
  const std::uint64_t seed_;
  const MemoryMap map_;
  Kernel kernel_;
};

}  // namespace wse::tiles
