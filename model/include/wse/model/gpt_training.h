// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "wse/host/adam.h"
#include "wse/host/text_tokens.h"
#include "wse/model/gpt_step.h"

namespace wse::model {

/// A GPT that learns a text, its steps at the cycle level.
struct GptTraining {
  GptMesh on;  ///< as its step was made for
  std::uint64_t steps = 1;
  std::uint64_t seed = 1;  ///< of the parameters, and of the place in the text
  host::AdamConfig adam;
  tiles::TileConfig tile;  ///< of the transaction level, for predictions
  /// Called after each step with the steps done, and often in between; may throw to end the run.
  std::function<void(std::uint64_t steps)> progress;
  /// Before each kernel, see tiles::ChainHooks.
  std::function<void(const std::string&, tiles::TileMesh&, std::uint32_t)> before;
  std::function<void(const tiles::TileMesh&)> after;
};

struct GptTrainingResult {
  std::vector<double> loss;  ///< by step: mean of all tokens, nats, before the parameters move
  /// The same in double precision on the host, which moves parameters of its own by its own gradients.
  std::vector<double> reference_loss;
  std::vector<tiles::OperationCost> costs;  ///< of all steps, by operation
  std::vector<GptOperationPlan> plans;      ///< of a step, by operation, in the same order
  std::vector<std::uint64_t> hops_by_tile;  ///< of all steps, row 0 that of the lanes
  base::Cycles cycles = 0;                  ///< of all steps, kernels one after the other
  base::Cycles load_cycles = 0;             ///< of their programs, beside those (A-100)
  std::size_t operations = 0;               ///< kernels of a step
  std::uint32_t activation_bytes = 0;       ///< of a tile, kept from kernel to kernel
  std::size_t parameters = 0;
  std::string result_hash;  ///< of losses, and of cycles and counts by operation

  /// Largest difference of the losses over that in double precision.
  double max_rel_error() const;
  base::EventCounts events() const;
};

/// Trains with a step that has not run yet. Throws ConfigError for texts that are too short.
GptTrainingResult train_gpt(const GptTraining& training, GptStep& step,
                            const host::TextTokens& text);

}  // namespace wse::model
