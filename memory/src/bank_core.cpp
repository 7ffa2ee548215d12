// SPDX-License-Identifier: Apache-2.0
#include "wse/memory/bank_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "wse/base/check.h"

namespace wse::memory {
namespace {

constexpr std::uint64_t kMaxSizeBytes = std::uint64_t{16} << 20;
constexpr unsigned kReadsPerCycle = 2;
constexpr unsigned kWritesPerCycle = 1;

/// What one cycle of the banks has taken on.
struct Cycle {
  std::uint64_t pairs = 0;  // bit p: pair p is taken
  unsigned reads = 0;
  unsigned writes = 0;

  bool fits(std::uint64_t claimed, bool is_write) const {
    const bool port = is_write ? writes < kWritesPerCycle : reads < kReadsPerCycle;
    return port && (pairs & claimed) == 0;
  }
  void take(std::uint64_t claimed, bool is_write) {
    pairs |= claimed;
    ++(is_write ? writes : reads);
  }
};

}  // namespace

void SramConfig::validate(const std::string& path, base::ConfigErrors& errors) const {
  errors.require(size_bytes > 0 && size_bytes % 8 == 0 && size_bytes <= kMaxSizeBytes,
                 path + ".size_bytes", size_bytes,
                 "must be a positive multiple of 8 bytes, at most 16777216");
  errors.require(banks >= 2 && banks <= 64 && (banks & (banks - 1)) == 0, path + ".banks", banks,
                 "must be a power of two from 2 to 64");
  errors.require(access_latency_cycles >= 1, path + ".access_latency_cycles", access_latency_cycles,
                 "must be at least 1 cycle");
}

BankCounts& BankCounts::operator+=(const BankCounts& other) {
  reads64 += other.reads64;
  writes64 += other.writes64;
  reads32 += other.reads32;
  writes32 += other.writes32;
  conflict_cycles += other.conflict_cycles;
  return *this;
}

BankCounts counts_of_transfer(bool is_write, std::uint64_t bytes) {
  const std::uint64_t rest = bytes % 8;
  BankCounts counts;
  (is_write ? counts.writes64 : counts.reads64) = bytes / 8 + (rest > 4 ? 1 : 0);
  (is_write ? counts.writes32 : counts.reads32) = rest > 0 && rest <= 4 ? 1 : 0;
  return counts;
}

/// Whether the accesses do without a second cycle: the most frequent case.
bool BankCore::fit_one_cycle(const BankAccess* accesses, std::size_t count_of_accesses) const {
  Cycle cycle;
  for (std::size_t i = 0; i < count_of_accesses; ++i) {
    const std::uint64_t claimed = pairs_claimed(accesses[i]);
    if (!cycle.fits(claimed, accesses[i].is_write)) return false;
    cycle.take(claimed, accesses[i].is_write);
  }
  return true;
}

/// Counts the cycles beyond the first.
unsigned BankCore::cycles_needed(const BankAccess* accesses, std::size_t count_of_accesses) {
  if (fit_one_cycle(accesses, count_of_accesses)) return count_of_accesses == 0 ? 0 : 1;
  // First fit needs the fewest cycles for up to three accesses (tested against all schedules).
  std::array<Cycle, kMaxAccesses> cycles{};
  unsigned used = 0;
  for (std::size_t i = 0; i < count_of_accesses; ++i) {
    const std::uint64_t claimed = pairs_claimed(accesses[i]);
    unsigned at = 0;
    while (!cycles[at].fits(claimed, accesses[i].is_write)) ++at;
    cycles[at].take(claimed, accesses[i].is_write);
    used = at + 1 > used ? at + 1 : used;
  }
  counts_.conflict_cycles += used > 0 ? used - 1 : 0;
  return used;
}

unsigned BankCore::cycles_of(const BankAccess* accesses, std::size_t count_of_accesses) {
  WSE_CHECK(count_of_accesses <= kMaxAccesses,
            fmt::format("{} accesses in one step, at most 3 have ports", count_of_accesses));
  for (std::size_t i = 0; i < count_of_accesses; ++i)
    count(accesses[i].width, accesses[i].is_write);
  return cycles_needed(accesses, count_of_accesses);
}

BankCounts BankCore::take() {
  const BankCounts taken = counts_;
  counts_ = {};
  return taken;
}

}  // namespace wse::memory
