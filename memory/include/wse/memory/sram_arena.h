// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "wse/base/units.h"

namespace wse::memory {

/// The bytes of one die inside the arena. Never owns.
struct ArenaView {
  std::uint8_t* data = nullptr;
  std::uint64_t size = 0;  ///< bytes of the die, without the padding up to its last page
};

/// The SRAM of all dies of a wafer as one reserved, lazily committed range of addresses, die-major.
///
/// A page costs host memory from its first access until release(); before and after it reads as
/// zero. Huge pages are off unless it is dense: a tile whose first word is touched must not cost 2 MiB. The
/// reservation is not limited by the budget, since 40 GB of addresses are free; the budget limits
/// what a run declares that it will touch.
class SramArena {
 public:
  /// Reserves dies x bytes_per_die (each die rounded up to whole pages of 4 KiB). Throws
  /// ConfigError `memory.arena_bytes` if the size is zero or cannot be reserved.
  /// `dense`: what is touched lies close together, so huge pages cost little and save translations.
  SramArena(std::uint32_t dies, base::Bytes bytes_per_die, base::Bytes budget_bytes,
            bool dense = false);
  ~SramArena();
  SramArena(const SramArena&) = delete;
  SramArena& operator=(const SramArena&) = delete;
  SramArena(SramArena&&) = delete;
  SramArena& operator=(SramArena&&) = delete;

  /// To be called with what a run will touch, before it touches any of it; touches nothing itself.
  /// Throws ConfigError `memory.budget_bytes` if `bytes` exceed the budget; `what` says what for.
  void require_budget(base::Bytes bytes, const std::string& what) const;

  /// The bytes of a die; die < dies().
  ArenaView view(std::uint32_t die) const;
  /// Gives the pages of a die back to the host; its bytes read as zero afterwards.
  void release(std::uint32_t die);

  std::uint32_t dies() const { return dies_; }
  base::Bytes bytes_per_die() const { return bytes_per_die_; }
  /// Distance of the first bytes of two neighbouring dies: bytes_per_die() in whole pages.
  base::Bytes die_stride_bytes() const { return stride_bytes_; }
  base::Bytes budget_bytes() const { return budget_bytes_; }
  /// Bytes of host memory behind the arena now, in whole pages. Costs a walk over the page tables
  /// (about 1 byte of its answer per page of the arena), so it belongs at the end of a phase.
  base::Bytes resident_bytes() const;

 private:
  const std::uint32_t dies_;
  const base::Bytes bytes_per_die_;
  const base::Bytes stride_bytes_;
  const base::Bytes budget_bytes_;
  std::uint8_t* data_ = nullptr;
};

}  // namespace wse::memory
