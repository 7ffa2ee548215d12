// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "wse/host/swarmx.h"
#include "wse/model/plan.h"

namespace wse::model {

/// How data parallel systems share the sequences of a step. Their shares differ by at most one.
struct BatchShares {
  std::uint64_t systems = 1;
  std::uint64_t batch = 0;   ///< over all systems
  std::uint64_t larger = 0;  ///< sequences of a system with the larger share: the simulated one
  std::uint64_t with_larger = 1;  ///< systems that have it; the others have one sequence less

  bool even() const { return with_larger == systems; }
};

/// The settings of the system with the largest share, alone. Throws ConfigError where a system would
/// have no sequence.
Settings settings_of_one_system(const Settings& settings);

/// The shares of a step that is planned for the system with the largest one.
BatchShares shares_of(const Settings& settings, const TrainingPlan& plan);

/// The tree to the systems.
host::SwarmX tree_of(const Settings& settings);

/// What all systems execute in a step, for so much on the simulated one: those with one sequence less
/// execute its schedule without it.
std::uint64_t on_all_systems(std::uint64_t multiply_adds, const BatchShares& shares,
                             const host::ModelSpec& model, const TrainingPlan& plan);

/// Tokens a second of all systems against so many times those of one that trains the same batch alone
/// (its own largest one where no batch is set). One system has the waits at the begin and for the
/// update, `update_seconds`, once as well; the rest of a step of `step_seconds` grows as the cost terms
/// tell. A run with one system tells exactly.
double estimated_efficiency(const host::ModelSpec& model, const Settings& settings,
                            const TrainingPlan& plan, double step_seconds, double update_seconds);

}  // namespace wse::model
