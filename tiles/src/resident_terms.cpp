// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/resident_terms.h"

#include <utility>

#include "vector_events.h"

namespace wse::tiles {

using base::Cycles;
using base::EventCounts;
using base::EventKind;
using base::Mapping;
using base::Operation;
using base::Rectangle;
using base::WorkItem;

namespace {

/// An item as the streaming terms see it, and the mesh it is laid over.
struct Turned {
  WorkItem item;
  bool mesh = false;  ///< columns and rows of the mesh in exchanged roles
};

/// Products exchange tokens and outputs; all but those that begin at the columns turn the mesh.
Turned turned(const WorkItem& item) {
  Turned t{item, true};
  t.item.copies = 1;
  switch (item.operation) {
    case Operation::kGemmForward:
    case Operation::kGemmWeightGradient:
      t.mesh = false;
      [[fallthrough]];
    case Operation::kGemmInputGradient:
      t.item.operation = Operation::kGemmForward;
      std::swap(t.item.tokens, t.item.outputs);
      break;
    case Operation::kAttentionForward:
    case Operation::kAttentionBackward:
    case Operation::kVector:
    case Operation::kLayerChange:
    case Operation::kRedistribute:
      break;
  }
  return t;
}

Mapping mapping_of(const Turned& t, const Rectangle& r) {
  return t.mesh ? Mapping(r.rows.size(), r.columns.size(), 1)
                : Mapping(r.columns.size(), r.rows.size(), 1);
}

base::Span from(base::Span span, std::uint32_t origin) {
  return {span.begin - origin, span.end - origin};
}
/// The part in coordinates of the mesh of the turned item.
Rectangle part_of(const Turned& t, const Rectangle& whole, const Rectangle& part) {
  const base::Span columns = from(part.columns, whole.columns.begin);
  const base::Span rows = from(part.rows, whole.rows.begin);
  return t.mesh ? Rectangle{rows, columns} : Rectangle{columns, rows};
}

bool is_gemm(const WorkItem& item) {
  return item.operation == Operation::kGemmForward ||
         item.operation == Operation::kGemmInputGradient ||
         item.operation == Operation::kGemmWeightGradient;
}
/// A layer's programs and routes stay where they are; and products that nobody reads are left out.
bool is_nothing(const WorkItem& item) {
  return item.operation == Operation::kLayerChange || item.operation == Operation::kRedistribute ||
         (is_gemm(item) && item.outputs == 0);
}

Cycles& of(CauseCycles& c, Cause cause) { return c[static_cast<std::size_t>(cause)]; }
EventCounts& of(CauseEvents& by, Cause cause) { return by[static_cast<std::size_t>(cause)]; }

/// Tiles that are active so many cycles.
CauseEvents active(const CauseCycles& cycles, std::uint64_t tiles) {
  CauseEvents by{};
  for (std::size_t cause = 0; cause < kNumCauses; ++cause) {
    at(by[cause], EventKind::kControlCycle) = cycles[cause] * tiles;
    at(by[cause], EventKind::kClockRunning) = cycles[cause] * tiles;
  }
  return by;
}

}  // namespace

/// Sums go around a ring of the tiles that share them: as in the streamed product.
Cycles ResidentTerms::fill(const WorkItem& item) const {
  if (item.operation == Operation::kGemmForward) {
    return fabric_.ring_cycles(rectangle_.columns.size());
  }
  if (item.operation == Operation::kGemmInputGradient) {
    return fabric_.ring_cycles(rectangle_.rows.size());
  }
  return 0;
}

/// As the streamed product, but that each tile keeps its sums: nothing is reduced.
void ResidentTerms::set_outer_product(const WorkItem& item, CauseCycles& c) const {
  const CostTerms terms{config_, precision_};
  const std::uint64_t starts = item.tokens * base::ceil_div(item.inputs, rectangle_.columns.size());
  const Cycles steps = terms.axpy(starts, base::ceil_div(item.outputs, rectangle_.rows.size()));
  const Cycles ideal =
      std::min<Cycles>(steps, multiply_adds(item, rectangle_) / (rectangle_.tiles() * terms.v()));
  of(c, Cause::kMultiplyAdd) = ideal;
  of(c, Cause::kPadding) = steps - ideal;
  of(c, Cause::kVectorStart) = terms.vector_start(starts);
}

CauseCycles ResidentTerms::cycles(const WorkItem& item) const {
  CauseCycles c{};
  if (is_nothing(item)) return c;
  if (item.operation == Operation::kGemmWeightGradient) {
    set_outer_product(item, c);
  } else {
    Turned t = turned(item);
    t.item.phase = base::Phase::kForward;  // by the causes of the work itself
    c = cycles_of(t.item, mapping_of(t, rectangle_), config_, precision_);
    of(c, Cause::kResultWait) += fill(item);
  }
  if (item.phase == base::Phase::kRecompute) {
    const Cycles all = total(c);
    c = {};
    of(c, Cause::kRecompute) = all;
  }
  return c;
}

std::uint64_t ResidentTerms::multiply_adds(const WorkItem& item, const Rectangle& part) const {
  if (is_nothing(item)) return 0;
  const Turned t = turned(item);
  return tiles::multiply_adds(t.item, mapping_of(t, rectangle_), part_of(t, rectangle_, part));
}

/// Both operands of a step and the sums that it adds to are in SRAM.
CauseEvents ResidentTerms::outer_product_events(const WorkItem& item, const Rectangle& part) const {
  const CostTerms terms{config_, precision_};
  const std::uint64_t starts = item.tokens * base::ceil_div(item.inputs, rectangle_.columns.size());
  const std::uint64_t steps =
      part.tiles() * terms.axpy(starts, base::ceil_div(item.outputs, rectangle_.rows.size()));
  CauseEvents by = active(cycles(item), part.tiles());
  EventCounts& n = of(by, Cause::kMultiplyAdd);
  add_vector_steps(n, steps, precision_, false);
  at(n, fmac_kind(precision_)) += multiply_adds(item, part);
  at(of(by, Cause::kVectorStart), EventKind::kTaskSwitch) += starts * part.tiles();
  return by;
}

/// Inputs come from the tiles of their rows to the columns that hold their weights, half of the row on
/// the mean, and pass all tiles of the column; sums pass all tiles of their row. Of the gradients of
/// inputs the same with rows and columns exchanged.
void ResidentTerms::add_wavelets(const WorkItem& item, const Rectangle& part, bool north, bool west,
                                 CauseEvents& by) const {
  const bool forward = item.operation == Operation::kGemmForward;
  if (!forward && item.operation != Operation::kGemmInputGradient) return;
  const std::uint64_t wire = CostTerms{config_, precision_}.wire();
  const std::uint64_t across = forward ? rectangle_.columns.size() : rectangle_.rows.size();
  const std::uint64_t down = forward ? rectangle_.rows.size() : rectangle_.columns.size();
  const auto a_token = [wire](std::uint64_t features, std::uint64_t tiles) {
    return base::ceil_div(base::ceil_div(features, tiles), wire);
  };
  const std::uint64_t inputs = item.tokens * a_token(item.inputs, across);
  const std::uint64_t moved = item.tokens * a_token(item.inputs, down) / 2;
  const std::uint64_t sums = item.tokens * a_token(item.outputs, down);
  EventCounts& come = of(by, Cause::kVectorStart);
  at(come, EventKind::kRouterTraversal) += part.tiles() * (inputs + moved);
  at(come, EventKind::kLinkHop) += part.tiles() * (inputs + moved);
  at(come, EventKind::kRamp) += part.tiles() * inputs;
  EventCounts& reduced = of(by, Cause::kReduction);
  at(reduced, EventKind::kRouterTraversal) += part.tiles() * 2 * sums;
  at(reduced, EventKind::kLinkHop) += part.tiles() * sums;
  at(reduced, EventKind::kRamp) += part.tiles() * 2 * sums;
  const std::uint64_t along = forward ? (west ? part.rows.size() : 0)  // links along which sums go
                                      : (north ? part.columns.size() : 0);
  const std::uint64_t against =
      forward ? (north ? part.columns.size() : 0) : (west ? part.rows.size() : 0);
  at(come, EventKind::kDieCrossing) += against * inputs + along * moved;
  at(reduced, EventKind::kDieCrossing) += along * sums;
}

CauseEvents ResidentTerms::events(const WorkItem& item, const Rectangle& part, bool north,
                                  bool west) const {
  if (is_nothing(item)) return {};
  CauseEvents by{};
  if (item.operation == Operation::kGemmWeightGradient) {
    by = outer_product_events(item, part);
  } else {
    Turned t = turned(item);
    t.item.phase = base::Phase::kForward;
    by = events_by_cause(t.item, mapping_of(t, rectangle_), config_, precision_,
                         part_of(t, rectangle_, part));
    add_wavelets(item, part, north, west, by);
  }
  if (item.phase == base::Phase::kRecompute) {
    const EventCounts all = sum_of(by);
    by = {};
    of(by, Cause::kRecompute) = all;
  }
  return by;
}

/// Of 36 steps 20 multiply or add; weight, gradient and two moments are read, these and the fp16 weight
/// written.
CauseEvents ResidentTerms::update_events(std::uint64_t parameters, const Rectangle& part) const {
  CauseCycles cycles{};
  of(cycles, Cause::kVector) = update_cycles(parameters);
  CauseEvents by = active(cycles, part.tiles());
  EventCounts& n = of(by, Cause::kVector);
  const std::uint64_t all = parameters * part.tiles();
  at(n, EventKind::kFmacFp32) = 20 * all;
  at(n, EventKind::kSramRead32) = 4 * all;
  at(n, EventKind::kSramWrite32) = 5 * all;
  at(n, EventKind::kLocalCache) = 2 * kUpdateCycles * all;
  at(n, EventKind::kIntAlu) = 6 * kUpdateCycles * all;
  return by;
}

/// Words are read in one row and written in another.
CauseEvents ResidentTerms::look_up_events(std::uint64_t tokens, std::uint64_t features,
                                          const Rectangle& part) const {
  CauseCycles cycles{};
  of(cycles, Cause::kVector) = look_up_cycles(tokens, features);
  CauseEvents by = active(cycles, part.tiles());
  EventCounts& n = of(by, Cause::kVector);
  const std::uint64_t wire = CostTerms{config_, precision_}.wire();
  const std::uint64_t words =
      tokens * base::ceil_div(base::ceil_div(features, rectangle_.columns.size()), wire);
  at(n, EventKind::kLinkHop) = words * part.tiles();
  at(n, EventKind::kRouterTraversal) = words * part.tiles();
  at(n, EventKind::kSramRead32) = words * part.columns.size();
  at(n, EventKind::kSramWrite32) = words * part.columns.size();
  return by;
}

Cycles ResidentTerms::look_up_cycles(std::uint64_t tokens, std::uint64_t features) const {
  constexpr Cycles kLookUp = 5;
  const std::uint64_t wire = CostTerms{config_, precision_}.wire();
  return tokens *
         (base::ceil_div(base::ceil_div(features, rectangle_.columns.size()), wire) + kLookUp);
}

}  // namespace wse::tiles
