// SPDX-License-Identifier: Apache-2.0
#include "wse/base/mapping.h"

#include <algorithm>

namespace wse::base {

std::uint64_t Mapping::feature_begin(std::uint32_t copy, std::uint32_t column,
                                     std::uint64_t features) const {
  const Span own = columns_of_copy(copy);
  const std::uint32_t inside = std::clamp(column, own.begin, own.end) - own.begin;
  return mul_div(features, inside, own.size());
}

std::uint64_t Mapping::features_in(Span columns, std::uint64_t features) const {
  std::uint64_t sum = 0;
  for (std::uint32_t r = 0; r < copies_; ++r) {
    sum += feature_begin(r, columns.end, features) - feature_begin(r, columns.begin, features);
  }
  return sum;
}

std::uint64_t Mapping::weights_in(std::uint32_t copy, Span columns, std::uint64_t features,
                                  std::uint64_t outputs, std::uint32_t density_ppm) const {
  const auto before = [&](std::uint32_t column) {
    return mul_div(feature_begin(copy, column, features) * outputs, density_ppm, 1'000'000);
  };
  return before(columns.end) - before(columns.begin);
}

Mapping::TokenRun Mapping::tokens_in(std::uint32_t copy, Span rows, std::uint64_t tokens) const {
  const std::uint64_t runs = std::uint64_t{copies_} * rows_;
  const std::uint64_t first = std::uint64_t{copy} * rows_;
  return {mul_div(tokens, first + rows.begin, runs), mul_div(tokens, first + rows.end, runs)};
}

}  // namespace wse::base
