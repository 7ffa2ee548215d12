// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "wse/base/mapping.h"
#include "wse/base/work_item.h"
#include "wse/tiles/tile_config.h"

namespace wse::tiles {

/// Where the cycles of a tile go. Together they are all cycles of a step.
enum class Cause : std::uint32_t {
  kMultiplyAdd,  ///< multiply-adds of the forward and backward pass, all lanes of the precision
                 ///< busy
  kPadding,      ///< lanes idle because tokens or features do not divide
  kVectorStart,  ///< a weight, or the gradients of an output, arrive and start vector operations
  kReduction,    ///< additions of partial sums
  kAttention,
  kVector,     ///< normalisation, activation functions, residuals, loss
  kRecompute,  ///< all work of the recomputed forward pass
  kLayerChange,
  kWeightWait,    ///< the lanes have not brought the weights yet
  kGradientWait,  ///< the lanes have not taken the gradients yet
  kResultWait,    ///< sums still travel to their owners
  kUpdateWait,    ///< optimizer, and the first weights after it
  kPipelineWait,  ///< a stage of a pipeline has no sample to work on: fill, drain, slower stages
  kUnplaced,      ///< tiles that belong to no stage of the pipeline
  kImbalance,  ///< sparse weights: columns wait for those with more of an output, and its loop turns
  kCount
};
/// Those before are of a run that streams its weights.
inline constexpr std::size_t kNumStreamCauses = static_cast<std::size_t>(Cause::kPipelineWait);
inline constexpr std::size_t kNumCauses = static_cast<std::size_t>(Cause::kCount);
std::string_view name_of(Cause cause);

using CauseCycles = std::array<base::Cycles, kNumCauses>;

/// What attention asks of a tile; docs/kernels.md.
struct AttentionLoops {
  std::uint64_t tokens = 0;    ///< queries, all of one sequence
  std::uint64_t keys = 0;      ///< those of the token that sees most: all rows wait for it
  std::uint64_t features = 0;  ///< of all heads in the tile
  std::uint64_t heads = 1;     ///< in the tile
  std::uint64_t columns = 1;   ///< of a head
};

/// The terms of the cost model, cycles of one tile, as the kernels in tiles/kernels/ take them
/// (CycleTermsTest). Sizes are those of the padded loops; formulas are in docs/timing.md. v: lanes of
/// the precision; c0: vector_start_cycles.
struct CostTerms {
  const TileConfig& config;
  Precision precision;

  std::uint32_t v() const { return config.lanes(precision); }
  /// Elements of a wavelet.
  std::uint32_t wire() const { return precision == Precision::kFp32 ? 1 : 2; }

  /// Weights that a tile consumes for a block: outputs * features_per_tile, the non-zero ones.
  static std::uint64_t weights(std::uint64_t outputs, std::uint64_t features,
                               std::uint32_t density_ppm) {
    return base::mul_div_up(outputs * features, density_ppm, 1'000'000);
  }
  /// AXPY a weight: ceil(tokens / v) vector steps.
  base::Cycles axpy(std::uint64_t weights, std::uint64_t tokens) const {
    return weights * base::ceil_div(tokens, v());
  }
  /// c0 a weight.
  base::Cycles vector_start(std::uint64_t weights) const {
    return weights * config.vector_start_cycles;
  }
  /// Each partial sum passes every tile of its row and costs an addition there; a microthread does
  /// them while others multiply, so only the datapath counts: a step adds what a wavelet brings.
  base::Cycles row_reduction(std::uint64_t outputs, std::uint64_t tokens) const {
    return outputs * base::ceil_div(tokens, std::min(v(), wire()));
  }
  /// Weight gradients: the gradients of an output are received, and sent by those that others wait
  /// for, the columns in turn; sums are cleared, two words a step.
  base::Cycles gradient_start(std::uint64_t outputs, std::uint64_t tokens, std::uint64_t features,
                              std::uint64_t columns) const {
    constexpr base::Cycles kTurn = 5;  // until the next column sends
    return kTurn * std::min(outputs, columns) +
           outputs * (2 * base::ceil_div(tokens, wire()) +
                      base::ceil_div(features, 64 / sum_bits(precision)));
  }
  /// Weight gradients: features sums an output pass every tile of their column.
  base::Cycles column_reduction(std::uint64_t outputs, std::uint64_t features) const {
    return outputs * base::ceil_div(features, 32 / sum_bits(precision));
  }
  /// Of the multiply-adds of attention alone.
  base::Cycles attention_steps(const AttentionLoops& loops, bool backward) const {
    return (backward ? 5 : 2) * loops.keys * loops.features * base::ceil_div(loops.tokens, v());
  }
  base::Cycles attention(const AttentionLoops& loops, bool backward) const;
  /// What a message around the ring of a head takes beside its words: two hops, two ramps, and the
  /// issues.
  static constexpr base::Cycles kRingMessage = 9;
  /// Steps for so many bytes of one: a tile sends and receives a word in turn, and one access in
  /// sixteen meets another one in the banks.
  static base::Cycles ring_steps(std::uint64_t bytes) { return base::ceil_div(17 * bytes, 32); }
  /// Additions, moves and comparisons of fp32: two a step, or as many as there are lanes.
  static base::Cycles moves(std::uint64_t n, std::uint32_t lanes_fp32) {
    return base::ceil_div(n, std::max(2U, lanes_fp32));
  }
  /// On elements of each token in a tile; those of a row of tiles are of one token. As Rowwise counts its
  /// instructions and messages, and the accesses that meet in the banks.
  base::Cycles vector(base::VectorKind kind, std::uint64_t tokens, std::uint64_t elements,
                      std::uint64_t columns, std::uint64_t rows) const;
  base::Cycles vector_meetings(base::VectorKind kind, std::uint64_t tokens,
                               std::uint64_t elements) const;
  /// Activations of a token move to the tiles of another mapping, along rows, then along columns: a
  /// quarter of them crosses the middle of the mesh each way.
  base::Cycles redistribution(std::uint64_t tokens, std::uint64_t elements,
                              const base::Mapping& mapping) const {
    const std::uint64_t words = base::ceil_div(tokens * elements, wire());
    return base::ceil_div(words, 4 * std::uint64_t{mapping.rows()}) +
           base::ceil_div(words, 4 * std::uint64_t{mapping.columns()}) + mapping.rows() +
           mapping.columns();
  }
  /// The microthread that adds the sums of an output starts, and the loop over outputs goes on.
  static base::Cycles output_start(std::uint64_t outputs) { return 2 * outputs; }
};

/// Cycles of one item on a tile, by cause; the same on every tile (docs/adr/0004).
CauseCycles cycles_of(const base::WorkItem& item, const base::Mapping& mapping,
                      const TileConfig& config, Precision precision);
base::Cycles total(const CauseCycles& cycles);

/// Multiply-adds of the item in a rectangle of user tiles: exact by location, padding not counted.
std::uint64_t multiply_adds(const base::WorkItem& item, const base::Mapping& mapping,
                            const base::Rectangle& tiles);

/// Events that cost energy, by what they are spent on.
using CauseEvents = std::array<base::EventCounts, kNumCauses>;
base::EventCounts sum_of(const CauseEvents& by);

/// Events of the item in a rectangle of user tiles. Steps of vectors are shared by multiply-adds and
/// padding as their cycles are.
CauseEvents events_by_cause(const base::WorkItem& item, const base::Mapping& mapping,
                            const TileConfig& config, Precision precision,
                            const base::Rectangle& tiles);
base::EventCounts events_of(const base::WorkItem& item, const base::Mapping& mapping,
                            const TileConfig& config, Precision precision,
                            const base::Rectangle& tiles);

}  // namespace wse::tiles
