// SPDX-License-Identifier: Apache-2.0
#include "wse/model/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "wse/tiles/cost_terms.h"

namespace wse::model {
namespace {

std::vector<std::uint64_t> cut_batch(std::uint64_t batch, std::uint64_t capacity) {
  const std::uint64_t parts = base::ceil_div(batch, capacity);
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t i = 0; i < parts; ++i) {
    sizes.push_back(base::mul_div(batch, i + 1, parts) - base::mul_div(batch, i, parts));
  }
  return sizes;
}

/// Step time from the cost terms: in each of the forward and backward phase the slowest of lanes
/// and tiles decides. One layer in large blocks stands for all.
double estimate_seconds(const host::ModelSpec& model, const Settings& settings,
                        const TrainingPlan& plan) {
  const MachineConfig& machine = settings.machine;
  host::ModelSpec one_layer = model;
  one_layer.layers = 1;
  one_layer.stated_parameters.reset();
  host::ScheduleConfig config = plan.schedule;
  config.block_bytes = 1ULL << 40;
  const double lanes_bytes_per_second =
      static_cast<double>(machine.io.payload_bits_per_second()) * machine.io.lanes / 8;
  double seconds = 0;
  for (const std::uint64_t sequences : plan.schedule.micro_batches) {
    config.micro_batches = {sequences};
    double compute[2] = {};
    double in[2] = {};
    double out[2] = {};
    for (const base::WorkItem& item : host::build_schedule(one_layer, config)) {
      const double times = item.in_layer ? static_cast<double>(model.layers) : 1.0;
      const int phase = item.phase == base::Phase::kForward ? 0 : 1;
      compute[phase] +=
          times * static_cast<double>(tiles::total(tiles::cycles_of(
                      item, plan.mapping, machine.tile, settings.run.precision_kind())));
      in[phase] += times * static_cast<double>(item.weight_bytes);
      out[phase] += times * static_cast<double>(item.gradient_bytes);
    }
    for (int phase = 0; phase < 2; ++phase) {
      seconds +=
          std::max({compute[phase] / static_cast<double>(machine.core_hz),
                    in[phase] / lanes_bytes_per_second, out[phase] / lanes_bytes_per_second});
    }
  }
  return seconds;
}

/// The cheapest mapping for the plan's micro-batches, or the pinned one.
void choose_copies(const host::ModelSpec& model, const Settings& settings, TrainingPlan& plan) {
  const base::GeometryConfig& g = settings.machine.geometry;
  const auto pinned = static_cast<std::uint32_t>(settings.run.copies);
  const std::uint32_t first = pinned == 0 ? 1 : pinned;
  const std::uint32_t last = pinned == 0 ? std::min<std::uint32_t>(8, g.user_columns) : pinned;
  std::optional<TrainingPlan> best;
  for (std::uint32_t copies = first; copies <= last; ++copies) {
    plan.mapping = base::Mapping(g.user_columns, g.user_rows, copies);
    plan.estimated_step_seconds = estimate_seconds(model, settings, plan);
    if (!best || plan.estimated_step_seconds < best->estimated_step_seconds) best = plan;
  }
  plan = *best;
}

std::optional<TrainingPlan> plan_with(const host::ModelSpec& model, const Settings& settings,
                                      bool recompute) {
  const MachineConfig& machine = settings.machine;
  TrainingPlan plan;
  plan.schedule.sequence = settings.run.sequence == 0 ? model.positions : settings.run.sequence;
  plan.schedule.recompute = recompute;
  plan.schedule.density_ppm = settings.run.density_ppm();
  plan.schedule.block_bytes = settings.run.block_bytes;
  plan.passes = recompute ? 3 : 2;
  plan.activation_limit =
      base::mul_div(machine.sram_bytes_user(), machine.tile.activation_share_ppm, 1'000'000);
  const base::Bytes per_sequence =
      activation_bytes_per_token(model, recompute) * plan.schedule.sequence;
  plan.capacity = plan.activation_limit / per_sequence;
  if (plan.capacity == 0) return std::nullopt;
  plan.batch = settings.run.batch == 0 ? plan.capacity : settings.run.batch;
  plan.schedule.micro_batches = cut_batch(plan.batch, plan.capacity);
  plan.activation_bytes =
      per_sequence * base::ceil_div(plan.batch, plan.schedule.micro_batches.size());
  choose_copies(model, settings, plan);
  return plan;
}

[[noreturn]] void nothing_fits(const host::ModelSpec& model, const Settings& settings) {
  const std::uint64_t sequence =
      settings.run.sequence == 0 ? model.positions : settings.run.sequence;
  const base::Bytes needed =
      activation_bytes_per_token(model, settings.run.recompute != "none") * sequence;
  const base::Bytes limit = base::mul_div(settings.machine.sram_bytes_user(),
                                          settings.machine.tile.activation_share_ppm, 1'000'000);
  throw base::ConfigError(
      "run.sequence", std::to_string(sequence),
      fmt::format("needs {} bytes of activations for one sequence, {} fit: at most {} tokens{}",
                  needed, limit,
                  limit / activation_bytes_per_token(model, settings.run.recompute != "none"),
                  settings.run.recompute == "none" ? ", or run.recompute = full" : ""));
}

}  // namespace

base::Bytes activation_bytes_per_token(const host::ModelSpec& model, bool recompute) {
  const base::Bytes live = model.intermediate_bytes();
  return recompute ? 2 * model.layers * model.width + live : model.layers * live;
}

TrainingPlan make_plan(const host::ModelSpec& model, const Settings& settings) {
  if (settings.run.sequence > model.positions && model.learned_positions) {
    throw base::ConfigError(
        "run.sequence", std::to_string(settings.run.sequence),
        fmt::format("must be at most the model's positions, {}", model.positions));
  }
  if (settings.run.sequence != 0 && settings.run.sequence != model.positions &&
      model.image_side > 0) {
    throw base::ConfigError(
        "run.sequence", std::to_string(settings.run.sequence),
        fmt::format("must be the text and the image of this model, {}", model.positions));
  }
  std::optional<TrainingPlan> best;
  for (const bool recompute : {false, true}) {
    if (settings.run.recompute == (recompute ? "none" : "full")) continue;
    const auto plan = plan_with(model, settings, recompute);
    if (!plan) continue;
    const auto rate = [](const TrainingPlan& p) {
      return static_cast<double>(p.tokens()) / p.estimated_step_seconds;
    };
    if (!best || rate(*plan) > rate(*best)) best = plan;
  }
  if (!best) nothing_fits(model, settings);
  return *best;
}

}  // namespace wse::model
