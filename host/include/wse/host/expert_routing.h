// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace wse::host {

/// How uneven the routing of tokens to experts is, and how much of it an expert takes.
struct RoutingConfig {
  std::uint32_t capacity_ppm = 1'250'000;  ///< [fedus2022] capacity factor: tokens an expert takes,
                                           ///< of the mean
  std::uint32_t imbalance_ppm = 200'000;   ///< A-028: popularity is drawn from 1 -+ this
  std::uint64_t seed = 1;
};

/// Tokens of a micro-batch by expert of one layer.
struct ExpertLoad {
  std::vector<std::uint64_t> tokens;  ///< computed, by expert: at most the capacity
  std::uint64_t dropped = 0;          ///< tokens beyond it: they pass the layer by

  std::uint64_t computed() const;
};

/// Draws a popularity for every expert, then an expert for every token. The draw depends on seed,
/// layer and micro-batch only; integers throughout, so equal everywhere.
ExpertLoad route_tokens(const RoutingConfig& config, std::uint64_t experts, std::uint64_t tokens,
                        std::uint64_t layer, std::uint64_t micro_batch);

}  // namespace wse::host
