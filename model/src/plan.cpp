// SPDX-License-Identifier: Apache-2.0
#include "wse/model/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "wse/tiles/cost_terms.h"

namespace wse::model {
namespace {

std::vector<std::uint64_t> cut_batch(std::uint64_t batch, std::uint64_t parts) {
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t i = 0; i < parts; ++i) {
    sizes.push_back(base::mul_div(batch, i + 1, parts) - base::mul_div(batch, i, parts));
  }
  return sizes;
}

/// Blocks are as fine as a run of this many of them allows.
constexpr std::uint64_t kMostBlocks = 98'304;
/// Steps up to this long are seen in windows of the machine's length.
constexpr double kStepOfOneWindowLength = 4.096;
constexpr base::Bytes kMebibyte = 1ULL << 20;

/// Schedules of single micro-batches in large blocks, by the number of sequences.
using MicroBatches = std::map<std::uint64_t, std::vector<base::WorkItem>>;

MicroBatches micro_batches_of(const host::ModelSpec& model, const TrainingPlan& plan) {
  host::ScheduleConfig config = plan.schedule;
  config.block_bytes = 1ULL << 40;
  MicroBatches all;
  for (const std::uint64_t sequences : plan.schedule.micro_batches) {
    if (all.count(sequences) > 0) continue;
    config.micro_batches = {sequences};
    all[sequences] = host::build_schedule(model, config);
  }
  return all;
}

/// Time of one micro-batch from the cost terms: in each of the forward and backward phase the
/// slowest of lanes and tiles decides.
double estimate_seconds(const std::vector<base::WorkItem>& schedule, const Settings& settings,
                        const base::Mapping& mapping) {
  const MachineConfig& machine = settings.machine;
  const double lanes_bytes_per_second =
      static_cast<double>(machine.io.payload_bits_per_second()) * machine.io.lanes / 8;
  double compute[2] = {};
  double in[2] = {};
  double out[2] = {};
  for (const base::WorkItem& item : schedule) {
    const int phase = item.phase == base::Phase::kForward ? 0 : 1;
    compute[phase] += static_cast<double>(
        tiles::total(tiles::cycles_of(item, mapping, machine.tile, settings.run.precision_kind())));
    in[phase] += static_cast<double>(item.weight_bytes);
    out[phase] += static_cast<double>(item.gradient_bytes);
  }
  double seconds = 0;
  for (int phase = 0; phase < 2; ++phase) {
    seconds += std::max({compute[phase] / static_cast<double>(machine.core_hz),
                         in[phase] / lanes_bytes_per_second, out[phase] / lanes_bytes_per_second});
  }
  return seconds;
}

/// The cheapest mapping for the plan's micro-batches, or the pinned one.
void choose_copies(const host::ModelSpec& model, const Settings& settings, TrainingPlan& plan) {
  const base::GeometryConfig& g = settings.machine.geometry;
  const auto pinned = static_cast<std::uint32_t>(settings.run.copies);
  const std::uint32_t first = pinned == 0 ? 1 : pinned;
  const std::uint32_t last = pinned == 0 ? std::min<std::uint32_t>(8, g.user_columns) : pinned;
  const MicroBatches schedules = micro_batches_of(model, plan);
  plan.estimated_step_seconds = std::numeric_limits<double>::infinity();
  for (std::uint32_t copies = first; copies <= last; ++copies) {
    const base::Mapping mapping(g.user_columns, g.user_rows, copies);
    std::map<std::uint64_t, double> known;
    for (const auto& [sequences, schedule] : schedules) {
      known[sequences] = estimate_seconds(schedule, settings, mapping);
    }
    double seconds = 0;
    for (const std::uint64_t sequences : plan.schedule.micro_batches) seconds += known[sequences];
    if (seconds >= plan.estimated_step_seconds) continue;
    plan.estimated_step_seconds = seconds;
    plan.mapping = mapping;
  }
}

/// About 16 MiB, or larger where a step would have more blocks than are worth simulating.
base::Bytes block_bytes_of(const host::ModelSpec& model, const Settings& settings,
                           const TrainingPlan& plan) {
  if (settings.run.block_bytes > 0) return settings.run.block_bytes;
  const base::Bytes moved =
      2 * model.parameters() * (plan.passes + 1) * plan.schedule.micro_batches.size();
  return std::max<base::Bytes>(16, base::ceil_div(moved, kMostBlocks * kMebibyte)) * kMebibyte;
}

/// The machine's activity window, and a multiple of it for long steps.
double window_of(const Settings& settings, const TrainingPlan& plan) {
  const power::PowerConfig& power = settings.machine.power;
  const double longest = std::min(power.longest_window_s, power.cap_window_s);
  const double most = std::max(1.0, std::floor(longest / power.window_s + 1e-9));
  const double wanted = std::ceil(plan.estimated_step_seconds / kStepOfOneWindowLength);
  return power.window_s * std::clamp(wanted, 1.0, most);
}

/// Cuts the batch into as few micro-batches as fit, or into a few more, if that is cheaper: a number of
/// tokens that fills the rows saves more than a change of layers costs.
void choose_micro_batches(const host::ModelSpec& model, const Settings& settings,
                          base::Bytes per_sequence, TrainingPlan& plan) {
  const std::uint64_t fewest = plan.fewest;
  const std::uint64_t pinned = settings.run.micro_batches;
  const std::uint64_t first = pinned != 0 ? pinned : fewest;
  const std::uint64_t last =
      pinned != 0 ? pinned : std::min(plan.batch, fewest + base::ceil_div(fewest, 4));
  std::optional<TrainingPlan> best;
  for (std::uint64_t parts = first; parts <= last; ++parts) {
    TrainingPlan candidate = plan;
    candidate.schedule.micro_batches = cut_batch(plan.batch, parts);
    candidate.activation_bytes = per_sequence * base::ceil_div(plan.batch, parts);
    candidate.schedule.block_bytes = block_bytes_of(model, settings, candidate);
    choose_copies(model, settings, candidate);
    if (!best || candidate.estimated_step_seconds < best->estimated_step_seconds) {
      best = std::move(candidate);
    }
  }
  plan = *std::move(best);
}

std::optional<TrainingPlan> plan_with(const host::ModelSpec& model, const Settings& settings,
                                      bool recompute) {
  const MachineConfig& machine = settings.machine;
  TrainingPlan plan;
  plan.schedule.sequence = settings.run.sequence == 0 ? model.positions : settings.run.sequence;
  plan.schedule.recompute = recompute;
  plan.schedule.density_ppm = settings.run.density_ppm();
  plan.schedule.routing = settings.run.routing();
  plan.passes = recompute ? 3 : 2;
  plan.activation_limit =
      base::mul_div(machine.sram_bytes_user(), machine.tile.activation_share_ppm, 1'000'000);
  plan.schedule.activation_bytes = plan.activation_limit;
  const base::Bytes per_sequence =
      activation_bytes_per_token(model, recompute) * plan.schedule.sequence;
  plan.capacity = plan.activation_limit / per_sequence;
  if (plan.capacity == 0) return std::nullopt;
  plan.batch = settings.run.batch == 0 ? plan.capacity : settings.run.batch;
  const std::uint64_t pinned = settings.run.micro_batches;
  plan.fewest = base::ceil_div(plan.batch, plan.capacity);
  if (pinned != 0 && (pinned < plan.fewest || pinned > plan.batch)) return std::nullopt;
  choose_micro_batches(model, settings, per_sequence, plan);
  plan.window_s = window_of(settings, plan);
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

/// Throws if the pinned number of micro-batches is none that the batch could be cut into.
[[noreturn]] void check_micro_batches(const host::ModelSpec& model, const Settings& settings) {
  Settings free = settings;
  free.run.micro_batches = 0;
  free.run.recompute = settings.run.recompute == "none" ? "none" : "full";
  const TrainingPlan plan = make_plan(model, free);
  throw base::ConfigError("run.micro_batches", std::to_string(settings.run.micro_batches),
                          fmt::format("must be {} .. {}: {} sequences fit at once", plan.fewest,
                                      plan.batch, plan.capacity));
}

}  // namespace

base::Bytes activation_bytes_per_token(const host::ModelSpec& model, bool recompute) {
  if (recompute) return 2 * model.layers * model.width + model.largest_intermediate_bytes();
  base::Bytes sum = 0;
  for (std::uint64_t layer = 0; layer < model.layers; ++layer) {
    sum += model.intermediate_bytes(layer);
  }
  return sum;
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
  const std::uint32_t columns = settings.machine.geometry.user_columns;
  if (settings.run.copies > columns) {
    throw base::ConfigError("run.copies", std::to_string(settings.run.copies),
                            fmt::format("must be at most wafer.user.columns, {}", columns));
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
  if (!best && settings.run.micro_batches != 0) check_micro_batches(model, settings);
  if (!best) nothing_fits(model, settings);
  return *best;
}

}  // namespace wse::model
