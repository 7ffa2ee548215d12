// SPDX-License-Identifier: Apache-2.0
#include "wse/base/attention_pattern.h"

#include <algorithm>

#include "wse/base/units.h"

namespace wse::base {
namespace {

std::uint64_t sum_to(std::uint64_t n) { return n * (n + 1) / 2; }

/// Cells of a clipped square around (row, column), up to the cell itself.
std::uint64_t window_cells(std::uint64_t row, std::uint64_t column, std::uint64_t side,
                           std::uint64_t window) {
  const std::uint64_t reach = window / 2;
  const std::uint64_t left = std::min(column, reach);
  const std::uint64_t right = std::min(side - 1 - column, reach);
  return std::min(row, reach) * (left + 1 + right) + left + 1;
}

}  // namespace

std::uint64_t AttentionPattern::keys_of(std::uint64_t position) const {
  if (kind == AttentionKind::kFull) return sequence;
  if (kind == AttentionKind::kCausal || position < text()) return position + 1;
  const std::uint64_t cell = position - text();
  switch (kind) {
    case AttentionKind::kImageRow:
      return text() + std::min(cell + 1, image_side);
    case AttentionKind::kImageColumn:
      return text() + cell / image_side + 1;
    case AttentionKind::kImageConvolution:
      return text() + window_cells(cell / image_side, cell % image_side, image_side, window);
    case AttentionKind::kCausal:
    case AttentionKind::kFull:
      break;
  }
  return 0;
}

std::uint64_t AttentionPattern::keys_in_sequence_before(std::uint64_t n) const {
  if (kind == AttentionKind::kFull) return n * sequence;
  if (kind == AttentionKind::kCausal) return sum_to(n);
  const std::uint64_t words = std::min(n, text());
  const std::uint64_t cells = n - words;
  std::uint64_t sum = sum_to(words) + cells * text();
  if (kind == AttentionKind::kImageRow) {
    const std::uint64_t first = std::min(cells, image_side);
    sum += sum_to(first) + (cells - first) * image_side;
  } else if (kind == AttentionKind::kImageColumn) {
    const std::uint64_t rows = cells / image_side;
    sum += sum_to(rows) * image_side + cells % image_side * (rows + 1);
  } else {
    for (std::uint64_t cell = 0; cell < cells; ++cell) sum += keys_of(text() + cell) - text();
  }
  return sum;
}

std::uint64_t AttentionPattern::keys_before(std::uint64_t n) const {
  const std::uint64_t whole = n / sequence;
  const std::uint64_t rest = keys_in_sequence_before(n % sequence);
  return whole == 0 ? rest : whole * keys_in_sequence_before(sequence) + rest;
}

std::uint64_t AttentionPattern::most_keys() const {
  if (kind == AttentionKind::kCausal || kind == AttentionKind::kFull) return sequence;
  std::uint64_t most = 0;
  for (std::uint64_t position = 0; position < sequence; ++position) {
    most = std::max(most, keys_of(position));
  }
  return most;
}

}  // namespace wse::base
