// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace wse::fabric {

/// Sets of records of one router, as bits from its first record on: one word for nearly all routers.
struct NarrowMask {
  static constexpr unsigned kBits = 64;
  std::uint64_t word = 0;

  static NarrowMask of(unsigned k) { return {std::uint64_t{1} << k}; }
  bool empty() const { return word == 0; }
  bool single() const { return (word & (word - 1)) == 0; }
  unsigned lowest() const { return static_cast<unsigned>(__builtin_ctzll(word)); }
  void drop_lowest() { word &= word - 1; }
  void add(NarrowMask that) { word |= that.word; }
  NarrowMask from(unsigned k) const { return {k >= kBits ? 0 : word >> k << k}; }
  NarrowMask without(NarrowMask that) const { return {word & ~that.word}; }
};

/// The same for routers with more records than a word has bits.
struct WideMask {
  static constexpr unsigned kWords = 4;
  static constexpr unsigned kBits = 64 * kWords;
  std::array<std::uint64_t, kWords> words{};

  static WideMask of(unsigned k) {
    WideMask mask;
    mask.words[k / 64] = std::uint64_t{1} << (k % 64);
    return mask;
  }
  bool empty() const { return (words[0] | words[1] | words[2] | words[3]) == 0; }
  bool single() const {
    WideMask rest = *this;
    rest.drop_lowest();
    return rest.empty();
  }
  unsigned lowest() const {
    unsigned w = 0;
    while (words[w] == 0) ++w;
    return w * 64 + static_cast<unsigned>(__builtin_ctzll(words[w]));
  }
  void drop_lowest() {
    for (std::uint64_t& word : words) {
      if (word == 0) continue;
      word &= word - 1;
      return;
    }
  }
  void add(const WideMask& that) {
    for (unsigned w = 0; w < kWords; ++w) words[w] |= that.words[w];
  }
  WideMask from(unsigned k) const {
    WideMask mask = *this;
    for (unsigned w = 0; w < kWords; ++w) {
      if (k >= (w + 1) * 64) {
        mask.words[w] = 0;
      } else if (k > w * 64) {
        mask.words[w] = mask.words[w] >> (k % 64) << (k % 64);
      }
    }
    return mask;
  }
  WideMask without(const WideMask& that) const {
    WideMask mask = *this;
    for (unsigned w = 0; w < kWords; ++w) mask.words[w] &= ~that.words[w];
    return mask;
  }
};

}  // namespace wse::fabric
