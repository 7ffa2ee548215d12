// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/gemm_traffic.h"

namespace wse::fabric {

using base::EventCounts;
using base::EventKind;
using base::Operation;

EventCounts GemmTraffic::broadcast_events() const {
  EventCounts n{};
  at(n, EventKind::kRouterTraversal) = broadcast;
  at(n, EventKind::kLinkHop) = broadcast;
  at(n, EventKind::kRamp) = broadcast;
  return n;
}

/// A sum leaves a tile by the ramp and enters the next one by the ramp.
EventCounts GemmTraffic::sum_events() const {
  EventCounts n{};
  at(n, EventKind::kRouterTraversal) = (sum_hops + 1) * sums;
  at(n, EventKind::kLinkHop) = sum_hops * sums;
  at(n, EventKind::kRamp) = 2 * sums;
  return n;
}

GemmTraffic gemm_traffic(const base::WorkItem& item, const base::Mapping& mapping,
                         const base::Rectangle& tiles, std::uint32_t sum_bits) {
  const std::uint64_t rows = tiles.rows.size();
  const std::uint64_t columns = tiles.columns.size();
  const std::uint64_t tokens = mapping.tokens_per_tile(item.loop_tokens());
  GemmTraffic t;
  if (item.operation == Operation::kGemmForward ||
      item.operation == Operation::kGemmInputGradient) {
    for (std::uint32_t copy = 0; copy < mapping.copies(); ++copy) {
      t.broadcast_at_edge += item.experts * mapping.weights_in(copy, tiles.columns, item.inputs,
                                                               item.outputs, item.density_ppm);
    }
    const std::uint64_t a_row = item.all_outputs() * base::ceil_div(tokens * sum_bits, 32);
    t.broadcast = t.broadcast_at_edge * rows;
    t.sums = a_row * rows * columns;
    // The ring of a row is folded: out over every other tile, back over the others.
    t.sum_hops = 2;
    t.sums_at_edge = t.sum_hops * a_row * rows;
  } else if (item.operation == Operation::kGemmWeightGradient) {
    const std::uint64_t a_row = item.all_outputs() * base::ceil_div(tokens * sum_bits, 32);
    const std::uint64_t a_column = item.all_outputs() * mapping.features_per_tile(item.inputs);
    t.broadcast_at_edge = a_row * rows;
    t.broadcast = t.broadcast_at_edge * columns;
    t.sums_at_edge = a_column * columns;
    t.sums = t.sums_at_edge * rows;
  }
  return t;
}

EventCounts gemm_events(const GemmTraffic& traffic) {
  EventCounts n = traffic.broadcast_events();
  const EventCounts sums = traffic.sum_events();
  for (std::size_t k = 0; k < n.size(); ++k) n[k] += sums[k];
  return n;
}

}  // namespace wse::fabric
