// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/sparse_row.h"

#include <algorithm>

namespace wse::tiles {

using base::Cycles;

SparseRowCosts SparseRowCosts::of(const CostTerms& terms, std::uint64_t tokens) {
  const bool wide = terms.precision == Precision::kFp32;  // the address is a wavelet of its own
  SparseRowCosts costs;
  costs.weight = terms.axpy(1, tokens) + (wide ? 2 : 1) * terms.vector_start(1);
  costs.clear = base::ceil_div(tokens, wide ? std::max(2U, terms.v()) : terms.v());
  costs.words = terms.row_reduction(1, tokens);
  return costs;
}

SparseRow::SparseRow(const SparseRowCosts& costs, std::uint32_t tiles)
    : costs_(costs),
      tiles_(tiles),
      work_(tiles, 0),
      ready_(tiles, 0),
      first_words_(tiles, 0),
      history_(base::ceil_div(costs.queue_words, costs.words) + 2, std::vector<Cycles>(tiles, 0)) {}

/// Turns of the loop over weights cost a jump each eighth.
Cycles SparseRow::work_of(std::uint32_t weights) const {
  constexpr std::uint32_t kTurn = 8;
  if (weights == 0) return costs_.output + costs_.clear;
  return costs_.output + weights * costs_.weight + (weights - 1) / kTurn;
}

void SparseRow::begin(const std::vector<std::uint32_t>& weights) {
  for (std::uint32_t i = 0; i < tiles_; ++i) ready_[i] = work_of(weights[i]) + costs_.start;
}

void SparseRow::advance(std::uint32_t first, const std::vector<std::uint32_t>& next) {
  for (std::uint32_t i = 0; i < tiles_; ++i) work_[i] = work_of(next[i]);
  pass_first_words(first);
  pass_last_words(first);
  ++output_;
}

void SparseRow::finish(std::uint32_t first) {
  std::fill(work_.begin(), work_.end(), 0);
  pass_first_words(first);
  pass_last_words(first);
  ++output_;
}

/// Steps in which the next output is multiplied while so many words pass the tile.
Cycles SparseRow::shared_steps(std::uint32_t tile, std::uint64_t words) const {
  const Cycles waited = first_words_[tile] - ready_[tile];
  return std::min<Cycles>(work_[tile] - std::min(work_[tile], waited), words);
}

/// Cycle from which the tile in front of `tile` has room for this word of the present output: `tile` has
/// given the one that is queue_words before. Of an output before the present one.
Cycles SparseRow::room(std::uint32_t tile, std::uint64_t word) const {
  const std::uint64_t all = output_ * costs_.words + word;
  if (all < costs_.queue_words) return 0;
  const std::uint64_t freed = all - costs_.queue_words;
  const std::uint64_t behind_last = costs_.words - 1 - freed % costs_.words;
  const Cycles last = history_[freed / costs_.words % history_.size()][tile];
  return last - std::min(last, behind_last);
}

/// The same for the last word, where an output has more words than the queues hold: word by word through
/// the queues of the tiles behind.
Cycles SparseRow::room_in_this_output(std::uint32_t first, std::uint32_t place) const {
  Cycles cycle = 0;
  const std::uint32_t tile = behind(first, place);
  for (std::uint32_t k = 1; k * costs_.queue_words < costs_.words && place + k < tiles_; ++k) {
    const std::uint64_t rest = costs_.words - k * costs_.queue_words;
    const std::uint32_t to = behind(tile, k);
    cycle = std::max(cycle, first_words_[to] + rest + shared_steps(to, rest));
  }
  return cycle;
}

void SparseRow::pass_first_words(std::uint32_t first) {
  Cycles before = 0;
  std::uint32_t tile = first;
  for (std::uint32_t place = 0; place < tiles_; ++place) {
    const std::uint32_t next = behind(tile, 1);
    Cycles cycle = ready_[tile];
    if (place > 0) cycle = std::max(cycle, before + costs_.hop);
    if (place + 1 < tiles_) cycle = std::max(cycle, room(next, 0));
    first_words_[tile] = before = cycle;
    tile = next;
  }
}

void SparseRow::pass_last_words(std::uint32_t first) {
  const bool in_this_output = costs_.queue_words < costs_.words;
  std::vector<Cycles>& last = last_words(output_);
  Cycles before = 0;
  std::uint32_t tile = first;
  for (std::uint32_t place = 0; place < tiles_; ++place) {
    const std::uint32_t next = behind(tile, 1);
    const Cycles shared = shared_steps(tile, costs_.words);
    Cycles cycle = first_words_[tile] + costs_.words + shared;
    if (place > 0) cycle = std::max(cycle, before + costs_.hop);
    if (in_this_output) {
      cycle = std::max(cycle, room_in_this_output(first, place));
    } else if (place + 1 < tiles_) {
      cycle = std::max(cycle, room(next, costs_.words - 1));
    }
    last[tile] = before = cycle;
    end_ = std::max(end_, cycle);
    ready_[tile] = std::max(cycle, ready_[tile] + work_[tile] + shared) + costs_.start;
    tile = next;
  }
}

}  // namespace wse::tiles
