// SPDX-License-Identifier: Apache-2.0
#include "kernels/predicted.h"
#include "wse/tiles/cost_terms.h"

namespace wse::tiles {
namespace {

using base::Cycles;

/// Instructions of a loop of a kernel. Those with activations among their operands take several elements a
/// step in mixed precision; all others work on fp32.
struct VectorLoop {
  std::uint8_t multiply, add;      ///< and conversions; and moves, comparisons
  std::uint8_t multiply_x, add_x;  ///< with activations
  std::uint8_t scalars;
};

/// What the kernel of a vector operation does.
struct VectorCost {
  VectorLoop feature;     ///< of a group of tokens, a time
  VectorLoop group{};     ///< of tokens, before the features
  std::uint8_t once = 0;  ///< scalars
  /// Accesses that meet in the banks, sixteenths of a cycle an element, fp32 and mixed: measured in groups
  /// of 16 tokens.
  std::array<std::uint8_t, 2> meetings{};
  /// Words a token that are summed over the columns, in turn; words a feature that are cleared, and summed
  /// up the rows.
  std::array<std::uint8_t, 4> messages{};
  std::uint8_t gradients = 0;

  /// One instruction over all tokens and features.
  bool is_flat() const { return feature.scalars == 0; }
};

constexpr std::array<VectorCost, base::kNumVectorKinds> kCosts{{
    {{2, 1, 1, 3, 17}, {14, 4, 0, 0, 24}, 9, {3, 11}, {1, 1}},  // norm
    {{4, 4, 4, 3, 15}, {2, 0, 0, 0, 16}, 6, {0, 4}, {2}, 2},    //
    {{17, 10, 4, 0, 5}, {0, 0, 0, 0, 8}, 3, {5, 1}},            // GELU
    {{20, 12, 5, 0, 5}, {0, 0, 0, 0, 8}, 3, {5, 1}},            //
    {{0, 0, 0, 1, 0}},                                          // ReLU: a maximum
    {{0, 0, 1, 1, 0}},                                          //   a comparison, a product
    {{15, 10, 3, 0, 5}, {0, 0, 0, 0, 8}, 3},                    // gate: x / (1 + exp(-x)) of GELU
    {{16, 11, 6, 0, 5}, {0, 0, 0, 0, 8}, 3},                    //
    {{0, 0, 0, 1, 0}},                                          // residual
    {{10, 8, 1, 2, 15}, {8, 9, 0, 0, 24}, 9, {}, {1, 1}},  // route: softmax, the largest, shares
    {{1, 3, 2, 1, 10}, {0, 2, 0, 0, 16}, 6, {}, {1}},      //
    {{0, 0, 1, 0, 0}},                                     // scale by route
    {{0, 0, 0, 1, 0}},                                     // distances
    {{22, 15, 1, 5, 30}, {20, 19, 0, 0, 53}, 24, {18, 26}, {1, 2, 1, 1}},  // loss and its gradient
    {{0, 0, 1, 0, 0}},                                                     // embedding
}};

Cycles steps(const VectorLoop& loop, std::uint64_t n, const CostTerms& terms) {
  const std::uint32_t lanes = terms.config.lanes_fp32;
  const Cycles multiply = base::ceil_div(n, lanes);
  const Cycles add = CostTerms::moves(n, lanes);
  Cycles of_activations = loop.multiply_x * multiply + loop.add_x * add;
  if (terms.precision != Precision::kFp32) {
    of_activations = (loop.multiply_x + loop.add_x) * base::ceil_div(n, terms.config.lanes_mixed);
  }
  return loop.multiply * multiply + loop.add * add + of_activations + loop.scalars;
}

}  // namespace

Cycles CostTerms::vector_meetings(base::VectorKind kind, std::uint64_t tokens,
                                  std::uint64_t elements) const {
  const std::size_t which = precision == Precision::kFp32 ? 0 : 1;
  return tokens * elements * kCosts[static_cast<std::size_t>(kind)].meetings[which] / 16;
}

Cycles CostTerms::vector(base::VectorKind kind, std::uint64_t tokens, std::uint64_t elements,
                         std::uint64_t columns, std::uint64_t rows) const {
  const VectorCost& cost = kCosts[static_cast<std::size_t>(kind)];
  if (cost.is_flat()) return steps(cost.feature, tokens * elements, *this);
  const std::uint64_t groups = token_groups(tokens);
  const std::uint64_t group = base::ceil_div(tokens, groups);
  Cycles cycles =
      cost.once + vector_meetings(kind, tokens, elements) +
      groups * (steps(cost.group, group, *this) + elements * steps(cost.feature, group, *this));
  for (const std::uint64_t words : cost.messages) {
    if (words > 0) cycles += predicted_allreduce_row(columns, words * groups * group);
  }
  if (cost.gradients > 0) {
    const std::uint64_t sums = cost.gradients * elements;
    cycles += moves(cost.messages.front() * groups * group + sums, config.lanes_fp32);
    if (rows > 1) cycles += predicted_chain(rows, sums);
  }
  return cycles;
}

}  // namespace wse::tiles
