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

  void add(std::size_t i) { add_word(i / 64, std::uint64_t{1} << (i % 64)); }
  void add_word(std::size_t word, std::uint64_t bits) {
    if (std::exchange(levels_[0][word], levels_[0][word] | bits) != 0) return;
    for (std::size_t level = 1; level < kLevels; ++level) {
      std::uint64_t& above = levels_[level][word / 64];
      if (std::exchange(above, above | std::uint64_t{1} << (word % 64)) != 0) return;
      word /= 64;
    }
  }
  bool empty() const {
    for (const std::uint64_t word : levels_[kLevels - 1]) {
      if (word != 0) return false;
    }
    return true;
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
