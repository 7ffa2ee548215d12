// SPDX-License-Identifier: Apache-2.0
#include "wse/memory/sram_arena.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <limits>
#include <vector>

#include "wse/base/check.h"
#include "wse/base/config_errors.h"

namespace wse::memory {
namespace {

constexpr base::Bytes kPageBytes = 4096;  // die stride; the host's page may be larger
constexpr base::Bytes kWalkBytes = base::Bytes{1} << 30;  // bytes asked of mincore at once

/// dies x stride as a size of mmap; refuses what no address can express.
std::size_t arena_bytes(std::uint32_t dies, base::Bytes stride) {
  const base::WideUint bytes = static_cast<base::WideUint>(dies) * stride;
  if (bytes == 0 || bytes > std::numeric_limits<std::ptrdiff_t>::max()) {
    throw base::ConfigError("memory.arena_bytes", fmt::format("{} dies of {} bytes", dies, stride),
                            "must be positive and fit the address space of this computer");
  }
  return static_cast<std::size_t>(bytes);
}

}  // namespace

SramArena::SramArena(std::uint32_t dies, base::Bytes bytes_per_die, base::Bytes budget_bytes,
                     bool dense)
    : dies_(dies),
      bytes_per_die_(bytes_per_die),
      stride_bytes_(bytes_per_die / kPageBytes * kPageBytes +
                    (bytes_per_die % kPageBytes != 0 ? kPageBytes : 0)),
      budget_bytes_(budget_bytes) {
  const std::size_t bytes = arena_bytes(dies_, stride_bytes_);
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) {
    throw base::ConfigError(
        "memory.arena_bytes", fmt::format("{}", bytes),
        fmt::format("must be reservable on this computer ({})", std::strerror(errno)));
  }
  data_ = static_cast<std::uint8_t*>(mapped);
  // Refused by kernels without huge pages only, where there is nothing to turn on or off.
  (void)::madvise(data_, bytes, dense ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

SramArena::~SramArena() { ::munmap(data_, static_cast<std::size_t>(stride_bytes_ * dies_)); }

void SramArena::require_budget(base::Bytes bytes, const std::string& what) const {
  if (bytes <= budget_bytes_) return;
  throw base::ConfigError("memory.budget_bytes", fmt::format("{}", budget_bytes_),
                          fmt::format("must be at least {} bytes for {}", bytes, what));
}

ArenaView SramArena::view(std::uint32_t die) const {
  WSE_CHECK(die < dies_, fmt::format("arena of {} dies has no die {}", dies_, die));
  return {data_ + stride_bytes_ * die, bytes_per_die_};
}

void SramArena::release(std::uint32_t die) {
  std::uint8_t* const begin = view(die).data;
  const int refused = ::madvise(begin, static_cast<std::size_t>(stride_bytes_), MADV_DONTNEED);
  WSE_CHECK(refused == 0, fmt::format("release of die {}: {}", die, std::strerror(errno)));
}

base::Bytes SramArena::resident_bytes() const {
  const auto page = static_cast<base::Bytes>(::sysconf(_SC_PAGESIZE));
  const base::Bytes total = stride_bytes_ * dies_;
  std::vector<unsigned char> resident(static_cast<std::size_t>(kWalkBytes / page));
  base::Bytes pages = 0;
  for (base::Bytes begin = 0; begin < total; begin += kWalkBytes) {
    const base::Bytes bytes = std::min(kWalkBytes, total - begin);
    const int refused = ::mincore(data_ + begin, static_cast<std::size_t>(bytes), resident.data());
    WSE_CHECK(refused == 0, fmt::format("mincore at {}: {}", begin, std::strerror(errno)));
    const auto asked = static_cast<std::ptrdiff_t>(base::ceil_div(bytes, page));
    pages += static_cast<base::Bytes>(
        std::count_if(resident.begin(), resident.begin() + asked,
                      [](unsigned char state) { return (state & 1U) != 0; }));
  }
  return pages * page;
}

}  // namespace wse::memory
