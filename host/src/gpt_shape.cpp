// SPDX-License-Identifier: Apache-2.0
#include "wse/host/gpt_shape.h"

#include <utility>

#include "wse/base/config_errors.h"
#include "wse/base/random.h"

namespace wse::host {

GptShape GptShape::of(const ModelSpec& spec) {
  base::ConfigErrors errors;
  const auto require = [&](bool holds, const char* key, const auto& value, const char* rule) {
    errors.require(holds, key, value, rule);
  };
  require(spec.type == "gpt2", "model_type", spec.type, "must be gpt2 to be trained in cycles");
  require(spec.head == Head::kLanguageModel, "architectures", spec.type,
          "must end with a language model");
  require(spec.tied_head, "tie_word_embeddings", spec.tied_head, "must be true");
  require(spec.learned_positions, "n_positions", spec.positions, "must be a table");
  require(spec.attention_width == spec.width, "n_head", spec.heads, "must divide n_embd");
  const std::pair<const char*, std::uint64_t> sizes[]{
      {"n_layer", spec.layers},        {"n_embd", spec.width},
      {"n_head", spec.heads},          {"n_inner", spec.feed_forward},
      {"vocab_size", spec.vocabulary}, {"n_positions", spec.positions}};
  for (const auto& [key, n] : sizes) require(n >= 1 && n <= 4096, key, n, "must be 1 .. 4096");
  errors.throw_if_any();
  const auto of = [](std::uint64_t n) { return static_cast<std::uint32_t>(n); };
  return {of(spec.layers),       of(spec.width),      of(spec.heads),
          of(spec.feed_forward), of(spec.vocabulary), of(spec.positions)};
}

GptOffsets::GptOffsets(const GptShape& shape) {
  const std::size_t width = shape.width;
  const std::size_t inner = shape.feed_forward;
  const auto take = [this](std::size_t n) {
    const std::size_t first = count_;
    count_ += n;
    return first;
  };
  take(shape.vocabulary * width);
  positions_ = take(shape.positions * width);
  for (std::uint32_t l = 0; l < shape.layers; ++l) {
    Layer layer{};
    layer.norm_1 = take(2 * width);
    layer.qkv = take(width * 3 * width);
    layer.qkv_bias = take(3 * width);
    layer.projection = take(width * width);
    layer.projection_bias = take(width);
    layer.norm_2 = take(2 * width);
    layer.up = take(width * inner);
    layer.up_bias = take(inner);
    layer.down = take(inner * width);
    layer.down_bias = take(width);
    layers_.push_back(layer);
  }
  final_norm_ = take(2 * width);
}

std::vector<double> initial_parameters(const GptShape& shape, std::uint64_t seed) {
  constexpr double kHalfWidth = 0.03464101615137755;  // 0.02 sqrt(3)
  const GptOffsets at(shape);
  std::vector<double> parameters(at.count(), 0.0);
  base::Random random(seed);
  const auto fill = [&](std::size_t first, std::size_t n) {
    for (std::size_t i = first; i < first + n; ++i) {
      const auto bits = static_cast<double>(random.next() >> 11);  // 53 bits
      parameters[i] = kHalfWidth * (bits * 0x1p-52 - 1);
    }
  };
  const auto ones = [&](std::size_t first) {
    for (std::size_t i = first; i < first + shape.width; ++i) parameters[i] = 1;
  };
  const std::size_t width = shape.width;
  fill(at.words(), (shape.vocabulary + std::size_t{shape.positions}) * width);
  for (std::uint32_t l = 0; l < shape.layers; ++l) {
    const GptOffsets::Layer& layer = at.layer(l);
    ones(layer.norm_1);
    fill(layer.qkv, 3 * width * width);
    fill(layer.projection, width * width);
    ones(layer.norm_2);
    fill(layer.up, width * shape.feed_forward);
    fill(layer.down, width * shape.feed_forward);
  }
  ones(at.final_norm());
  return parameters;
}

}  // namespace wse::host
