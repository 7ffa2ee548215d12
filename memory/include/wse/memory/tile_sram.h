// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "wse/base/units.h"

namespace wse::memory {

/// The SRAM of one tile where its compute engine may not touch the bytes themselves: banks with pins,
/// or an array behind a socket that denies direct access.
class TileSram {
 public:
  virtual ~TileSram() = default;
  /// The accesses that follow are those of a step in [cycle, cycle + cycles), the cycles that BankCore
  /// gives it; cycles never fall.
  virtual void begin(base::Cycles cycle, unsigned cycles) = 0;
  /// Bytes that lie side by side, within the memory of the tile.
  virtual void load(std::uint64_t address, std::uint32_t bytes, void* to) = 0;
  virtual void store(std::uint64_t address, std::uint32_t bytes, const void* from) = 0;
  /// Before and after a run, outside of its cycles: what was stored is in place.
  virtual void settle() = 0;
};

}  // namespace wse::memory
