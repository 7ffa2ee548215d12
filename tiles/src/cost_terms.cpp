// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/cost_terms.h"

#include <numeric>

namespace wse::tiles {

using base::Cycles;
using base::EventCounts;
using base::EventKind;
using base::Mapping;
using base::Operation;
using base::WorkItem;

namespace {

/// Keys seen by the tokens of a run, summed.
std::uint64_t keys_in(const WorkItem& item, const Mapping::TokenRun& run) {
  return item.pattern.keys_before(run.end) - item.pattern.keys_before(run.begin);
}

struct Loops {
  std::uint64_t tokens;    ///< a tile
  std::uint64_t features;  ///< a tile
  std::uint64_t weights;   ///< a tile and item
};

Loops loops_of(const WorkItem& item, const Mapping& mapping) {
  const std::uint64_t features = mapping.features_per_tile(item.inputs);
  return {mapping.tokens_per_tile(item.loop_tokens()), features,
          CostTerms::weights(item.all_outputs(), features, item.density_ppm)};
}

/// Splits the vector steps of a GEMM: what the multiply-adds need with every lane busy, and the
/// rest.
void set_gemm(CauseCycles& c, const WorkItem& item, const Mapping& mapping,
              const CostTerms& terms) {
  const Loops loops = loops_of(item, mapping);
  const Cycles steps = terms.axpy(loops.weights, loops.tokens);
  const std::uint64_t all =
      multiply_adds(item, mapping, {{0, mapping.columns()}, {0, mapping.rows()}});
  const Cycles ideal = std::min<Cycles>(steps, all / (mapping.tiles() * terms.v()));
  c[static_cast<std::size_t>(Cause::kMultiplyAdd)] = ideal;
  c[static_cast<std::size_t>(Cause::kPadding)] = steps - ideal;
  c[static_cast<std::size_t>(Cause::kVectorStart)] = terms.vector_start(loops.weights);
  c[static_cast<std::size_t>(Cause::kReduction)] =
      item.operation == Operation::kGemmWeightGradient
          ? terms.column_reduction(item.all_outputs(), loops.features)
          : terms.row_reduction(item.all_outputs(), loops.tokens);
}

EventKind fmac_kind(Precision precision) {
  switch (precision) {
    case Precision::kFp16:
      return EventKind::kFmacFp16;
    case Precision::kMixed:
      return EventKind::kFmacMixed;
    case Precision::kFp32:
      return EventKind::kFmacFp32;
  }
  return EventKind::kFmacFp32;
}

/// A vector step reads its operands, and reads and writes accumulators that do not fit the near
/// buffer. Each of its three descriptors steps its address and its remaining length.
void add_vector_steps(EventCounts& n, std::uint64_t steps, Precision precision, bool cached) {
  const bool wide_input = precision == Precision::kFp16;  // four fp16 a step; else 32 bit
  at(n, wide_input ? EventKind::kSramRead64 : EventKind::kSramRead32) += steps;
  if (cached) {
    at(n, EventKind::kLocalCache) += 2 * steps;
  } else {
    const bool wide = precision != Precision::kFp32;
    at(n, wide ? EventKind::kSramRead64 : EventKind::kSramRead32) += steps;
    at(n, wide ? EventKind::kSramWrite64 : EventKind::kSramWrite32) += steps;
  }
  at(n, EventKind::kLocalCache) += 2 * steps;
  at(n, EventKind::kIntAlu) += 6 * steps;
}

void add_gemm(EventCounts& n, const WorkItem& item, const Mapping& mapping, const CostTerms& terms,
              std::uint64_t tiles) {
  const Loops loops = loops_of(item, mapping);
  const bool gradient = item.operation == Operation::kGemmWeightGradient;
  // A weight gradient accumulates one sum at a time in a register.
  const bool cached =
      gradient || loops.tokens * sum_bits(terms.precision) / 8 <= terms.config.cache_bytes;
  add_vector_steps(n, terms.axpy(loops.weights, loops.tokens) * tiles, terms.precision, cached);
  at(n, EventKind::kTaskSwitch) += loops.weights * tiles;
  const std::uint64_t vector = gradient ? loops.features : loops.tokens;
  const std::uint64_t steps =
      item.all_outputs() * base::ceil_div(vector, terms.add_lanes()) * tiles;
  at(n, sum_bits(terms.precision) == 16 ? EventKind::kAddFp16 : EventKind::kAddFp32) +=
      item.all_outputs() * vector * tiles;
  if (cached) {
    at(n, EventKind::kLocalCache) += steps;
  } else {
    at(n, terms.precision == Precision::kFp32 ? EventKind::kSramRead32 : EventKind::kSramRead64) +=
        steps;
  }
  at(n, EventKind::kLocalCache) += 2 * steps;
  at(n, EventKind::kIntAlu) += 4 * steps;
}

}  // namespace

std::string_view name_of(Cause cause) {
  static constexpr std::array<std::string_view, kNumCauses> kNames = {
      "multiply_add", "padding",       "vector_start", "reduction",
      "attention",    "vector",        "recompute",    "layer_change",
      "weight_wait",  "gradient_wait", "result_wait",  "update_wait"};
  return kNames[static_cast<std::size_t>(cause)];
}

Cycles total(const CauseCycles& cycles) {
  return std::accumulate(cycles.begin(), cycles.end(), Cycles{0});
}

CauseCycles cycles_of(const WorkItem& item, const Mapping& mapping, const TileConfig& config,
                      Precision precision) {
  const CostTerms terms{config, precision};
  CauseCycles c{};
  const auto set = [&c](Cause cause, Cycles n) { c[static_cast<std::size_t>(cause)] = n; };
  switch (item.operation) {
    case Operation::kGemmForward:
    case Operation::kGemmInputGradient:
    case Operation::kGemmWeightGradient:
      set_gemm(c, item, mapping, terms);
      break;
    case Operation::kAttentionForward:
    case Operation::kAttentionBackward:
      set(Cause::kAttention,
          (item.operation == Operation::kAttentionBackward ? 2 : 1) *
              terms.attention(mapping.tokens_per_tile(item.tokens), item.pattern.keys_twice(),
                              mapping.features_per_tile(item.inputs)));
      break;
    case Operation::kVector:
      set(Cause::kVector, terms.vector(item.outputs, mapping.tokens_per_tile(item.tokens),
                                       mapping.features_per_tile(item.inputs)));
      break;
    case Operation::kLayerChange:
      set(Cause::kLayerChange, config.layer_change_cycles);
      break;
  }
  if (item.phase == base::Phase::kRecompute) {
    const Cycles all = total(c);
    c = {};
    set(Cause::kRecompute, all);
  }
  return c;
}

std::uint64_t multiply_adds(const WorkItem& item, const Mapping& mapping,
                            const base::Rectangle& tiles) {
  std::uint64_t sum = 0;
  const bool attention = item.operation == Operation::kAttentionForward ||
                         item.operation == Operation::kAttentionBackward;
  if (item.operation == Operation::kVector || item.operation == Operation::kLayerChange) return 0;
  for (std::uint32_t copy = 0; copy < mapping.copies(); ++copy) {
    const std::uint64_t first = mapping.feature_begin(copy, tiles.columns.begin, item.inputs);
    const std::uint64_t last = mapping.feature_begin(copy, tiles.columns.end, item.inputs);
    const Mapping::TokenRun run = mapping.tokens_in(copy, tiles.rows, item.tokens);
    if (attention) {
      sum += 2 * keys_in(item, run) * (last - first);  // scores and context
    } else if (item.operation == Operation::kGemmWeightGradient) {
      sum += (last - first) * item.outputs * run.size();
    } else {
      sum += mapping.weights_in(copy, tiles.columns, item.inputs, item.outputs, item.density_ppm) *
             run.size();
    }
  }
  return item.operation == Operation::kAttentionBackward ? 2 * sum : sum;
}

EventCounts events_of(const WorkItem& item, const Mapping& mapping, const TileConfig& config,
                      Precision precision, const base::Rectangle& rectangle) {
  const CostTerms terms{config, precision};
  const std::uint64_t tiles = rectangle.tiles();
  const Cycles cycles = total(cycles_of(item, mapping, config, precision));
  EventCounts n{};
  at(n, EventKind::kControlCycle) = cycles * tiles;
  at(n, EventKind::kClockRunning) = cycles * tiles;
  at(n, fmac_kind(precision)) = multiply_adds(item, mapping, rectangle);
  switch (item.operation) {
    case Operation::kGemmForward:
    case Operation::kGemmInputGradient:
    case Operation::kGemmWeightGradient:
      add_gemm(n, item, mapping, terms, tiles);
      break;
    case Operation::kAttentionForward:
    case Operation::kAttentionBackward:
      add_vector_steps(n, tiles * base::mul_div(cycles, config.attention_efficiency_ppm, 1'000'000),
                       precision, true);
      break;
    case Operation::kVector:
      add_vector_steps(n, cycles * tiles, precision, true);
      at(n, precision == Precision::kFp16 ? EventKind::kSramWrite64 : EventKind::kSramWrite32) +=
          cycles * tiles;
      at(n, precision == Precision::kFp16 ? EventKind::kAddFp16 : EventKind::kAddFp32) +=
          cycles * tiles * terms.v();
      break;
    case Operation::kLayerChange:
      break;
  }
  return n;
}

}  // namespace wse::tiles
