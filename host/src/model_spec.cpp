// SPDX-License-Identifier: Apache-2.0
#include "wse/host/model_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace wse::host {
namespace {

/// At most three significant digits.
bool has_few_digits(std::uint64_t value) {
  while (value >= 1000 && value % 10 == 0) value /= 10;
  return value < 1000;
}

}  // namespace

std::vector<TailMatrix> ModelSpec::tail() const {
  constexpr base::Tensor kHead = base::Tensor::kHead;
  const bool language = head == Head::kLanguageModel || head == Head::kPretraining;
  const bool labels = head == Head::kClassifier || head == Head::kPretraining;
  std::vector<TailMatrix> tail;
  if (labels || head == Head::kPooler)
    tail.push_back({{width, width, true, kHead}, false, true, false});
  if (labels) tail.push_back({{width, 2, true, kHead}, false, true, false});
  if (language && head_transform) tail.push_back({{width, width, true, kHead}, false, false, true});
  if (language)
    tail.push_back(
        {{width, vocabulary + image_vocabulary, head_bias, kHead}, tied_head, false, false});
  return tail;
}

/// As transformers counts: with a step above 1, the second layer is the first one with experts.
std::uint64_t ModelSpec::experts_of(std::uint64_t layer) const {
  const std::uint64_t step = in_encoder(layer) ? encoder_expert_step : decoder_expert_step;
  const std::uint64_t place = in_encoder(layer) ? layer : layer - encoder_layers;
  return experts > 1 && step > 0 && (step == 1 || place % step == 1) ? experts : 1;
}

std::uint64_t ModelSpec::active_parameters(std::uint64_t layer) const {
  std::uint64_t sum =
      query_key_value().weights() + projection().weights() + up().weights() + down().weights();
  if (has_cross_attention(layer)) {
    sum += cross_query().weights() + cross_key_value().weights() + projection().weights();
  }
  return experts_of(layer) > 1 ? sum + router().weights() : sum;
}

std::uint64_t ModelSpec::layer_parameters(std::uint64_t layer) const {
  std::uint64_t sum = query_key_value().parameters() + projection().parameters() +
                      experts_of(layer) * (up().parameters() + down().parameters()) +
                      norms_of(layer) * norm_parameters();
  if (has_cross_attention(layer)) {
    sum += cross_query().parameters() + cross_key_value().parameters() + projection().parameters();
  }
  if (experts_of(layer) > 1) sum += router().parameters();
  if (begins_stack(layer)) sum += relative_buckets * heads;
  return sum;
}

std::uint64_t ModelSpec::largest_intermediate_bytes() const {
  std::uint64_t most = 0;
  for (std::uint64_t layer = 0; layer < layers; ++layer) {
    most = std::max(most, intermediate_bytes(layer));
  }
  return most;
}

std::uint64_t ModelSpec::embedding_parameters() const {
  // An image has a position a row and a column; text that is shorter than its place is filled up
  // with a token of each position.
  const std::uint64_t text = positions - image_side * image_side;
  const std::uint64_t places = image_side > 0 ? 2 * text + 2 * image_side : positions;
  return (vocabulary + image_vocabulary + (learned_positions ? places : 0) + token_types) * width +
         (embedding_norm ? norm_parameters() : 0);
}

base::AttentionPattern ModelSpec::pattern(std::uint64_t layer, std::uint64_t sequence) const {
  using base::AttentionKind;
  base::AttentionPattern p;
  p.sequence = sequence;
  p.image_side = image_side;
  if (image_side > 0) {
    p.kind = layer + 1 == layers ? AttentionKind::kImageConvolution
             : layer % 4 == 1    ? AttentionKind::kImageColumn
                                 : AttentionKind::kImageRow;
  } else {
    p.kind = causal && !in_encoder(layer) ? AttentionKind::kCausal : AttentionKind::kFull;
  }
  return p;
}

std::uint64_t ModelSpec::tail_parameters() const {
  std::uint64_t sum = final_norm ? stacks() * norm_parameters() : 0;
  for (const TailMatrix& t : tail()) {
    sum += t.matrix.parameters() - (t.tied ? t.matrix.weights() : 0) +
           (t.norm_follows ? norm_parameters() : 0);
  }
  return sum;
}

std::uint64_t ModelSpec::parameters() const {
  std::uint64_t sum = embedding_parameters() + tail_parameters();
  for (std::uint64_t layer = 0; layer < layers; ++layer) sum += layer_parameters(layer);
  return sum;
}

std::uint64_t ModelSpec::layers_multiply_adds(std::uint64_t sequences,
                                              std::uint64_t sequence) const {
  std::uint64_t keys = 0;  // of a sequence, over all layers
  std::uint64_t weights = 0;
  for (std::uint64_t layer = 0; layer < layers; ++layer) {
    keys += pattern(layer, sequence).keys_before(sequence);
    if (has_cross_attention(layer)) keys += sequence * sequence;
    weights += active_parameters(layer);
  }
  return sequences * (sequence * weights + 2 * keys * attention_width);
}

std::uint64_t ModelSpec::forward_multiply_adds(std::uint64_t sequences,
                                               std::uint64_t sequence) const {
  std::uint64_t sum = layers_multiply_adds(sequences, sequence);
  for (const TailMatrix& t : tail()) {
    sum += t.matrix.weights() * sequences * (t.per_sequence ? 1 : sequence);
  }
  return sum;
}

void ModelSpec::validate(const std::string& place, base::ConfigErrors& errors) const {
  const auto range = [&](std::uint64_t v, const char* key, std::uint64_t most) {
    if (v < 1 || v > most) {
      errors.add(key, std::to_string(v), "must be 1 .. " + std::to_string(most), place);
    }
  };
  range(layers, "layers", 100'000);
  range(width, "width", 1'000'000);
  range(heads, "heads", 100'000);
  range(feed_forward, "feed_forward", 10'000'000);
  range(attention_width, "attention_width", 1'000'000);
  range(vocabulary, "vocabulary", 10'000'000);
  range(image_vocabulary + 1, "image_vocabulary", 10'000'000);
  range(positions, "positions", 10'000'000);
  range(experts + 1, "num_experts", 1'000'000);
  range(relative_buckets + 1, "relative_attention_num_buckets", 1'000'000);
  if (!errors.empty()) return;
  if (attention_width % heads != 0) {
    errors.add("heads", std::to_string(heads),
               "must divide the width (" + std::to_string(width) + ")", place);
  }
  if (errors.empty() && (key_value_width == 0 || attention_width % key_value_width != 0)) {
    errors.add("num_key_value_heads", "", "must divide the heads (" + std::to_string(heads) + ")",
               place);
  }
  // 128-bit safety margin of all later counts: far above any published model.
  const double blocks = static_cast<double>(std::max<std::uint64_t>(experts, 1));
  const double layer = static_cast<double>(query_key_value().weights() + projection().weights()) +
                       blocks * static_cast<double>(up().weights() + down().weights());
  if (static_cast<double>(layers) * layer > 1e15) {
    errors.add("layers", std::to_string(layers), "makes more than 1e15 parameters", place);
    return;
  }
  if (stated_parameters) check_stated(place, errors);
}

/// An exact number may differ by 2 % (what is counted varies), a rounded name by 5 %.
void ModelSpec::check_stated(const std::string& place, base::ConfigErrors& errors) const {
  const int percent = has_few_digits(*stated_parameters) ? 5 : 2;
  const double stated = static_cast<double>(*stated_parameters);
  if (std::abs(static_cast<double>(parameters()) - stated) <= stated * percent / 100) return;
  errors.add("num_parameters", std::to_string(*stated_parameters),
             fmt::format("differs by more than {} % from the recount, {}", percent, parameters()),
             place);
}

}  // namespace wse::host
