// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "wse/base/config_errors.h"

namespace wse::memory {

/// SRAM of one tile. Defaults describe the WSE-2 tile: eight single-ported banks of 6 KB.
struct SramConfig {
  std::uint64_t size_bytes = 48 * 1024;     ///< [lie2022]
  std::uint32_t banks = 8;                  ///< 32 bits wide; work as banks / 2 pairs
  std::uint32_t access_latency_cycles = 1;  ///< A-012: conflicts are counted by BankCore

  /// Adds every violated rule under `path`, such as `tile.sram`.
  void validate(const std::string& path, base::ConfigErrors& errors) const;
};

/// Accesses of banks by direction and width, and the cycles lost to conflicts. The pair accesses
/// and the single accesses have separate energies, hence separate counts.
struct BankCounts {
  std::uint64_t reads64 = 0;
  std::uint64_t writes64 = 0;
  std::uint64_t reads32 = 0;
  std::uint64_t writes32 = 0;
  std::uint64_t conflict_cycles = 0;  ///< cycles beyond the first of a step

  BankCounts& operator+=(const BankCounts& other);
  friend bool operator==(const BankCounts& a, const BankCounts& b) {
    return a.reads64 == b.reads64 && a.writes64 == b.writes64 && a.reads32 == b.reads32 &&
           a.writes32 == b.writes32 && a.conflict_cycles == b.conflict_cycles;
  }
  friend bool operator!=(const BankCounts& a, const BankCounts& b) { return !(a == b); }
};

/// Accesses that a transfer of `bytes` over a bus costs: one per started 8 bytes, 64 bits wide but
/// for a rest of up to 4 bytes, which is 32 bits wide. Alignment and conflicts do not enter.
/// The one rule for transport and for initiators that post what they moved through DMI.
BankCounts counts_of_transfer(bool is_write, std::uint64_t bytes);

/// Width of an access. A narrower datum counts as the 32-bit word that holds it.
enum class AccessWidth : std::uint32_t { k32 = 4, k64 = 8 };

/// One access of the tile's own datapath, by byte offset inside the tile.
struct BankAccess {
  std::uint64_t address = 0;
  AccessWidth width = AccessWidth::k64;
  bool is_write = false;
};

/// How many cycles the banks of one tile need for what an instruction asks of them in one cycle.
///
/// A-012, the rules as read from the public sources (reference/hardware.md, 2.1):
/// - Double word d = address / 8 lies in pair p = d mod (banks / 2): its low word in bank p, its
///   high word in bank p + banks / 2. So an aligned 64-bit access takes exactly the pair (b, b+4).
/// - Every access claims the pairs of the words it touches: an aligned one its pair, an access that
///   crosses an 8-byte boundary two neighbouring pairs. Two 32-bit accesses thus share a cycle only
///   if their bank numbers differ modulo 4 (modulo banks / 2).
/// - One cycle serves at most two reads and one write, on distinct pairs. The rest follows in later
///   cycles, in the least number of them; results do not depend on it.
/// Not reproduced: full rate for two 32-bit operands whose addresses differ by 4 modulo 8. No map
/// has that and a 64-bit access in one pair: both words of a double word would need two pairs.
class BankCore {
 public:
  static constexpr std::size_t kMaxAccesses = 3;  ///< two operands and a result

  /// `config` is valid.
  explicit BankCore(const SramConfig& config) : pairs_(config.banks / 2) {}

  /// Cycles for `count` (at most 3) accesses issued together, 0 for none; counts them and the
  /// cycles beyond the first. More than three accesses are a broken invariant (InternalError).
  unsigned cycles_of(const BankAccess* accesses, std::size_t count);
  /// The same for a list.
  unsigned cycles_of(std::initializer_list<BankAccess> accesses) {
    return cycles_of(accesses.begin(), accesses.size());
  }

  /// The parts of that, for a step of a pipeline, which meets the write of a step before and not its
  /// own: counts an access; and the cycles for accesses that have been counted, and those beyond the
  /// first.
  void count(AccessWidth width, bool is_write) {
    if (width == AccessWidth::k64) {
      ++(is_write ? counts_.writes64 : counts_.reads64);
    } else {
      ++(is_write ? counts_.writes32 : counts_.reads32);
    }
  }
  unsigned cycles_of_counted(const BankAccess* accesses, std::size_t count) {
    std::uint64_t taken = 0;
    bool meet = false;  // the ports suffice, so only pairs can be wanted twice
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t claimed = pairs_claimed(accesses[i]);
      meet = meet || (taken & claimed) != 0;
      taken |= claimed;
    }
    if (meet) return cycles_needed(accesses, count);
    return count == 0 ? 0 : 1;
  }

  /// The bank of a 32-bit word.
  std::uint32_t bank_of(std::uint64_t address) const {
    const std::uint64_t upper = address / 4 % 2;
    return static_cast<std::uint32_t>(address / 8 % pairs_ + upper * pairs_);
  }
  /// All accesses since construction or the last take().
  const BankCounts& counts() const { return counts_; }
  /// Returns the counts and begins again at zero.
  BankCounts take();

 private:
  std::uint64_t pairs_claimed(const BankAccess& access) const {
    const std::uint64_t last = access.address + static_cast<std::uint32_t>(access.width) - 1;
    const std::uint32_t mask = pairs_ - 1;  // pairs are a power of two
    return std::uint64_t{1} << (access.address / 8 & mask) | std::uint64_t{1} << (last / 8 & mask);
  }
  bool fit_one_cycle(const BankAccess* accesses, std::size_t count) const;
  unsigned cycles_needed(const BankAccess* accesses, std::size_t count);

  std::uint32_t pairs_;
  BankCounts counts_;
};

}  // namespace wse::memory
