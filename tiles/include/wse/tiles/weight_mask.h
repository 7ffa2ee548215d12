// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace wse::tiles {

/// A random unstructured mask of a weight matrix: every weight is non-zero with the same probability,
/// drawn for itself.
///
/// A weight is a number of 20 bits below a threshold, so the mask of a lower density is a subset of that
/// of a higher one, and density 1 has every weight. Numbers are those of SplitMix64 at a place of their
/// own (seed, inputs, output, input): equal everywhere, in any order.
class WeightMask {
 public:
  /// Of a matrix with so many inputs; matrices of one shape have one mask.
  WeightMask(std::uint64_t seed, std::uint64_t inputs, std::uint32_t density_ppm);

  std::uint64_t inputs() const { return inputs_; }
  bool has(std::uint64_t output, std::uint64_t input) const;
  /// Non-zero weights of an output in runs of inputs: run r is bounds[r] .. bounds[r + 1] - 1. Bounds
  /// must not fall, the last is at most inputs().
  void count(std::uint64_t output, const std::vector<std::uint64_t>& bounds,
             std::vector<std::uint32_t>& counts);

 private:
  static constexpr std::uint32_t kBits = 20;

  std::uint64_t key_of(std::uint64_t output) const;
  std::uint64_t word_of(std::uint64_t key, std::uint64_t index) const;

  const std::uint64_t seed_;
  const std::uint64_t inputs_;
  const std::uint32_t threshold_;  ///< of 2^20
  const std::uint32_t lowest_;     ///< its lowest bit that is set
  std::vector<std::uint64_t> words_;
};

}  // namespace wse::tiles
