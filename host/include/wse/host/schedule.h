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
  std::uint32_t density_ppm = 1'000'000;  ///< non-zero weights
  base::Bytes block_bytes =
      16ULL << 20;  ///< A-015: matrices are streamed in blocks of about this size
  RoutingConfig routing{};
};

/// SIMD passes over the elements of a vector operation (A-014: counted from their textbook
/// formulas).
struct VectorPasses {
  static constexpr std::uint64_t kNormForward =
      6;  ///< mean, two for the variance, two to normalise, scale and shift
  static constexpr std::uint64_t kNormBackward = 10;
  static constexpr std::uint64_t kGeluForward = 10;  ///< tanh form
  static constexpr std::uint64_t kGeluBackward = 12;
  static constexpr std::uint64_t kReluForward = 1;
  static constexpr std::uint64_t kReluBackward = 2;
  static constexpr std::uint64_t kGateForward = 10;  ///< x sigmoid(x), times the other projection
  static constexpr std::uint64_t kGateBackward = 14;
  static constexpr std::uint64_t kResidual = 1;
  static constexpr std::uint64_t kRouteForward =
      8;  ///< softmax over the experts, the largest, shares for the balancing loss
  static constexpr std::uint64_t kRouteBackward = 8;
  static constexpr std::uint64_t kScaleByRoute = 1;
  static constexpr std::uint64_t kDistances = 1;  ///< the bias of a distance, added to the scores
  static constexpr std::uint64_t kLoss = 13;      ///< exponential, sum, logarithm, gradient
  static constexpr std::uint64_t kEmbedding = 1;
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
