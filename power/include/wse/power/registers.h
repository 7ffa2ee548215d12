// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// Register map of the monitor: 64-bit words at byte offsets, little end first. Reads and writes are
/// of 8 bytes; what cannot be written gives a command error, what breaks a rule a generic error, and
/// nothing changes. Debug reads see the same and clear nothing.
namespace wse::power::registers {

inline constexpr std::uint64_t kWaferPowerMw = 0x00;     ///< read, last window
inline constexpr std::uint64_t kHottestDeciC = 0x08;     ///< read, hottest cell, 0.1 C
inline constexpr std::uint64_t kClockState = 0x10;       ///< read, 0 fastest
inline constexpr std::uint64_t kEnergyUj = 0x18;         ///< read, since the measurement began
inline constexpr std::uint64_t kCapMw = 0x20;            ///< read and write: the budget in force
inline constexpr std::uint64_t kThrottleDeciC = 0x28;    ///< read and write, above kReleaseDeciC
inline constexpr std::uint64_t kReleaseDeciC = 0x30;     ///< read and write
inline constexpr std::uint64_t kShutdownDeciC = 0x38;    ///< read and write, above kThrottleDeciC
inline constexpr std::uint64_t kInterruptStatus = 0x40;  ///< read; ones written clear bits
inline constexpr std::uint64_t kInterruptEnable = 0x48;  ///< read and write
inline constexpr std::uint64_t kNewEnergyUj = 0x50;      ///< read, since it was read last
inline constexpr std::uint64_t kCoolantOutDeciC = 0x58;  ///< read
inline constexpr std::uint64_t kWorstDroopUv = 0x60;     ///< read, since the measurement began
inline constexpr std::uint64_t kPeakDeciC = 0x68;        ///< read, since the measurement began
inline constexpr std::uint64_t kWindows = 0x70;          ///< read, windows closed
inline constexpr std::uint64_t kDiePowerMw = 0x1000;     ///< read, 8 bytes a die
inline constexpr std::uint64_t kDieDeciC = 0x10000;      ///< read, 8 bytes a die
inline constexpr std::uint64_t kDieEnergyUj = 0x20000;   ///< read, 8 bytes a die
inline constexpr std::uint64_t kDiePeakDeciC = 0x30000;  ///< read, 8 bytes a die

/// Bits of kInterruptStatus and kInterruptEnable; the interrupt is high while a bit is in both.
inline constexpr std::uint64_t kOverCap = 1;    ///< the mean of the cap's window was above the cap
inline constexpr std::uint64_t kThrottled = 2;  ///< a die reached the throttle temperature
inline constexpr std::uint64_t kSlowed = 4;     ///< the clock went to a slower state
inline constexpr std::uint64_t kAllInterrupts = 7;

}  // namespace wse::power::registers
