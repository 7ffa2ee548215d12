// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "wse/host/model_spec.h"

namespace wse::host {

/// A GPT-2 whose numbers are computed: learned positions, norms before the blocks, a GELU by tanh,
/// biases, and a head that is the table of words.
struct GptShape {
  std::uint32_t layers = 2;
  std::uint32_t width = 64;
  std::uint32_t heads = 4;
  std::uint32_t feed_forward = 256;
  std::uint32_t vocabulary = 96;
  std::uint32_t positions = 64;  ///< also the tokens of a sequence

  std::uint32_t head_features() const { return width / heads; }
  /// Throws ConfigError with all that the model has and this one has not.
  static GptShape of(const ModelSpec& spec);
};

/// Where the parameters lie in one flat vector. Matrices are [inputs, outputs], row-major; a norm is its
/// scales, then its shifts; outputs of qkv are queries, keys, values, each by head.
class GptOffsets {
 public:
  struct Layer {
    std::size_t norm_1, qkv, qkv_bias, projection, projection_bias;
    std::size_t norm_2, up, up_bias, down, down_bias;
  };
  explicit GptOffsets(const GptShape& shape);

  std::size_t words() const { return 0; }  ///< [vocabulary, width]
  std::size_t positions() const { return positions_; }
  const Layer& layer(std::uint32_t l) const { return layers_[l]; }
  std::size_t final_norm() const { return final_norm_; }
  std::size_t count() const { return count_; }

 private:
  std::size_t positions_ = 0, final_norm_ = 0, count_ = 0;
  std::vector<Layer> layers_;
};

/// Before training: matrices and tables uniform with a standard deviation of 0.02 [radford2019], scales
/// 1, all else 0. The same on every computer.
std::vector<double> initial_parameters(const GptShape& shape, std::uint64_t seed);

}  // namespace wse::host
