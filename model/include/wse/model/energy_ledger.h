// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "wse/fabric/stream_fabric.h"
#include "wse/power/energy_accounts.h"
#include "wse/tiles/region_core.h"

namespace wse::model {

/// Causes of energy: those of the tiles' time and, after them, what no tile spends time on.
inline constexpr std::size_t kBroadcast = tiles::kNumCauses;        ///< fabric::Cargo::kWeights
inline constexpr std::size_t kGradients = tiles::kNumCauses + 1;    ///< kGradients
inline constexpr std::size_t kSamples = tiles::kNumCauses + 2;      ///< kSamples
inline constexpr std::size_t kUnusedCores = tiles::kNumCauses + 3;  ///< cores without a program
inline constexpr std::size_t kNumEnergyCauses = tiles::kNumCauses + 4;
std::string_view energy_cause_name(std::size_t cause);

using CauseJoules = std::array<double, kNumEnergyCauses>;

/// Where the joules go. Every joule has one cause: an event that of the work or of the cargo for
/// which it was counted; leakage, the constant and gated clocks those of the time in which they were
/// drawn, die by die. A phase is that of the work, or of the work waited for.
struct EnergyLedger {
  std::array<CauseJoules, base::kNumPhases> joules{};
  CauseJoules still{};  ///< of these, over all phases: leakage, the constant, gated clocks
  /// Events that the accounts have and no work counted, or the reverse; accesses of the SRAM aside.
  std::uint64_t unclaimed = 0;

  CauseJoules by_cause() const;
  double total() const;
  EnergyLedger& operator/=(double n);
};

/// Events that were counted, by phase and cause.
using EnergyEvents = std::array<std::array<base::EventCounts, kNumEnergyCauses>, base::kNumPhases>;
/// Of the tiles and of the fabric. What is carried for a recomputation is part of it.
void add_events(EnergyEvents& sum, const tiles::EventLedger& of_tiles);
void add_events(EnergyEvents& sum,
                const std::array<fabric::CargoEvents, base::kNumPhases>& of_fabric);

/// The time of a die.
struct DieTime {
  std::uint64_t user_tiles = 0;
  tiles::Ledger cycles{};   ///< tile-cycles
  tiles::Ledger running{};  ///< of these, with a running clock

  /// A part of the die, and what it did.
  void add(std::uint64_t own_tiles, const tiles::EventLedger& done);
};

/// What the fabric counted from one look at it to another.
std::array<fabric::CargoEvents, base::kNumPhases> events_since(const fabric::FabricStats& before,
                                                               const fabric::FabricStats& after);

/// Shares out what the accounts hold. Accesses that no work counted are those of the records that a
/// layer leaves in the SRAM: they go to the change of layers.
EnergyLedger share_energy(const power::EnergyAccounts& accounts, const EnergyEvents& events,
                          const std::vector<DieTime>& dies, std::uint64_t tiles_per_die);

}  // namespace wse::model
