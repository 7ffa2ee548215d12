// SPDX-License-Identifier: Apache-2.0
#include "wse/model/activations.h"

#include <algorithm>

namespace wse::model {
namespace {

constexpr base::Bytes kElement = 2;  ///< fp16
constexpr base::Bytes kSums = 8;     ///< of a token: fp32, those of two outputs

/// Where activations of a layer are: how many tokens of a number of tokens, and which share of
/// features.
base::Mapping mapping_of(const host::ScheduleConfig& schedule, const base::Mapping& mapping,
                         std::uint64_t place) {
  return schedule.copies.empty() ? mapping : mapping.with_copies(schedule.copies[place]);
}

struct Need {
  base::Bytes kept = 0;  ///< from the forward pass of a layer to its backward pass
  base::Bytes live = 0;  ///< beside it while the layer is visited
};

Need need_of(const host::ModelSpec& model, const host::ScheduleConfig& schedule,
             std::uint64_t layer, const base::Mapping& mapping) {
  const auto share = [&](std::uint64_t features) { return mapping.features_per_tile(features); };
  const base::Bytes gradient = kElement * share(model.feed_forward);
  const base::Bytes intermediates = model.intermediate_bytes(layer, share);
  if (!host::recomputes(schedule, model, layer)) return {intermediates, gradient};
  return {kElement * share(model.width), intermediates + gradient};
}

}  // namespace

base::Bytes activation_bytes_per_token(const host::ModelSpec& model,
                                       const host::ScheduleConfig& schedule) {
  base::Bytes kept = 0;
  base::Bytes live = 0;
  for (std::uint64_t layer = 0; layer < model.layers; ++layer) {
    const Need need = need_of(model, schedule, layer, {1, 1, 1});
    kept += need.kept;
    live = std::max(live, need.live);
  }
  return kept + live;
}

base::Bytes activation_bytes_of_tile(const host::ModelSpec& model,
                                     const host::ScheduleConfig& schedule, std::uint64_t sequences,
                                     const base::Mapping& mapping) {
  base::Bytes kept = 0;
  base::Bytes live = 0;
  for (std::uint64_t layer = 0; layer < model.layers; ++layer) {
    const base::Mapping own = mapping_of(schedule, mapping, layer);
    const std::uint64_t tokens = own.tokens_per_tile(sequences * schedule.sequence);
    const Need need = need_of(model, schedule, layer, own);
    kept += tokens * need.kept;
    live = std::max(live, tokens * (need.live + kSums));
  }
  return kept + live;
}

base::Bytes score_bytes_of_tile(const host::ModelSpec& model, const host::ScheduleConfig& schedule,
                                std::uint64_t sequences, const base::Mapping& mapping) {
  const std::uint64_t tokens = sequences * schedule.sequence;
  base::Bytes kept = 0;
  for (std::uint64_t layer = 0; layer < model.layers; ++layer) {
    const base::Mapping own = mapping_of(schedule, mapping, layer);
    kept += own.tokens_per_tile(tokens) * need_of(model, schedule, layer, own).kept;
  }
  const std::vector<host::TailMatrix> tail = model.tail();
  if (tail.empty()) return kept;
  const base::Mapping own = mapping_of(schedule, mapping, model.layers);
  return kept + own.tokens_per_tile(tail.back().per_sequence ? sequences : tokens) * kElement *
                    own.features_per_tile(tail.back().matrix.outputs);
}

std::uint64_t tokens_that_fit(const host::ModelSpec& model, const host::ScheduleConfig& schedule,
                              base::Bytes tile_bytes, const base::Mapping& mapping) {
  host::ScheduleConfig one = schedule;
  one.sequence = 1;
  one.copies.clear();
  const base::Bytes a_token = activation_bytes_of_tile(model, one, 1, mapping);
  return tile_bytes / a_token * mapping.rows() * mapping.copies();
}

}  // namespace wse::model
