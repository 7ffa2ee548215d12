// SPDX-License-Identifier: Apache-2.0
#include "gpt_layout.h"

namespace wse::model {
namespace {

constexpr std::uint32_t kPair = 8;   // bytes
constexpr std::uint32_t kTurn = 32;  // bytes: four pairs of banks

}  // namespace

std::uint32_t GptLayout::features(std::uint32_t n, std::uint32_t pair) {
  return words(on_.features(n) * on_.stride(), pair);
}

std::uint32_t GptLayout::words(std::uint32_t n, std::uint32_t pair) {
  const std::uint32_t at = (end + kTurn - 1) / kTurn * kTurn + pair * kPair;
  end = at + 4 * n;
  return at;
}

GptLayout::Norm GptLayout::norm(std::uint32_t x) {
  const std::uint32_t y = features(on_.shape.width, 0);
  const std::uint32_t mean = words(on_.stride(), 2);
  return {x, y, mean, words(on_.stride(), 1)};
}

GptLayout::GptLayout(const GptMesh& on) : on_(on) {
  const std::uint32_t width = on.shape.width;
  const std::uint32_t inner = on.shape.feed_forward;
  std::uint32_t x = features(width, 0);
  for (std::uint32_t l = 0; l < on.shape.layers; ++l) {
    Layer layer{};
    layer.norm_1 = norm(x);
    layer.qkv = features(3 * width, 2);
    layer.log_sums = words(on.stride(), 0);
    layer.context = features(width, 0);
    layer.norm_2 = norm(features(width, 0));
    layer.up = features(inner, 2);
    layer.active = features(inner, 0);
    layers.push_back(layer);
    x = features(width, 0);
  }
  final_norm = norm(x);
  logits = features(on.shape.vocabulary, 2);
  losses = words(on.stride(), 0);
  targets = words(on.stride(), 3);
  block = features(width, 2);
  dx = features(width, 0);
  dnorm = features(width, 2);
  dblock = features(width, 2);
  dcontext = features(width, 2);
  dqkv = features(3 * width, 0);
  dup = features(inner, 0);
  dactive = features(inner, 2);
  dlogits = features(on.shape.vocabulary, 0);
  norm_parameters = words(2 * on.features(width), 0);
  norm_sums = words(2 * on.stride() + 2 * on.features(width), 1);
  // Arrays of the last sequence of a tile begin by so much later.
  end += 4 * on.stride();
}

}  // namespace wse::model
