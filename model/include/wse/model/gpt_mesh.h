// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "wse/base/config_errors.h"
#include "wse/fabric/route_table.h"
#include "wse/host/gpt_shape.h"

namespace wse::model {

/// A GPT on a mesh of tiles at the cycle level, fp32: features over columns, the tokens of each sequence
/// over rows. A tile holds so many tokens of the first sequence, then of the next one. A row that stands for
/// the lanes lies before the mesh.
struct GptMesh {
  host::GptShape shape;
  std::uint32_t sequences = 1;  ///< of a step
  fabric::Mesh mesh{16, 16};

  fabric::Mesh with_lanes() const { return {mesh.columns, mesh.rows + 1}; }
  /// Of a tile: tokens of a sequence, of all; of a feature to the next one, elements; features of `n`.
  std::uint32_t sequence_tokens() const { return shape.positions / mesh.rows; }
  std::uint32_t tokens() const { return sequences * sequence_tokens(); }
  std::uint32_t stride() const { return (tokens() + 7) / 8 * 8; }  // a turn of the banks
  std::uint32_t features(std::uint32_t n) const { return (n + mesh.columns - 1) / mesh.columns; }
  std::uint32_t all_tokens() const { return sequences * shape.positions; }
  /// Number in a batch of token `k` of the tiles in row `y` of the mesh.
  std::uint32_t token(std::uint32_t y, std::uint32_t k) const {
    return k / sequence_tokens() * shape.positions + y * sequence_tokens() + k % sequence_tokens();
  }

  /// Columns and rows that can be: columns are groups of equal features for the heads, rows hold equally
  /// many tokens. Ascending.
  std::vector<std::uint32_t> columns_that_fit() const;
  std::vector<std::uint32_t> rows_that_fit() const;
  /// The shape and the sequences; the mesh: indivisible().
  void validate(base::ConfigErrors& errors) const;
  /// The rule that a mesh breaks which does not divide the model; empty: it does.
  std::string indivisible() const;
};

}  // namespace wse::model
