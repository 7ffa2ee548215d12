// SPDX-License-Identifier: Apache-2.0
#pragma once

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
  kVectorStart,  ///< a weight arrives and starts its vector operation
  kReduction,    ///< additions of partial sums
  kAttention,
  kVector,     ///< normalisation, activation functions, residuals, loss
  kRecompute,  ///< all work of the recomputed forward pass
  kLayerChange,
  kWeightWait,    ///< the lanes have not brought the weights yet
  kGradientWait,  ///< the lanes have not taken the gradients yet
  kResultWait,    ///< sums still travel to their owners
  kUpdateWait,    ///< optimizer, and the first weights after it
  kCount
};
inline constexpr std::size_t kNumCauses = static_cast<std::size_t>(Cause::kCount);
std::string_view name_of(Cause cause);

using CauseCycles = std::array<base::Cycles, kNumCauses>;

/// The terms of the cost model, cycles of one tile. Sizes are those of the padded loops; sources
/// are the formulas of the weight-streaming GEMM in docs/timing.md. v: lanes of the precision; c0:
/// vector_start_cycles.
struct CostTerms {
  const TileConfig& config;
  Precision precision;

  std::uint32_t v() const { return config.lanes(precision); }
  /// Additions of partial sums a cycle: as many as the datapath holds accumulators (64 bit: 4, 2,
  /// or 1 in fp32).
  std::uint32_t add_lanes() const { return v(); }

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
  /// them while others multiply, so only the datapath counts: outputs * ceil(tokens / add lanes).
  base::Cycles row_reduction(std::uint64_t outputs, std::uint64_t tokens) const {
    return outputs * base::ceil_div(tokens, add_lanes());
  }
  /// Weight gradients: features sums an output pass every tile of their column.
  base::Cycles column_reduction(std::uint64_t outputs, std::uint64_t features) const {
    return outputs * base::ceil_div(features, add_lanes());
  }
  /// tokens * (keys + 1) * width multiply-adds at the efficiency of attention.
  base::Cycles attention(std::uint64_t tokens, std::uint64_t keys_twice,
                         std::uint64_t width) const {
    return base::mul_div_up(tokens * keys_twice * width, 1'000'000,
                            std::uint64_t{v()} * config.attention_efficiency_ppm);
  }
  /// passes over tokens * elements.
  base::Cycles vector(std::uint64_t passes, std::uint64_t tokens, std::uint64_t elements) const {
    return passes * tokens * base::ceil_div(elements, v());
  }
};

/// Cycles of one item on a tile, by cause; the same on every tile (docs/adr/0004).
CauseCycles cycles_of(const base::WorkItem& item, const base::Mapping& mapping,
                      const TileConfig& config, Precision precision);
base::Cycles total(const CauseCycles& cycles);

/// Multiply-adds of the item in a rectangle of user tiles: exact by location, padding not counted.
std::uint64_t multiply_adds(const base::WorkItem& item, const base::Mapping& mapping,
                            const base::Rectangle& tiles);

/// Events that cost energy, of the item in a rectangle of user tiles.
base::EventCounts events_of(const base::WorkItem& item, const base::Mapping& mapping,
                            const TileConfig& config, Precision precision,
                            const base::Rectangle& tiles);

}  // namespace wse::tiles
