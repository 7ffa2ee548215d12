// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wse/base/config_errors.h"

namespace wse::host {

/// A decoder-only transformer, as far as training traffic depends on it.
struct ModelSpec {
  std::string name;
  std::string type;  ///< Hugging Face model_type
  std::uint64_t layers = 0;
  std::uint64_t width = 0;  ///< features of the residual stream
  std::uint64_t heads = 0;
  std::uint64_t feed_forward = 0;  ///< features inside the feed-forward block
  std::uint64_t vocabulary = 0;
  std::uint64_t positions = 0;     ///< longest sequence
  bool learned_positions = false;  ///< a table of positions, else rotary
  bool parallel_blocks = false;  ///< attention and feed-forward start together from the same input
  bool tied_head = false;        ///< the head is the embedding
  bool head = true;              ///< a language-model head follows the last layer
  std::optional<std::uint64_t> stated_parameters;

  std::uint64_t layer_matrix_parameters() const {
    return 4 * width * width + 2 * width * feed_forward;
  }
  /// Matrices, their biases, two normalisations.
  std::uint64_t layer_parameters() const {
    return layer_matrix_parameters() + (5 * width + feed_forward) + 4 * width;
  }
  std::uint64_t final_norm_parameters() const { return 2 * width; }
  std::uint64_t head_parameters() const { return head ? vocabulary * width : 0; }
  std::uint64_t embedding_parameters() const {
    return vocabulary * width + (learned_positions ? positions * width : 0);
  }
  std::uint64_t parameters() const;
  /// Matrix parameters a token is multiplied with, the head included, look-ups excluded.
  std::uint64_t multiplied_parameters() const {
    return layers * layer_matrix_parameters() + head_parameters();
  }
  /// Multiply-adds of the forward pass of a token, causal attention over (sequence + 1) / 2 keys on
  /// the mean.
  std::uint64_t forward_multiply_adds(std::uint64_t sequence) const {
    return multiplied_parameters() + layers * (sequence + 1) * width;
  }
  /// Of the layers alone: what recomputation does once more.
  std::uint64_t recomputed_multiply_adds(std::uint64_t sequence) const {
    return layers * (layer_matrix_parameters() + (sequence + 1) * width);
  }

  void validate(const std::string& place, base::ConfigErrors& errors) const;
};

/// Reads a Hugging Face `config.json` of model_type gpt_neox or gpt2. Keys that are not needed take
/// the defaults of the configuration class; `architectures` decides the head. Throws ConfigError
/// with every violation.
ModelSpec read_model(const std::string& path, const std::string& name);

}  // namespace wse::host
