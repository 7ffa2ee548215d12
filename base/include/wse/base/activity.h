// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "wse/base/units.h"

namespace wse::base {

/// Events that cost energy. One row each in configs/energy/*.csv, by these names.
enum class EventKind : std::uint32_t {
  kFmacFp16,         ///< one lane, fp16 multiply-add
  kFmacMixed,        ///< one lane, fp16 multiply, fp32 add
  kFmacFp32,         ///< one lane, fp32 multiply-add
  kAddFp16,          ///< one lane, fp16 add of a partial sum
  kAddFp32,          ///< one lane, fp32 add of a partial sum
  kIntAlu,           ///< INT16 operation: address or length step of a descriptor
  kSramRead64,       ///< 64-bit read of a bank pair
  kSramWrite64,      ///< 64-bit write of a bank pair
  kSramRead32,       ///< 32-bit read
  kSramWrite32,      ///< 32-bit write
  kLocalCache,       ///< 64-bit access of the 256 B buffer, or of a register: two a vector step
  kControlCycle,     ///< instruction and tensor sequencer, per active core cycle
  kTaskSwitch,       ///< a task or a microthread starts, or the main thread with a wavelet
  kRouterTraversal,  ///< a wavelet through a router, by however many outputs
  kLinkHop,          ///< a wavelet over the link between two routers
  kDieCrossing,      ///< additional cost of a hop over a scribe line
  kRamp,             ///< a wavelet between router and core, either way
  kClockRunning,     ///< clock tree of a core, per active core cycle
  kClockGated,       ///< clock residual of an idle core, per core cycle
  kIoBit,            ///< SerDes, per bit in or out
  kCount
};
inline constexpr std::size_t kNumEventKinds = static_cast<std::size_t>(EventKind::kCount);

/// What the training step is doing, for breakdowns of time and energy.
enum class Phase : std::uint32_t { kIdle, kForward, kRecompute, kBackward, kUpdate, kCount };
inline constexpr std::size_t kNumPhases = static_cast<std::size_t>(Phase::kCount);

std::string_view name_of(EventKind kind);
std::string_view name_of(Phase phase);

using EventCounts = std::array<std::uint64_t, kNumEventKinds>;
inline std::uint64_t& at(EventCounts& counts, EventKind kind) {
  return counts[static_cast<std::size_t>(kind)];
}
inline std::uint64_t at(const EventCounts& counts, EventKind kind) {
  return counts[static_cast<std::size_t>(kind)];
}

/// What one module counted on one die in one phase of one activity window.
///
/// Travels as the data of a TLM write to the activity socket of the power monitor, address `die *
/// sizeof(ActivityRecord)`, in the byte order of the host. Windows are numbered from 0, each
/// `window` long; a record is posted after its window has ended and before the next one has.
struct ActivityRecord {
  std::uint32_t die = 0;  ///< row * die columns + column
  Phase phase = Phase::kIdle;
  std::uint64_t window = 0;  ///< index of the activity window
  std::uint64_t phase_cycles =
      0;  ///< tile-cycles spent in the phase on this die; TileRegion only, else 0
  EventCounts counts{};
};
static_assert(std::is_trivially_copyable_v<ActivityRecord>);

}  // namespace wse::base
