// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace wse::base {

/// FNV-1a over 64-bit integers, byte by byte: equal on every machine. Integers only, never a
/// floating value.
class ResultHash {
 public:
  void add(std::uint64_t value) {
    for (int byte = 0; byte < 8; ++byte) {
      state_ = (state_ ^ ((value >> (8 * byte)) & 0xff)) * 1099511628211ULL;
    }
  }
  std::uint64_t value() const { return state_; }
  std::string text() const;  ///< 16 hexadecimal digits

 private:
  std::uint64_t state_ = 14695981039346656037ULL;
};

}  // namespace wse::base
