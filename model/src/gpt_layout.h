// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "wse/model/gpt_mesh.h"

namespace wse::model {

/// Where the activations of a GPT lie in each tile, in bytes: what an operation writes, the next ones
/// read in place. What is read in the backward pass has its own place in each layer.
struct GptLayout {
  explicit GptLayout(const GptMesh& on);

  struct Norm {
    std::uint32_t x, y, mean, rstd;
  };
  struct Layer {
    Norm norm_1;
    std::uint32_t qkv, log_sums, context;
    Norm norm_2;
    std::uint32_t up, active;
  };
  std::vector<Layer> layers;
  Norm final_norm{};
  std::uint32_t logits = 0, losses = 0, targets = 0;
  /// Of width: the result of a block before it is added, the gradient of the residual stream, of a
  /// result of a norm, of its input.
  std::uint32_t block = 0, dx = 0, dnorm = 0, dblock = 0;
  std::uint32_t dcontext = 0, dqkv = 0, dup = 0, dactive = 0, dlogits = 0;
  std::uint32_t norm_parameters = 0;  ///< scales, then shifts of the tile's features
  std::uint32_t norm_sums = 0;        ///< what the gradient of a norm sends
  std::uint32_t end = 0;              ///< here the scratch of the programs begins

 private:
  /// Begin in the pair of banks that the kernels prefer: features in 0 where they are multiplied, in 2 where
  /// sums end; words of tokens where RowwiseProgram would put them.
  std::uint32_t features(std::uint32_t n, std::uint32_t pair);
  std::uint32_t words(std::uint32_t n, std::uint32_t pair);
  Norm norm(std::uint32_t x);

  const GptMesh on_;
};

}  // namespace wse::model
