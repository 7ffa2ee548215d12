// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/weight_mask.h"

#include <algorithm>

#include "wse/base/random.h"
#include "wse/base/units.h"

namespace wse::tiles {
namespace {

constexpr std::uint64_t kGamma = 0x9e3779b97f4a7c15ULL;  ///< of SplitMix64: a step of its state

/// Number `place` of the sequence that begins at `key`.
std::uint64_t number_at(std::uint64_t key, std::uint64_t place) {
  return base::Random(key + place * kGamma).next();
}

std::uint32_t lowest_bit(std::uint32_t value) {
  return value == 0 ? 0 : static_cast<std::uint32_t>(__builtin_ctz(value));
}

std::uint32_t ones(std::uint64_t word) {
  return static_cast<std::uint32_t>(__builtin_popcountll(word));
}

/// Set bits begin .. end - 1 of a row of words.
std::uint32_t ones_in(const std::vector<std::uint64_t>& words, std::uint64_t begin,
                      std::uint64_t end) {
  if (begin == end) return 0;
  const std::uint64_t first = begin / 64;
  const std::uint64_t last = (end - 1) / 64;
  const std::uint64_t from = ~std::uint64_t{0} << begin % 64;
  const std::uint64_t until = ~std::uint64_t{0} >> (63 - (end - 1) % 64);
  if (first == last) return ones(words[first] & from & until);
  std::uint32_t sum = ones(words[first] & from) + ones(words[last] & until);
  for (std::uint64_t i = first + 1; i < last; ++i) sum += ones(words[i]);
  return sum;
}

}  // namespace

WeightMask::WeightMask(std::uint64_t seed, std::uint64_t inputs, std::uint32_t density_ppm)
    : seed_(seed),
      inputs_(inputs),
      threshold_(static_cast<std::uint32_t>(
          base::mul_div_up(density_ppm, std::uint64_t{1} << kBits, 1'000'000))),
      lowest_(lowest_bit(threshold_)),
      words_(base::ceil_div(inputs, 64)) {}

std::uint64_t WeightMask::key_of(std::uint64_t output) const {
  return number_at(number_at(seed_, inputs_), output);
}

/// 64 numbers of 20 bits side by side are compared with the threshold at once, from the lowest bit up:
/// where the threshold has a bit, a number without it is below; where not, a number with it is above.
std::uint64_t WeightMask::word_of(std::uint64_t key, std::uint64_t index) const {
  if (threshold_ >> kBits != 0) return ~std::uint64_t{0};
  std::uint64_t below = 0;
  if (threshold_ == 0) return below;
  for (std::uint32_t bit = lowest_; bit < kBits; ++bit) {
    const std::uint64_t without = number_at(key, index * kBits + bit);
    below = (threshold_ >> bit & 1) != 0 ? below | without : below & without;
  }
  return below;
}

bool WeightMask::has(std::uint64_t output, std::uint64_t input) const {
  return (word_of(key_of(output), input / 64) >> input % 64 & 1) != 0;
}

void WeightMask::count(std::uint64_t output, const std::vector<std::uint64_t>& bounds,
                       std::vector<std::uint32_t>& counts) {
  const std::uint64_t key = key_of(output);
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] = word_of(key, i);
  counts.resize(bounds.size() - 1);
  for (std::size_t r = 0; r < counts.size(); ++r) {
    counts[r] = ones_in(words_, bounds[r], bounds[r + 1]);
  }
}

}  // namespace wse::tiles
