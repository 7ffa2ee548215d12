// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/cost_terms.h"

#include <numeric>

#include "vector_events.h"

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

Loops loops_of(const WorkItem& item, const Mapping& mapping, Precision precision) {
  std::uint64_t features = mapping.features_per_tile(item.inputs);
  // Sums of weight gradients fill wavelets.
  if (item.operation == Operation::kGemmWeightGradient && precision == Precision::kFp16) {
    features = 2 * base::ceil_div(features, 2);
  }
  return {mapping.tokens_per_tile(item.loop_tokens()), features,
          CostTerms::weights(item.all_outputs(), features, item.density_ppm)};
}

/// Splits the vector steps of a GEMM: what the multiply-adds need with every lane busy, and the
/// rest.
void set_gemm(CauseCycles& c, const WorkItem& item, const Mapping& mapping,
              const CostTerms& terms) {
  const Loops loops = loops_of(item, mapping, terms.precision);
  const Cycles steps = terms.axpy(loops.weights, loops.tokens);
  const std::uint64_t all =
      multiply_adds(item, mapping, {{0, mapping.columns()}, {0, mapping.rows()}});
  const Cycles ideal = std::min<Cycles>(steps, all / (mapping.tiles() * terms.v()));
  c[static_cast<std::size_t>(Cause::kMultiplyAdd)] = ideal;
  c[static_cast<std::size_t>(Cause::kPadding)] = steps - ideal;
  const bool gradient = item.operation == Operation::kGemmWeightGradient;
  c[static_cast<std::size_t>(Cause::kVectorStart)] =
      gradient ? item.experts * terms.gradient_start(item.outputs, loops.tokens, loops.features,
                                                     mapping.columns() / mapping.copies())
               : terms.vector_start(loops.weights);
  c[static_cast<std::size_t>(Cause::kReduction)] =
      CostTerms::output_start(item.all_outputs()) +
      (gradient ? terms.column_reduction(item.all_outputs(), loops.features)
                : terms.row_reduction(item.all_outputs(), loops.tokens));
}

/// What a real mask takes beyond evenly spread weights, at most as long as weights that are all sent.
void set_imbalance(CauseCycles& c, const WorkItem& item, const Mapping& mapping,
                   const CostTerms& terms) {
  const Cycles even = total(c);
  if (item.masked_cycles <= even) return;
  CauseCycles dense{};
  WorkItem all = item;
  all.density_ppm = 1'000'000;
  set_gemm(dense, all, mapping, terms);
  const Cycles whole = std::max(even, std::min(item.masked_cycles, total(dense)));
  c[static_cast<std::size_t>(Cause::kImbalance)] = whole - even;
}

/// Columns of a copy are shared out to the heads; or a column has several.
AttentionLoops attention_loops(const WorkItem& item, const Mapping& mapping) {
  const std::uint64_t columns = mapping.columns() / mapping.copies();
  const std::uint64_t tokens = mapping.tokens_per_tile(item.tokens);
  AttentionLoops loops;
  loops.tokens = std::min(tokens, item.pattern.sequence);
  loops.keys = item.pattern.most_keys();
  loops.features = mapping.features_per_tile(item.inputs);
  loops.heads = base::ceil_div(item.heads, columns);
  loops.columns = std::max<std::uint64_t>(1, columns / item.heads);
  return loops;
}
/// Sequences in a tile, one after the other.
std::uint64_t sequences_of(const WorkItem& item, const Mapping& mapping) {
  return base::ceil_div(mapping.tokens_per_tile(item.tokens), item.pattern.sequence);
}

/// The causes of an operation's own work, but for what a matrix has beside its multiply-adds.
Cause main_cause(Operation operation) {
  switch (operation) {
    case Operation::kGemmForward:
    case Operation::kGemmInputGradient:
    case Operation::kGemmWeightGradient:
      return Cause::kMultiplyAdd;
    case Operation::kAttentionForward:
    case Operation::kAttentionBackward:
      return Cause::kAttention;
    case Operation::kVector:
      return Cause::kVector;
    case Operation::kLayerChange:
    case Operation::kRedistribute:
      return Cause::kLayerChange;
  }
  return Cause::kVector;
}

/// Steps with idle lanes cost what full ones do: padding takes its share of them.
void share_steps(CauseEvents& by, const CauseCycles& cycles, const EventCounts& steps) {
  const Cycles useful = cycles[static_cast<std::size_t>(Cause::kMultiplyAdd)];
  const Cycles all = useful + cycles[static_cast<std::size_t>(Cause::kPadding)];
  for (std::size_t kind = 0; kind < base::kNumEventKinds; ++kind) {
    const std::uint64_t own = all == 0 ? 0 : base::mul_div(steps[kind], useful, all);
    by[static_cast<std::size_t>(Cause::kMultiplyAdd)][kind] += own;
    by[static_cast<std::size_t>(Cause::kPadding)][kind] += steps[kind] - own;
  }
}

void add_gemm(CauseEvents& by, const CauseCycles& cycles, const WorkItem& item,
              const Mapping& mapping, const CostTerms& terms, std::uint64_t tiles) {
  const Loops loops = loops_of(item, mapping, terms.precision);
  const bool gradient = item.operation == Operation::kGemmWeightGradient;
  // Sums of an output are added while those of the one before leave; a weight gradient accumulates one at a
  // time in a register.
  const bool cached =
      gradient || 2 * loops.tokens * sum_bits(terms.precision) / 8 <= terms.config.cache_bytes;
  EventCounts vectors{};
  add_vector_steps(vectors, terms.axpy(loops.weights, loops.tokens) * tiles, terms.precision,
                   cached);
  share_steps(by, cycles, vectors);
  if (!gradient) {  // each weight comes in a wavelet
    at(by[static_cast<std::size_t>(Cause::kVectorStart)], EventKind::kTaskSwitch) +=
        loops.weights * tiles;
  }
  EventCounts& n = by[static_cast<std::size_t>(Cause::kReduction)];
  at(n, EventKind::kTaskSwitch) += item.all_outputs() * tiles;  // the microthread of the sums
  const std::uint64_t vector = gradient ? loops.features : loops.tokens;
  const std::uint64_t steps = tiles * (gradient ? terms.column_reduction(item.all_outputs(), vector)
                                                : terms.row_reduction(item.all_outputs(), vector));
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

/// Of a tile.
std::uint64_t moved_words(const WorkItem& item, const Mapping& mapping, const CostTerms& terms) {
  return base::ceil_div(base::ceil_div(item.tokens * item.inputs, terms.wire()), mapping.tiles());
}

}  // namespace

std::string_view name_of(Cause cause) {
  static constexpr std::array<std::string_view, kNumCauses> kNames = {
      "multiply_add", "padding",     "vector_start",  "reduction",   "attention",
      "vector",       "recompute",   "layer_change",  "weight_wait", "gradient_wait",
      "result_wait",  "update_wait", "pipeline_wait", "unplaced",    "mask_imbalance"};
  return kNames[static_cast<std::size_t>(cause)];
}

Cycles total(const CauseCycles& cycles) {
  return std::accumulate(cycles.begin(), cycles.end(), Cycles{0});
}

/// Counted from the kernel, instruction by instruction.
Cycles CostTerms::attention(const AttentionLoops& a, bool backward) const {
  const std::uint64_t f = a.features;
  const std::uint64_t others = a.columns - 1;
  const std::uint64_t share = wire() * base::ceil_div(a.tokens, a.columns * wire());  // of queries
  // Multiplications and conversions of a share; additions, moves or comparisons, at least two a step.
  const std::uint64_t single = base::ceil_div(share, config.lanes_fp32);
  const std::uint64_t half = base::ceil_div(share, std::max(2U, config.lanes_fp32));
  const bool wide = precision == Precision::kFp32;
  // Most are the exponential's.
  const std::uint64_t softmax = backward ? (wide ? 12 * single + 7 * half : 11 * single + 9 * half)
                                         : 10 * single + (wide ? 8 : 9) * half;
  const std::uint64_t exponential = 9 * single + 5 * half;
  // A share of the scores and one of their exponentials, sent and received by each of the others.
  const std::uint64_t planes = backward ? 2 : 1;
  const std::uint64_t ring = planes * others * ring_steps(share * (4 + element_bytes(precision)));
  const std::uint64_t scalars = a.heads * (backward ? 8 + 5 / wire() : 7 + 3 / wire());
  const std::uint64_t key =
      a.heads * softmax + ring + scalars + base::ceil_div(2 * f, wire()) + (backward ? 7 * f : 0);
  const std::uint64_t block =
      backward ? f * (base::ceil_div(a.tokens, 2) + 12) + 2 * kRingMessage * others
               : f * (a.tokens + 4) + a.heads * (exponential + 2 * single + 2 * half + 10) +
                     others * (2 * share + 3 * kRingMessage);
  // Before the first block and behind the last one.
  const std::uint64_t once = a.heads * a.tokens * (half + 1) +  // the mask of the own block
                             (backward ? 2 * f * a.tokens : f * a.tokens + a.heads * 28 * single);
  return once + attention_steps(a, backward) + a.keys * key +
         base::ceil_div(a.keys, std::max<std::uint64_t>(a.tokens, 1)) * block;
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
      set_imbalance(c, item, mapping, terms);
      break;
    case Operation::kAttentionForward:
    case Operation::kAttentionBackward:
      set(Cause::kAttention, sequences_of(item, mapping) *
                                 terms.attention(attention_loops(item, mapping),
                                                 item.operation == Operation::kAttentionBackward));
      break;
    case Operation::kVector:
      set(Cause::kVector, terms.vector(item.vector, mapping.tokens_per_tile(item.tokens),
                                       mapping.features_per_tile(item.inputs),
                                       mapping.columns() / mapping.copies(), mapping.rows()));
      break;
    case Operation::kLayerChange:
      set(Cause::kLayerChange, config.layer_change_cycles);
      break;
    case Operation::kRedistribute:
      set(Cause::kLayerChange, terms.redistribution(item.tokens, item.inputs, mapping));
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
  if (item.operation == Operation::kVector || item.operation == Operation::kLayerChange ||
      item.operation == Operation::kRedistribute) {
    return 0;
  }
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

namespace {

/// All but the cycles in which the tiles are active.
void add_work(CauseEvents& by, const CauseCycles& by_cause, const WorkItem& item,
              const Mapping& mapping, const CostTerms& terms, const base::Rectangle& rectangle) {
  const Precision precision = terms.precision;
  const std::uint64_t tiles = rectangle.tiles();
  const Cycles cycles = total(by_cause);
  EventCounts& n = by[static_cast<std::size_t>(main_cause(item.operation))];
  at(n, fmac_kind(precision)) += multiply_adds(item, mapping, rectangle);
  switch (item.operation) {
    case Operation::kGemmForward:
    case Operation::kGemmInputGradient:
    case Operation::kGemmWeightGradient:
      add_gemm(by, by_cause, item, mapping, terms, tiles);
      break;
    case Operation::kAttentionForward:
    case Operation::kAttentionBackward:
      add_vector_steps(n,
                       tiles * sequences_of(item, mapping) *
                           terms.attention_steps(attention_loops(item, mapping),
                                                 item.operation == Operation::kAttentionBackward),
                       precision, true);
      break;
    case Operation::kVector:
      add_vector_steps(n, cycles * tiles, Precision::kFp32, true);
      at(n, EventKind::kSramWrite32) += cycles * tiles;
      at(n, EventKind::kAddFp32) += cycles * tiles;
      break;
    case Operation::kLayerChange:
      break;
    case Operation::kRedistribute:
      at(n, EventKind::kSramRead32) = moved_words(item, mapping, terms) * tiles;
      at(n, EventKind::kSramWrite32) = moved_words(item, mapping, terms) * tiles;
      break;
  }
}

}  // namespace

EventCounts sum_of(const CauseEvents& by) {
  EventCounts sum{};
  for (const EventCounts& counts : by) {
    for (std::size_t kind = 0; kind < base::kNumEventKinds; ++kind) sum[kind] += counts[kind];
  }
  return sum;
}

CauseEvents events_by_cause(const WorkItem& item, const Mapping& mapping, const TileConfig& config,
                            Precision precision, const base::Rectangle& rectangle) {
  WorkItem work = item;  // by the causes of the work itself
  work.phase = base::Phase::kForward;
  const CauseCycles cycles = cycles_of(work, mapping, config, precision);
  CauseEvents by{};
  for (std::size_t cause = 0; cause < kNumCauses; ++cause) {
    at(by[cause], EventKind::kControlCycle) = cycles[cause] * rectangle.tiles();
    at(by[cause], EventKind::kClockRunning) = cycles[cause] * rectangle.tiles();
  }
  add_work(by, cycles, work, mapping, {config, precision}, rectangle);
  if (item.phase == base::Phase::kRecompute) {
    const EventCounts all = sum_of(by);
    by = {};
    by[static_cast<std::size_t>(Cause::kRecompute)] = all;
  }
  return by;
}

EventCounts events_of(const WorkItem& item, const Mapping& mapping, const TileConfig& config,
                      Precision precision, const base::Rectangle& rectangle) {
  return sum_of(events_by_cause(item, mapping, config, precision, rectangle));
}

}  // namespace wse::tiles
