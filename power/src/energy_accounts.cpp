// SPDX-License-Identifier: Apache-2.0
#include "wse/power/energy_accounts.h"

#include <numeric>

namespace wse::power {

std::string_view energy_kind_name(std::size_t kind) {
  if (kind == kLeakage) return "leakage";
  if (kind == kConstant) return "constant";
  return name_of(static_cast<base::EventKind>(kind));
}

EnergyAccounts::EnergyAccounts(const EnergyTable& table, const PowerConfig& config,
                               std::uint32_t dies)
    : table_(table), dies_(dies) {
  for (const ClockState& state : config.clock_states) {
    voltage_factor_.push_back(state.volts * state.volts / (table.v0() * table.v0()));
  }
  reset();
}

void EnergyAccounts::reset() {
  cells_.assign(std::size_t{dies_} * base::kNumPhases, {});
  for (Cell& cell : cells_) cell.by_state.resize(voltage_factor_.size());
}

void EnergyAccounts::add(std::uint32_t die, base::Phase phase, std::uint32_t state,
                         const base::EventCounts& counts) {
  base::EventCounts& sum =
      cells_[die * base::kNumPhases + static_cast<std::size_t>(phase)].by_state[state];
  for (std::size_t k = 0; k < base::kNumEventKinds; ++k) sum[k] += counts[k];
}

void EnergyAccounts::add_static(std::uint32_t die, base::Phase phase, double leakage_j,
                                double constant_j) {
  Cell& cell = cells_[die * base::kNumPhases + static_cast<std::size_t>(phase)];
  cell.leakage_j += leakage_j;
  cell.constant_j += constant_j;
}

double EnergyAccounts::joules(const base::EventCounts& counts, std::uint32_t state) const {
  return table_.joules(counts) * voltage_factor_[state];
}

double EnergyAccounts::joules(const Cell& cell) const {
  double sum = cell.leakage_j + cell.constant_j;
  for (std::uint32_t s = 0; s < cell.by_state.size(); ++s) sum += joules(cell.by_state[s], s);
  return sum;
}

std::vector<double> EnergyAccounts::by_kind() const {
  std::vector<double> sums(kNumEnergyKinds, 0.0);
  for (const Cell& cell : cells_) {
    for (std::size_t s = 0; s < cell.by_state.size(); ++s) {
      for (std::size_t k = 0; k < base::kNumEventKinds; ++k) {
        sums[k] += static_cast<double>(cell.by_state[s][k]) *
                   table_.joules(static_cast<base::EventKind>(k)) * voltage_factor_[s];
      }
    }
    sums[kLeakage] += cell.leakage_j;
    sums[kConstant] += cell.constant_j;
  }
  return sums;
}

std::vector<double> EnergyAccounts::by_die() const {
  std::vector<double> sums(dies_, 0.0);
  for (std::uint32_t die = 0; die < dies_; ++die) {
    for (std::size_t phase = 0; phase < base::kNumPhases; ++phase)
      sums[die] += joules(cell(die, phase));
  }
  return sums;
}

std::vector<double> EnergyAccounts::by_phase() const {
  std::vector<double> sums(base::kNumPhases, 0.0);
  for (std::size_t phase = 0; phase < base::kNumPhases; ++phase) {
    for (std::uint32_t die = 0; die < dies_; ++die) sums[phase] += joules(cell(die, phase));
  }
  return sums;
}

std::vector<double> EnergyAccounts::by_die_of(std::size_t kind) const {
  std::vector<double> sums(dies_, 0.0);
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const Cell& cell = cells_[i];
    double& sum = sums[i / base::kNumPhases];
    if (kind == kLeakage) sum += cell.leakage_j;
    if (kind == kConstant) sum += cell.constant_j;
    if (kind >= base::kNumEventKinds) continue;
    for (std::size_t s = 0; s < cell.by_state.size(); ++s) {
      sum += static_cast<double>(cell.by_state[s][kind]) *
             table_.joules(static_cast<base::EventKind>(kind)) * voltage_factor_[s];
    }
  }
  return sums;
}

double EnergyAccounts::joules(base::Phase phase, base::EventKind kind) const {
  double sum = 0;
  for (std::uint32_t die = 0; die < dies_; ++die) {
    const Cell& c = cell(die, static_cast<std::size_t>(phase));
    for (std::size_t s = 0; s < c.by_state.size(); ++s) {
      sum += static_cast<double>(at(c.by_state[s], kind)) * voltage_factor_[s];
    }
  }
  return sum * table_.joules(kind);
}

std::uint64_t EnergyAccounts::count(base::Phase phase, base::EventKind kind) const {
  std::uint64_t sum = 0;
  for (std::uint32_t die = 0; die < dies_; ++die) {
    for (const base::EventCounts& counts : cell(die, static_cast<std::size_t>(phase)).by_state) {
      sum += at(counts, kind);
    }
  }
  return sum;
}

double EnergyAccounts::total() const {
  const std::vector<double> kinds = by_kind();
  return std::accumulate(kinds.begin(), kinds.end(), 0.0);
}

std::uint64_t EnergyAccounts::count(base::EventKind kind) const {
  std::uint64_t sum = 0;
  for (const Cell& cell : cells_) {
    for (const base::EventCounts& counts : cell.by_state) sum += at(counts, kind);
  }
  return sum;
}

}  // namespace wse::power
