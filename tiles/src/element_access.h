// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>

namespace wse::tiles {

/// An element of 2 or 4 bytes in the memory of a tile, little-endian as the host.
inline std::uint32_t read(const std::uint8_t* from, std::uint32_t bytes) {
  if (bytes == 4) {
    std::uint32_t word;
    std::memcpy(&word, from, sizeof word);
    return word;
  }
  std::uint16_t half;
  std::memcpy(&half, from, sizeof half);
  return half;
}

inline void write(std::uint8_t* to, std::uint32_t bytes, std::uint32_t value) {
  if (bytes == 4) {
    std::memcpy(to, &value, 4);
  } else {
    std::memcpy(to, &value, 2);  // the lower bytes: the host is little-endian
  }
}

}  // namespace wse::tiles
