// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "wse/host/gpt_shape.h"
#include "wse/host/text_tokens.h"

namespace wse::host {

/// A loss and its gradients.
struct GptResult {
  double loss = 0;                ///< mean cross-entropy of all tokens, nats
  std::vector<double> gradients;  ///< of the parameters, in their order
};

/// A training step's loss and gradients in double precision, by plain loops: what others are compared
/// with. `parameters` as GptOffsets has them; tokens and targets are smaller than the vocabulary,
/// sequences as long as there are positions.
GptResult reference_step(const GptShape& shape, const std::vector<double>& parameters,
                         const TokenBatch& batch);
/// The loss alone.
double reference_loss(const GptShape& shape, const std::vector<double>& parameters,
                      const TokenBatch& batch);

}  // namespace wse::host
