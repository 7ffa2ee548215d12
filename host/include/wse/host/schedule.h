// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "wse/base/work_item.h"
#include "wse/host/expert_routing.h"
#include "wse/host/model_spec.h"

namespace wse::host {

/// What a schedule depends on besides the model.
struct ScheduleConfig {
  std::vector<std::uint64_t> micro_batches;  ///< sequences of each
  std::uint64_t sequence = 0;                ///< tokens a sequence
  bool recompute = false;         ///< the layers' forward pass once more before the backward pass
  std::uint64_t kept_layers = 0;  ///< with `recompute`: the last ones keep theirs all the same
  /// Copies of the feature dimension, of each layer and then of what follows the last; empty: one.
  std::vector<std::uint32_t> copies{};
  bool scores_again = false;  ///< those over the vocabulary, in the backward pass: they do not fit
  std::uint32_t density_ppm = 1'000'000;  ///< non-zero weights
  base::Bytes block_bytes =
      16ULL << 20;  ///< A-015: matrices are streamed in blocks of about this size
  RoutingConfig routing{};
};

/// Whether the layer's forward pass is computed again.
inline bool recomputes(const ScheduleConfig& config, const ModelSpec& model, std::uint64_t layer) {
  return config.recompute && layer + config.kept_layers < model.layers;
}

/// Tokens that the sparse layers of a step route to experts.
struct RoutedTokens {
  std::uint64_t all = 0;
  std::uint64_t dropped = 0;  ///< beyond an expert's capacity
};
RoutedTokens routed_tokens(const ModelSpec& model, const ScheduleConfig& config);

/// Work items of one optimizer step, in the order in which the host injects them.
std::vector<base::WorkItem> build_schedule(const ModelSpec& model, const ScheduleConfig& config);

}  // namespace wse::host
