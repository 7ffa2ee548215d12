// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include "wse/tiles/kernel.h"
#include "wse/tiles/program_builder.h"

namespace wse::tiles {

inline constexpr std::uint32_t kBankTurn =
    32;  ///< bytes after which a walk meets the same pair again
inline constexpr std::uint32_t kBankPair = 8;  ///< bytes

inline std::uint32_t round_up(std::uint32_t value, std::uint32_t to) {
  return (value + to - 1) / to * to;
}
/// Elements of a wavelet.
inline std::uint32_t lanes_of_wire(DataType type) { return type == DataType::kFp32 ? 1 : 2; }
/// Of what is multiplied, and of sums in a tile.
inline std::uint8_t element_bytes_of(DataType type) { return type == DataType::kFp32 ? 4 : 2; }
inline std::uint8_t sum_bytes_of(DataType type) { return type == DataType::kFp16 ? 2 : 4; }

/// Vectors x[i] of a tile that are added, times a number, to sums of their length. They begin in the first
/// pair of banks, the sums in pair sum_pair(), so that the reads of a step and the write of the one three
/// before never meet. mixed: two vectors side by side, a wavelet's worth of each in turn, so that a walk goes
/// on as fast as that of its sums of twice the width. A map may give the elements of a vector instead.
struct AxpyLayout {
  AxpyLayout(DataType type, std::uint32_t n, const MemoryMap& map = {})
      : mixed(type == DataType::kMixed),
        length(n),
        block(map.stride_or((mixed ? 2 : 1) *
                            round_up(n, mixed ? 8 : kBankTurn / element_bytes_of(type)))) {}

  static std::uint32_t sum_pair(DataType type) {
    return type == DataType::kFp16 ? 1 : type == DataType::kMixed ? 2 : 3;
  }
  std::uint32_t elements(std::uint32_t vectors) const {
    return (mixed ? (vectors + 1) / 2 : vectors) * block;
  }
  std::uint32_t first(std::uint32_t vector) const {
    return mixed ? vector / 2 * block + vector % 2 * 2 : vector * block;
  }
  std::uint32_t element(std::uint32_t vector, std::uint32_t i) const {
    return first(vector) + (mixed ? i / 2 * 4 + i % 2 : i);
  }
  Operand walk(ProgramBuilder& p, const Array& x, std::uint32_t vector) const {
    if (!mixed) return p.part(x, first(vector), length);
    return p.walk(x, first(vector), {{2, 1}, {length / 2, 4}});
  }

  const bool mixed;
  const std::uint32_t length;
  const std::uint32_t block;  ///< elements of a vector, or of two
};

/// A map that gives a stride gives one of fp32 elements, for so many tokens at least.
inline void check_stride(const MemoryMap& map, const std::string& kernel, DataType type,
                         std::uint32_t tokens) {
  if (map.stride == 0) return;
  if (type != DataType::kFp32) {
    throw ProgramError(kernel + ": a given stride of features is one of fp32 elements");
  }
  if (map.stride < tokens) {
    throw ProgramError(fmt::format("{}: a stride of {} elements is shorter than {} tokens", kernel,
                                   map.stride, tokens));
  }
}

/// Lets the next array begin in a pair of banks.
inline void begin_in_pair(ProgramBuilder& p, std::uint32_t pair) {
  const std::uint32_t now = p.memory_bytes() / kBankPair % 4;
  if (now != pair) p.array("gap", (pair + 4 - now) % 4 * (kBankPair / 4));
}

}  // namespace wse::tiles
