// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "sweep_runner.h"
#include "wse/model/sweep_plan.h"

namespace wse::cli {

/// A sweep file with everything that it names, read and validated.
struct SweepInput {
  model::SweepPlan plan;
  SweepRunner::Files files;
};

/// Says whether a sweep of that many points is wanted.
using AskCount = std::function<bool(std::uint64_t)>;

/// Reads the file and expands it. More points than model::kSweepPointsAsked are expanded only if
/// `ask` agrees. Throws ConfigError with every violation.
SweepInput read_sweep_input(const std::string& file, const AskCount& ask);

}  // namespace wse::cli
