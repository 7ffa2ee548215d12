// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "wse/base/units.h"
#include "wse/tiles/cost_terms.h"

namespace wse::tiles {

/// What sparse weights cost in a tile, cycles, and the way from a tile to the next one of its ring; as
/// the streamed GEMM has them.
struct SparseRowCosts {
  base::Cycles weight = 0;         ///< receives a weight and multiplies with it
  base::Cycles clear = 0;          ///< an output without a weight: sums of zero
  base::Cycles output = 2;         ///< control wavelet, half a countdown and jump
  base::Cycles start = 1;          ///< of a reduction, when the one before has ended
  base::Cycles hop = 5;            ///< two ramps and a link
  std::uint64_t words = 0;         ///< partial sums of an output, wavelets
  std::uint64_t queue_words = 18;  ///< that fit between two tiles: queues of engines, ramp, links

  static SparseRowCosts of(const CostTerms& terms, std::uint64_t tokens);
};

/// A row of tiles that works through the outputs of a matrix with a mask, output by output.
///
/// A tile multiplies an output while the sums of the one before pass it, both in turn on one datapath. The
/// sums of an output begin at the tile behind their owner and go once around the ring; a tile adds its own
/// when they are done and gives them to the next one, which is at most `queue_words` behind. So a tile with
/// few weights of an output runs ahead by what the queues hold, and the fullest tiles set the pace. First
/// and last word of each tile and output are followed, those between are not (docs/timing.md).
class SparseRow {
 public:
  SparseRow(const SparseRowCosts& costs, std::uint32_t tiles);

  /// Weights of the first output, by tile; before anything else.
  void begin(const std::vector<std::uint32_t>& weights);
  /// The sums of the present output go around from tile `first` on, while the tiles multiply the next one;
  /// its weights, or none behind the last output.
  void advance(std::uint32_t first, const std::vector<std::uint32_t>& next);
  void finish(std::uint32_t first);
  /// Cycle in which the last word so far was added.
  base::Cycles end() const { return end_; }

 private:
  base::Cycles work_of(std::uint32_t weights) const;
  void pass_first_words(std::uint32_t first);
  void pass_last_words(std::uint32_t first);
  base::Cycles room(std::uint32_t tile, std::uint64_t word) const;
  base::Cycles room_in_this_output(std::uint32_t first, std::uint32_t place) const;
  base::Cycles shared_steps(std::uint32_t tile, std::uint64_t words) const;
  std::uint32_t behind(std::uint32_t tile, std::uint32_t distance) const {
    return tile + distance < tiles_ ? tile + distance : tile + distance - tiles_;
  }
  std::vector<base::Cycles>& last_words(std::uint64_t output) {
    return history_[output % history_.size()];
  }

  const SparseRowCosts costs_;
  const std::uint32_t tiles_;
  std::uint64_t output_ = 0;
  base::Cycles end_ = 0;
  std::vector<base::Cycles> work_;   ///< of the next output
  std::vector<base::Cycles> ready_;  ///< own sums are done, and the reduction before has ended
  std::vector<base::Cycles> first_words_;           ///< of the present output
  std::vector<std::vector<base::Cycles>> history_;  ///< last words, by output modulo its size
};

}  // namespace wse::tiles
