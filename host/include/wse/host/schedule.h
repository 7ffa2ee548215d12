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
  bool recompute = false;  ///< the layers' forward pass once more before the backward pass
  /// SRAM for activations: scores over a vocabulary that do not fit beside what is kept are computed
  /// again in the backward pass.
  base::Bytes activation_bytes = ~base::Bytes{0};
  std::uint32_t density_ppm = 1'000'000;  ///< non-zero weights
  base::Bytes block_bytes =
      16ULL << 20;  ///< A-015: matrices are streamed in blocks of about this size
  RoutingConfig routing{};
};

/// Tokens that the sparse layers of a step route to experts.
struct RoutedTokens {
  std::uint64_t all = 0;
  std::uint64_t dropped = 0;  ///< beyond an expert's capacity
};
RoutedTokens routed_tokens(const ModelSpec& model, const ScheduleConfig& config);

/// Work items of one optimizer step, in the order in which the host injects them.
std::vector<base::WorkItem> build_schedule(const ModelSpec& model, const ScheduleConfig& config);

}  // namespace wse::host
