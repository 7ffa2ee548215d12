// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace wse::tiles {

/// Where the arrays of a program lie that other programs use as well: what one operation writes, the next
/// one reads in place. An empty map leaves all to the program.
struct MemoryMap {
  std::map<std::string, std::uint32_t> addresses;  ///< bytes, by the name of the array
  std::uint32_t scratch = 0;  ///< bytes; where all other arrays begin, behind those above
  /// Elements from a feature of the activations to the next one, at least the tokens of a tile; 0: as
  /// the kernel wants it. Given, activations are fp32.
  std::uint32_t stride = 0;

  /// The stride that holds where the kernel wants `own`.
  std::uint32_t stride_or(std::uint32_t own) const { return stride != 0 ? stride : own; }
};

}  // namespace wse::tiles
