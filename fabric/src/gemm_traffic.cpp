// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/gemm_traffic.h"

namespace wse::fabric {

GemmTraffic gemm_traffic(const base::WorkItem& item, const base::Mapping& mapping,
                         const base::Rectangle& tiles, std::uint32_t sum_bits) {
  GemmTraffic t;
  for (std::uint32_t copy = 0; copy < mapping.copies(); ++copy) {
    t.weights += item.experts * mapping.weights_in(copy, tiles.columns, item.inputs, item.outputs,
                                                   item.density_ppm);
  }
  const std::uint64_t tokens = mapping.tokens_per_tile(item.loop_tokens());
  t.row_sums = item.all_outputs() * base::ceil_div(tokens * sum_bits, 32);
  return t;
}

base::EventCounts gemm_events(const GemmTraffic& traffic, const base::Rectangle& tiles) {
  const std::uint64_t weights = traffic.weights * tiles.rows.size();
  const std::uint64_t sums = traffic.row_sums * tiles.tiles();
  base::EventCounts n{};
  at(n, base::EventKind::kRouterTraversal) = weights + 2 * sums;
  at(n, base::EventKind::kLinkHop) = weights + sums;
  at(n, base::EventKind::kRamp) = weights + 2 * sums;
  return n;
}

}  // namespace wse::fabric
