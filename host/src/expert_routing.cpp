// SPDX-License-Identifier: Apache-2.0
#include "wse/host/expert_routing.h"

#include <numeric>

#include "wse/base/random.h"
#include "wse/base/units.h"

namespace wse::host {
namespace {

constexpr std::uint64_t kMillion = 1'000'000;
constexpr std::uint64_t kShares = 64;  ///< of a mean expert: popularity in steps of a 64th

/// A table in which an expert stands as often as its popularity: one look-up draws a token's expert.
std::vector<std::uint32_t> draw_popularity(std::uint64_t experts, std::uint64_t imbalance_ppm,
                                           base::Random& random) {
  const std::uint64_t spread = kShares * imbalance_ppm / kMillion;
  std::vector<std::uint32_t> table;
  table.reserve(experts * kShares);
  for (std::uint64_t e = 0; e < experts; ++e) {
    const std::uint64_t shares = kShares - spread + random.below(2 * spread + 1);
    table.insert(table.end(), shares, static_cast<std::uint32_t>(e));
  }
  return table;
}

}  // namespace

std::uint64_t ExpertLoad::computed() const {
  return std::accumulate(tokens.begin(), tokens.end(), std::uint64_t{0});
}

ExpertLoad route_tokens(const RoutingConfig& config, std::uint64_t experts, std::uint64_t tokens,
                        std::uint64_t layer, std::uint64_t micro_batch) {
  base::Random random(config.seed ^ (layer << 32) ^ (micro_batch << 48));
  const std::vector<std::uint32_t> table = draw_popularity(experts, config.imbalance_ppm, random);
  const std::uint64_t capacity =
      base::ceil_div(base::mul_div_up(tokens, config.capacity_ppm, kMillion), experts);
  ExpertLoad load;
  load.tokens.assign(experts, 0);
  for (std::uint64_t t = 0; t < tokens; ++t) {
    std::uint64_t& expert = load.tokens[table[random.below(table.size())]];
    expert < capacity ? ++expert : ++load.dropped;
  }
  return load;
}

}  // namespace wse::host
