// SPDX-License-Identifier: Apache-2.0
#include "wse/model/energy_ledger.h"

#include <algorithm>
#include <numeric>

#include "wse/base/check.h"

namespace wse::model {
namespace {

using base::EventKind;
using base::Phase;

constexpr std::size_t index(tiles::Cause cause) { return static_cast<std::size_t>(cause); }
constexpr std::size_t index(Phase phase) { return static_cast<std::size_t>(phase); }

/// The time ledger gives all of a recomputed pass to it; so does this one.
std::size_t cause_of(fabric::Cargo cargo, std::size_t phase) {
  if (phase == index(Phase::kRecompute)) return index(tiles::Cause::kRecompute);
  switch (cargo) {
    case fabric::Cargo::kWeights:
      return kBroadcast;
    case fabric::Cargo::kSums:
      return index(tiles::Cause::kReduction);
    case fabric::Cargo::kGradients:
      return kGradients;
    case fabric::Cargo::kSamples:
      return kSamples;
    case fabric::Cargo::kMoved:
      return index(tiles::Cause::kLayerChange);
    case fabric::Cargo::kCount:
      break;
  }
  WSE_CHECK(false, "a cargo");
  return kBroadcast;
}

void add(base::EventCounts& sum, const base::EventCounts& counts) {
  for (std::size_t kind = 0; kind < base::kNumEventKinds; ++kind) sum[kind] += counts[kind];
}

constexpr bool is_sram(EventKind kind) {
  return kind == EventKind::kSramRead64 || kind == EventKind::kSramWrite64 ||
         kind == EventKind::kSramRead32 || kind == EventKind::kSramWrite32;
}

/// The energy of events of one kind in one phase.
void share_events(EnergyLedger& ledger, const power::EnergyAccounts& accounts,
                  const EnergyEvents& events, std::size_t phase, EventKind kind) {
  const std::uint64_t accounted = accounts.count(static_cast<Phase>(phase), kind);
  std::uint64_t counted = 0;
  for (const base::EventCounts& counts : events[phase]) counted += at(counts, kind);
  if (!is_sram(kind))
    ledger.unclaimed += std::max(accounted, counted) - std::min(accounted, counted);
  if (accounted == 0) return;
  const double each = accounts.joules(static_cast<Phase>(phase), kind) /
                      static_cast<double>(std::max(accounted, counted));
  for (std::size_t cause = 0; cause < kNumEnergyCauses; ++cause) {
    ledger.joules[phase][cause] += each * static_cast<double>(at(events[phase][cause], kind));
  }
  if (accounted > counted) {
    ledger.joules[phase][index(tiles::Cause::kLayerChange)] +=
        each * static_cast<double>(accounted - counted);
  }
}

std::uint64_t total(const tiles::Ledger& cycles) {
  return std::accumulate(
      cycles.begin(), cycles.end(), std::uint64_t{0},
      [](std::uint64_t sum, const tiles::CauseCycles& phase) { return sum + tiles::total(phase); });
}

/// Joules that a die draws whatever it does, by tile-cycles: those of its cores without a program,
/// and those of the causes.
void share_still(EnergyLedger& ledger, double joules, double unused_cycles,
                 const tiles::Ledger& cycles) {
  const double all = unused_cycles + static_cast<double>(total(cycles));
  const double unused = all > 0 ? joules * unused_cycles / all : joules;
  ledger.joules[index(Phase::kIdle)][kUnusedCores] += unused;
  ledger.still[kUnusedCores] += unused;
  if (!(all > 0)) return;
  for (std::size_t phase = 0; phase < base::kNumPhases; ++phase) {
    for (std::size_t cause = 0; cause < tiles::kNumCauses; ++cause) {
      const double share = joules * static_cast<double>(cycles[phase][cause]) / all;
      ledger.joules[phase][cause] += share;
      ledger.still[cause] += share;
    }
  }
}

tiles::Ledger gated_cycles(const DieTime& die) {
  tiles::Ledger gated{};
  for (std::size_t phase = 0; phase < base::kNumPhases; ++phase) {
    for (std::size_t cause = 0; cause < tiles::kNumCauses; ++cause) {
      const std::uint64_t running = die.running[phase][cause];
      gated[phase][cause] =
          die.cycles[phase][cause] > running ? die.cycles[phase][cause] - running : 0;
    }
  }
  return gated;
}

}  // namespace

std::string_view energy_cause_name(std::size_t cause) {
  switch (cause) {
    case kBroadcast:
      return "broadcast";
    case kGradients:
      return "gradients";
    case kSamples:
      return "samples";
    case kUnusedCores:
      return "unused_cores";
    default:
      return name_of(static_cast<tiles::Cause>(cause));
  }
}

CauseJoules EnergyLedger::by_cause() const {
  CauseJoules sum{};
  for (const CauseJoules& phase : joules) {
    for (std::size_t cause = 0; cause < kNumEnergyCauses; ++cause) sum[cause] += phase[cause];
  }
  return sum;
}

double EnergyLedger::total() const {
  const CauseJoules causes = by_cause();
  return std::accumulate(causes.begin(), causes.end(), 0.0);
}

EnergyLedger& EnergyLedger::operator/=(double n) {
  for (CauseJoules& phase : joules) {
    for (double& j : phase) j /= n;
  }
  for (double& j : still) j /= n;
  return *this;
}

void add_events(EnergyEvents& sum, const tiles::EventLedger& of_tiles) {
  for (std::size_t phase = 0; phase < base::kNumPhases; ++phase) {
    for (std::size_t cause = 0; cause < tiles::kNumCauses; ++cause) {
      add(sum[phase][cause], of_tiles[phase][cause]);
    }
  }
}

void add_events(EnergyEvents& sum,
                const std::array<fabric::CargoEvents, base::kNumPhases>& of_fabric) {
  for (std::size_t phase = 0; phase < base::kNumPhases; ++phase) {
    for (std::size_t cargo = 0; cargo < fabric::kNumCargoes; ++cargo) {
      add(sum[phase][cause_of(static_cast<fabric::Cargo>(cargo), phase)], of_fabric[phase][cargo]);
    }
  }
}

void DieTime::add(std::uint64_t own_tiles, const tiles::EventLedger& done) {
  user_tiles += own_tiles;
  for (std::size_t phase = 0; phase < base::kNumPhases; ++phase) {
    for (std::size_t cause = 0; cause < tiles::kNumCauses; ++cause) {
      running[phase][cause] += at(done[phase][cause], EventKind::kClockRunning);
    }
  }
}

std::array<fabric::CargoEvents, base::kNumPhases> events_since(const fabric::FabricStats& before,
                                                               const fabric::FabricStats& after) {
  auto events = after.events;
  for (std::size_t phase = 0; phase < base::kNumPhases; ++phase) {
    for (std::size_t cargo = 0; cargo < fabric::kNumCargoes; ++cargo) {
      for (std::size_t kind = 0; kind < base::kNumEventKinds; ++kind) {
        events[phase][cargo][kind] -= before.events[phase][cargo][kind];
      }
    }
  }
  return events;
}

EnergyLedger share_energy(const power::EnergyAccounts& accounts, const EnergyEvents& events,
                          const std::vector<DieTime>& dies, std::uint64_t tiles_per_die) {
  EnergyLedger ledger;
  for (std::size_t phase = 0; phase < base::kNumPhases; ++phase) {
    for (std::size_t kind = 0; kind < base::kNumEventKinds; ++kind) {
      if (static_cast<EventKind>(kind) == EventKind::kClockGated) continue;
      share_events(ledger, accounts, events, phase, static_cast<EventKind>(kind));
    }
  }
  const auto gated = accounts.by_die_of(static_cast<std::size_t>(EventKind::kClockGated));
  const auto leakage = accounts.by_die_of(power::kLeakage);
  const auto constant = accounts.by_die_of(power::kConstant);
  for (std::size_t die = 0; die < dies.size(); ++die) {
    const DieTime& time = dies[die];
    const double unused_cycles = time.user_tiles == 0
                                     ? 0.0
                                     : static_cast<double>(tiles_per_die - time.user_tiles) /
                                           static_cast<double>(time.user_tiles) *
                                           static_cast<double>(total(time.cycles));
    share_still(ledger, leakage[die] + constant[die], unused_cycles, time.cycles);
    share_still(ledger, gated[die], unused_cycles, gated_cycles(time));
  }
  return ledger;
}

}  // namespace wse::model
