// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "wse/base/activity.h"
#include "wse/power/energy_table.h"
#include "wse/power/power_config.h"

namespace wse::power {

/// Event kinds and, after them, the two that are no events.
inline constexpr std::size_t kLeakage = base::kNumEventKinds;
inline constexpr std::size_t kConstant = base::kNumEventKinds + 1;
inline constexpr std::size_t kNumEnergyKinds = base::kNumEventKinds + 2;
std::string_view energy_kind_name(std::size_t kind);

/// Events by die, phase and clock state as integers, and the static energies beside them.
class EnergyAccounts {
 public:
  EnergyAccounts(const EnergyTable& table, const PowerConfig& config, std::uint32_t dies);

  void add(std::uint32_t die, base::Phase phase, std::uint32_t state,
           const base::EventCounts& counts);
  void add_static(std::uint32_t die, base::Phase phase, double leakage_j, double constant_j);
  void reset();

  /// Joules of counts at a clock state: table * (V / V0)^2.
  double joules(const base::EventCounts& counts, std::uint32_t state) const;

  std::vector<double> by_kind() const;  ///< kNumEnergyKinds values, J
  std::vector<double> by_die() const;
  std::vector<double> by_phase() const;  ///< base::kNumPhases values
  /// One kind of energy_kind_name() over all phases, die by die, J.
  std::vector<double> by_die_of(std::size_t kind) const;
  /// Joules and number of the events of a kind in a phase, over all dies and states.
  double joules(base::Phase phase, base::EventKind kind) const;
  std::uint64_t count(base::Phase phase, base::EventKind kind) const;
  double total() const;
  /// Events of a kind over all dies, phases and states.
  std::uint64_t count(base::EventKind kind) const;

 private:
  struct Cell {
    std::vector<base::EventCounts> by_state;
    double leakage_j = 0;
    double constant_j = 0;
  };
  const Cell& cell(std::uint32_t die, std::size_t phase) const {
    return cells_[die * base::kNumPhases + phase];
  }
  double joules(const Cell& cell) const;

  const EnergyTable table_;
  std::vector<double> voltage_factor_;  ///< by state
  std::vector<Cell> cells_;
  std::uint32_t dies_;
};

}  // namespace wse::power
