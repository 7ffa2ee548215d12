// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wse/base/attention_pattern.h"
#include "wse/base/config_errors.h"
#include "wse/base/work_item.h"

namespace wse::host {

/// A weight matrix with its bias: y = x W + b.
struct Matrix {
  std::uint64_t inputs = 0;
  std::uint64_t outputs = 0;
  bool bias = true;
  base::Tensor tensor = base::Tensor::kAttention;

  std::uint64_t weights() const { return inputs * outputs; }
  std::uint64_t parameters() const { return weights() + (bias ? outputs : 0); }
};

/// A matrix behind the last layer.
struct TailMatrix {
  Matrix matrix;
  bool tied = false;          ///< its weights are those of the embedding
  bool per_sequence = false;  ///< sees one token of each sequence
  bool norm_follows = false;
};

/// What follows the last layer.
enum class Head {
  kNone,
  kLanguageModel,  ///< every token over the vocabulary
  kPooler,         ///< a dense layer on the first token
  kClassifier,     ///< the pooler, and two labels
  kPretraining,    ///< the language model, the pooler, and two labels
};

/// A transformer, as far as training traffic depends on it.
struct ModelSpec {
  std::string name;
  std::string type;          ///< Hugging Face model_type
  std::uint64_t layers = 0;  ///< of the encoder, if any, and then of the decoder
  std::uint64_t encoder_layers =
      0;                    ///< they see everything; the layers after them see their result
  std::uint64_t width = 0;  ///< features of the residual stream
  std::uint64_t heads = 0;
  std::uint64_t attention_width = 0;  ///< features of all heads together
  std::uint64_t key_value_width = 0;  ///< features of the keys, and of the values
  std::uint64_t feed_forward = 0;     ///< features inside the feed-forward block
  std::uint64_t vocabulary = 0;
  std::uint64_t positions = 0;      ///< longest sequence
  bool learned_positions = false;   ///< a table of positions, else rotary or relative
  bool relative_positions = false;  ///< a matrix of every layer for the keys' relative positions
  std::uint64_t relative_buckets =
      0;                      ///< rows of a table of distances, a column a head, one a stack
  std::uint64_t experts = 0;  ///< feed-forward blocks of a sparse layer; a token sees one
  std::uint64_t encoder_expert_step = 0;  ///< every how many layers of the encoder; 0: none
  std::uint64_t decoder_expert_step = 0;
  bool router_bias = false;
  std::uint64_t image_vocabulary = 0;  ///< image tokens beside those of the text
  std::uint64_t image_side = 0;   ///< rows and columns of an image behind the text; 0: text only
  std::uint64_t token_types = 0;  ///< rows of a table of token types
  bool causal = true;             ///< a token sees itself and those before; else all
  bool parallel_blocks = false;   ///< attention and feed-forward start together
  bool gated = false;             ///< the feed-forward block multiplies two projections
  bool relu = false;              ///< its activation is max(x, 0), else GELU
  bool attention_bias = true;     ///< of queries, keys and values, and of the projection
  bool feed_forward_bias = true;
  bool norm_bias = true;  ///< a shift beside the scale
  std::uint64_t norms_per_layer = 2;
  bool embedding_norm = false;
  bool final_norm = true;
  bool tied_head = false;  ///< the head is the embedding
  bool head_bias = false;
  bool head_transform = false;  ///< a dense layer and a normalisation before the vocabulary
  Head head = Head::kLanguageModel;
  std::optional<std::uint64_t> stated_parameters;

  Matrix query_key_value() const {
    return {width,
            attention_width + 2 * key_value_width + (relative_positions ? attention_width : 0),
            attention_bias};
  }
  Matrix projection() const { return {attention_width, width, attention_bias}; }
  Matrix up() const {
    return {width, (gated ? 2 : 1) * feed_forward, feed_forward_bias, base::Tensor::kFeedForward};
  }
  Matrix down() const {
    return {feed_forward, width, feed_forward_bias, base::Tensor::kFeedForward};
  }
  Matrix cross_query() const { return {width, attention_width, attention_bias}; }
  Matrix cross_key_value() const { return {width, 2 * key_value_width, attention_bias}; }
  Matrix router() const { return {width, experts, router_bias, base::Tensor::kRouter}; }

  bool in_encoder(std::uint64_t layer) const { return layer < encoder_layers; }
  bool begins_stack(std::uint64_t layer) const { return layer == 0 || layer == encoder_layers; }
  /// Attends to the result of the encoder.
  bool has_cross_attention(std::uint64_t layer) const {
    return encoder_layers > 0 && !in_encoder(layer);
  }
  /// Feed-forward blocks of the layer.
  std::uint64_t experts_of(std::uint64_t layer) const;
  std::uint64_t norms_of(std::uint64_t layer) const {
    return norms_per_layer + (has_cross_attention(layer) ? 1 : 0);
  }
  std::uint64_t stacks() const { return encoder_layers > 0 ? 2 : 1; }
  /// Keys that a token sees in a layer, 0 the first. Images: rows, every fourth layer columns, the
  /// last a convolution [ramesh2021, A-026].
  base::AttentionPattern pattern(std::uint64_t layer, std::uint64_t sequence) const;
  /// In the order of the forward pass.
  std::vector<TailMatrix> tail() const;

  std::uint64_t norm_parameters() const { return norm_bias ? 2 * width : width; }
  /// Of the matrices of a layer that a token sees: of one expert.
  std::uint64_t active_parameters(std::uint64_t layer) const;
  std::uint64_t layer_parameters(std::uint64_t layer) const;
  std::uint64_t embedding_parameters() const;
  std::uint64_t tail_parameters() const;
  std::uint64_t parameters() const;

  /// Multiply-adds of the forward pass: layers once, and all that follows them. Scores and context
  /// count one for each key a token sees and feature.
  std::uint64_t layers_multiply_adds(std::uint64_t sequences, std::uint64_t sequence) const;
  std::uint64_t forward_multiply_adds(std::uint64_t sequences, std::uint64_t sequence) const;

  /// Bytes of a layer's intermediates a token, fp16, without attention matrices
  /// [korthikanti2022]: 34 width where the feed-forward block is four times as wide.
  /// Attention to the encoder keeps 13 width more, routing a probability an expert.
  std::uint64_t intermediate_bytes(std::uint64_t layer) const {
    return intermediate_bytes(layer, [](std::uint64_t features) { return features; });
  }
  /// The same where only `share(features)` of so many features are in one place.
  template <class Share>
  std::uint64_t intermediate_bytes(std::uint64_t layer, const Share& share) const {
    return 18 * share(width) + (gated ? 6 : 4) * share(feed_forward) +
           (has_cross_attention(layer) ? 13 * share(width) : 0) +
           (experts_of(layer) > 1 ? 2 * share(experts) : 0);
  }
  std::uint64_t largest_intermediate_bytes() const;

  void validate(const std::string& place, base::ConfigErrors& errors) const;

 private:
  void check_stated(const std::string& place, base::ConfigErrors& errors) const;
};

/// Reads a Hugging Face `config.json` of model_type gpt_neox, gpt2, gptj, llama, bert or
/// switch_transformers, and files of the same form for gopher and dalle. Keys that are not needed take the defaults of the
/// configuration class; `architectures` decides the head.
/// Throws ConfigError with every violation.
ModelSpec read_model(const std::string& path, const std::string& name);

}  // namespace wse::host
