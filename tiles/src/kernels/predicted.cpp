// SPDX-License-Identifier: Apache-2.0
// Closed forms of [luczynski2024]: T = max(C, E / N + L) + (2 T_R + 1) D with T_R = 2, where each
// dependency D costs two ramps and a cycle of the core.

#include <algorithm>
#include <cmath>

#include "plan.h"

namespace wse::tiles {

using base::Cycles;

namespace {

constexpr double kDependency = 5;

Cycles rounded(double cycles) { return static_cast<Cycles>(std::llround(cycles)); }

double log2_up(std::uint64_t p) {
  double rounds = 0;
  for (std::uint64_t reach = 1; reach < p; reach *= 2) ++rounds;
  return rounds;
}

}  // namespace

Cycles predicted_star(std::uint64_t p, std::uint64_t b) { return b * (p - 1) + 5; }

Cycles predicted_chain(std::uint64_t p, std::uint64_t b) { return b + 6 * (p - 1); }

Cycles predicted_tree(std::uint64_t p, std::uint64_t b) {
  const double rounds = log2_up(p);
  const auto words = static_cast<double>(b);
  const auto links = static_cast<double>(p - 1);
  const double travel = words * static_cast<double>(p) * rounds / (2 * links) + links;
  return rounded(std::max(words * rounds, travel) + kDependency * rounds);
}

Cycles predicted_two_phase(std::uint64_t p, std::uint64_t b, std::uint64_t group) {
  const std::uint64_t groups = (p + group - 1) / group;
  const double depth = static_cast<double>(group - 1 + groups - 1);
  const auto words = static_cast<double>(b);
  const auto links = static_cast<double>(p - 1);
  // Each group sends over its links, then each head over those of its group.
  const double hops =
      words * (static_cast<double>(p - groups) + static_cast<double>((groups - 1) * group));
  return rounded(std::max(2 * words, hops / links + links) + kDependency * depth);
}

Cycles predicted_ring(std::uint64_t p, std::uint64_t b) {
  const auto steps = static_cast<double>(2 * (p - 1));
  return rounded(steps * static_cast<double>(b) / static_cast<double>(p) +
                 4 * static_cast<double>(p) - 6 + 10 * static_cast<double>(p - 1));
}

Cycles predicted_broadcast(std::uint64_t columns, std::uint64_t rows, std::uint64_t b) {
  return b + columns + rows - 2 + 5;
}

Cycles predicted_reduce(std::uint64_t p, std::uint64_t b, ReduceAlgorithm algorithm,
                        std::uint64_t group) {
  if (p == 1) return 0;
  switch (algorithm) {
    case ReduceAlgorithm::kStar:
      return predicted_star(p, b);
    case ReduceAlgorithm::kChain:
    case ReduceAlgorithm::kSnake:
      return predicted_chain(p, b);
    case ReduceAlgorithm::kTree:
      return predicted_tree(p, b);
    case ReduceAlgorithm::kTwoPhase:
      return predicted_two_phase(p, b, group);
  }
  return 0;
}

Cycles predicted_allreduce_row(std::uint64_t p, std::uint64_t b) {
  if (p == 1) return 0;
  const std::uint64_t side = p - (p - 1) / 2;
  const std::uint32_t group = default_group(static_cast<std::uint32_t>(side));
  return predicted_two_phase(side, b, group) + b + predicted_broadcast(side, 1, b);
}

std::uint32_t default_group(std::uint32_t p) {
  return std::max(1U, static_cast<std::uint32_t>(std::sqrt(static_cast<double>(p))));
}

}  // namespace wse::tiles
