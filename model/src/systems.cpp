// SPDX-License-Identifier: Apache-2.0
#include "wse/model/systems.h"

#include <fmt/format.h>

#include <algorithm>

#include "wse/tiles/cost_terms.h"

namespace wse::model {
namespace {

std::uint64_t multiply_adds_of(const host::ModelSpec& model, const host::ScheduleConfig& schedule,
                               const base::Mapping& mapping) {
  std::uint64_t sum = 0;
  for (const base::WorkItem& item : host::build_schedule(model, schedule)) {
    sum += tiles::multiply_adds(item, mapping.with_copies(item.copies),
                                {{0, mapping.columns()}, {0, mapping.rows()}});
  }
  return sum;
}

host::ScheduleConfig without_a_sequence(host::ScheduleConfig schedule) {
  auto& sizes = schedule.micro_batches;
  const auto largest = std::max_element(sizes.begin(), sizes.end());
  if (--*largest == 0) sizes.erase(largest);
  return schedule;
}

}  // namespace

Settings settings_of_one_system(const Settings& settings) {
  const RunConfig& run = settings.run;
  if (run.batch != 0 && run.batch < run.systems) {
    throw base::ConfigError(
        "run.batch", std::to_string(run.batch),
        fmt::format("must be at least run.systems, {}: each system trains a sequence or more",
                    run.systems));
  }
  Settings one = settings;
  one.run.systems = 1;
  one.run.batch = base::ceil_div(run.batch, run.systems);
  return one;
}

BatchShares shares_of(const Settings& settings, const TrainingPlan& plan) {
  const RunConfig& run = settings.run;
  BatchShares shares;
  shares.systems = run.systems;
  shares.batch = run.batch == 0 ? plan.batch * run.systems : run.batch;
  shares.larger = plan.batch;
  shares.with_larger = shares.batch - (plan.batch - 1) * run.systems;
  return shares;
}

host::SwarmX tree_of(const Settings& settings) {
  return {settings.machine.swarmx, settings.run.systems, settings.machine.io};
}

std::uint64_t on_all_systems(std::uint64_t multiply_adds, const BatchShares& shares,
                             const host::ModelSpec& model, const TrainingPlan& plan) {
  const std::uint64_t larger = shares.with_larger * multiply_adds;
  if (shares.even()) return larger;
  return larger + (shares.systems - shares.with_larger) *
                      multiply_adds_of(model, without_a_sequence(plan.schedule), plan.mapping);
}

double estimated_efficiency(const host::ModelSpec& model, const Settings& settings,
                            const TrainingPlan& plan, double step_seconds, double update_seconds) {
  if (settings.run.systems == 1) return 1;
  const MachineConfig& machine = settings.machine;
  const double tree = 1e-12 * static_cast<double>(tree_of(settings).latency());
  const double alone = step_seconds - 2 * tree;
  if (settings.run.batch == 0) return alone / step_seconds;
  const double once =
      update_seconds - tree +
      1e-12 * static_cast<double>(machine.memoryx.latency_ps + machine.lane_latency_ps);
  Settings one = settings;
  one.run.systems = 1;
  one.run.micro_batches = 0;  // a pinned number is that of a system
  const double longer = make_plan(model, one).estimated_step_seconds / plan.estimated_step_seconds;
  return (once + (alone - once) * longer) /
         (static_cast<double>(settings.run.systems) * step_seconds);
}

}  // namespace wse::model
