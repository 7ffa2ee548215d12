// SPDX-License-Identifier: Apache-2.0
#include "wse/host/model_spec.h"

namespace wse::host {

std::uint64_t ModelSpec::parameters() const {
  return embedding_parameters() + layers * layer_parameters() + final_norm_parameters() +
         (head && !tied_head ? head_parameters() : 0);
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
  range(vocabulary, "vocabulary", 10'000'000);
  range(positions, "positions", 10'000'000);
  if (!errors.empty()) return;
  if (width % heads != 0) {
    errors.add("heads", std::to_string(heads),
               "must divide the width (" + std::to_string(width) + ")", place);
  }
  // 128-bit safety margin of all later counts: far above any published model.
  if (static_cast<double>(layers) * static_cast<double>(layer_matrix_parameters()) > 1e15) {
    errors.add("layers", std::to_string(layers), "makes more than 1e15 parameters", place);
  }
  if (stated_parameters) {
    const double stated = static_cast<double>(*stated_parameters);
    const double counted = static_cast<double>(parameters());
    if (counted > stated * 1.02 || counted < stated * 0.98) {
      errors.add("num_parameters", std::to_string(*stated_parameters),
                 "differs by more than 2 % from the recount, " + std::to_string(parameters()),
                 place);
    }
  }
}

}  // namespace wse::host
