// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace wse::fabric {

/// A set of small integers as a bitmap with bitmaps of its non-zero words above it: adding costs a
/// few instructions, walking costs the members and not the range.
class ActiveSet {
 public:
  explicit ActiveSet(std::size_t size = 0) {
    std::size_t words = (size + 63) / 64;
    for (std::vector<std::uint64_t>& level : levels_) {
      level.assign(words + 2, 0);
      words = (words + 63) / 64;
    }
  }

  void add(std::size_t i) {
    std::size_t word = i / 64;
    levels_[0][word] |= std::uint64_t{1} << (i % 64);
    // Whether the word was empty nobody can foretell, so it is not asked.
    for (std::size_t level = 1; level < kLevels; ++level) {
      std::uint64_t& above = levels_[level][word / 64];
      if (std::exchange(above, above | std::uint64_t{1} << (word % 64)) != 0) return;
      word /= 64;
    }
  }
  bool has_word(std::size_t word) const { return levels_[0][word] != 0; }
  /// Empties the set and calls visit(word, bits) for each word with members, in rising order.
  /// visit() may add to other sets only.
  template <class Visit>
  void take_all(Visit&& visit) {
    for (std::size_t top = 0; top < levels_[kLevels - 1].size(); ++top) {
      take<kLevels - 1>(top, visit);
    }
  }

  /// The same for the words begin .. end - 1 only.
  template <class Visit>
  void take_range(std::size_t begin, std::size_t end, Visit&& visit) {
    for (std::size_t group = begin / 64; group * 64 < end; ++group) {
      std::uint64_t mine = ~std::uint64_t{0};  // words of the group that are in the range
      if (group * 64 < begin) mine <<= begin % 64;
      if (group * 64 + 64 > end) mine &= ~std::uint64_t{0} >> (64 - end % 64);
      std::uint64_t words = levels_[1][group] & mine;
      levels_[1][group] &= ~mine;  // levels above may go on pointing here
      for (; words != 0; words &= words - 1) {
        const std::size_t word = group * 64 + static_cast<std::size_t>(__builtin_ctzll(words));
        const std::uint64_t bits = std::exchange(levels_[0][word], 0);
        if (bits != 0) visit(word, bits);
      }
    }
  }

 private:
  static constexpr std::size_t kLevels = 4;  // the top level has a word for 64^4 members

  template <std::size_t Level, class Visit>
  void take(std::size_t index, Visit& visit) {
    std::uint64_t bits = std::exchange(levels_[Level][index], 0);
    if constexpr (Level == 0) {
      if (bits != 0) visit(index, bits);
    } else {
      for (; bits != 0; bits &= bits - 1) {
        take<Level - 1>(index * 64 + static_cast<std::size_t>(__builtin_ctzll(bits)), visit);
      }
    }
  }

  std::vector<std::uint64_t> levels_[kLevels];
};

}  // namespace wse::fabric
