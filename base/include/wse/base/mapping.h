// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "wse/base/coordinates.h"
#include "wse/base/units.h"

namespace wse::base {

/// How features and tokens are laid over the user rectangle: features over columns, tokens over
/// rows.
///
/// `copies` copies of the feature dimension stand side by side; each works on its own tokens. Copy
/// r has the columns floor(r W / copies) .. ; the tokens of a micro-batch are cut into copies *
/// rows nearly equal runs. Counts are exact by location; the loops of a kernel are padded to the
/// largest tile (docs/adr/0004).
class Mapping {
 public:
  Mapping(std::uint32_t columns, std::uint32_t rows, std::uint32_t copies)
      : columns_(columns), rows_(rows), copies_(copies) {}

  std::uint32_t columns() const { return columns_; }
  std::uint32_t rows() const { return rows_; }
  std::uint32_t copies() const { return copies_; }
  /// The same tiles with another number of copies.
  Mapping with_copies(std::uint32_t copies) const { return {columns_, rows_, copies}; }
  std::uint64_t tiles() const { return std::uint64_t{columns_} * rows_; }

  /// Padded loop sizes of a tile.
  std::uint64_t features_per_tile(std::uint64_t features) const {
    return ceil_div(features, columns_ / copies_);
  }
  std::uint64_t tokens_per_tile(std::uint64_t tokens) const {
    return ceil_div(tokens, std::uint64_t{rows_} * copies_);
  }

  /// First feature of copy r that lies at or east of `column` (clamped to the copy's columns).
  std::uint64_t feature_begin(std::uint32_t copy, std::uint32_t column,
                              std::uint64_t features) const;
  /// Features that the columns hold, summed over the copies in them.
  std::uint64_t features_in(Span columns, std::uint64_t features) const;
  /// Non-zero weights of a block of `outputs` outputs whose features stand in the columns of copy
  /// r. Evenly spread; exact over any cut of the columns.
  std::uint64_t weights_in(std::uint32_t copy, Span columns, std::uint64_t features,
                           std::uint64_t outputs, std::uint32_t density_ppm) const;
  /// Tokens of copy r in the rows: a contiguous run.
  struct TokenRun {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t size() const { return end - begin; }
  };
  TokenRun tokens_in(std::uint32_t copy, Span rows, std::uint64_t tokens) const;
  Span columns_of_copy(std::uint32_t copy) const { return split(columns_, copies_, copy); }

 private:
  std::uint32_t columns_;
  std::uint32_t rows_;
  std::uint32_t copies_;
};

}  // namespace wse::base
