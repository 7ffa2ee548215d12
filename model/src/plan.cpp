// SPDX-License-Identifier: Apache-2.0
#include "wse/model/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>

#include "largest.h"
#include "layer_copies.h"
#include "plan_cost.h"
#include "wse/model/activations.h"

namespace wse::model {
namespace {

/// Blocks are as fine as a run of this many of them allows.
constexpr std::uint64_t kMostBlocks = 98'304;
/// Steps up to this long are seen in windows of the machine's length.
constexpr double kStepOfOneWindowLength = 4.096;
constexpr base::Bytes kMebibyte = 1ULL << 20;
constexpr std::uint32_t kMostCopies = 8;
/// A plan that is not the same for all layers must be worth it.
constexpr double kLeastGain = 1.002;
constexpr double kLeastGainOfKeeping = 1.01;

std::vector<std::uint64_t> cut_batch(std::uint64_t batch, std::uint64_t parts) {
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t i = 0; i < parts; ++i) {
    sizes.push_back(base::mul_div(batch, i + 1, parts) - base::mul_div(batch, i, parts));
  }
  return sizes;
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

base::Bytes tile_limit_of(const MachineConfig& machine) {
  return machine.sram.size_bytes - std::min(machine.sram.size_bytes, machine.tile.code_bytes);
}

/// Plans of one model on one machine.
class Search {
 public:
  Search(const host::ModelSpec& model, const Settings& settings)
      : model_(model),
        settings_(settings),
        pinned_(read_layer_copies(settings.run.layer_copies, model.layers,
                                  settings.machine.geometry.user_columns)),
        tile_limit_(tile_limit_of(settings.machine)),
        cost_(model, settings, candidates()) {}

  /// The best plan, or none if nothing fits.
  std::optional<TrainingPlan> best() {
    for (const bool recompute : {false, true}) {
      if (settings_.run.recompute == (recompute ? "none" : "full")) continue;
      for (std::size_t c = 0; c < cost_.candidates().size(); ++c) {
        if (free_copies(c)) try_copies(recompute, c);
      }
    }
    if (!best_) return std::nullopt;
    refine();
    finish(*best_);
    return best_;
  }
  /// Sequences that fit with the most suitable copies.
  std::uint64_t largest_capacity(bool recompute) {
    std::uint64_t most = 0;
    for (std::size_t c = 0; c < cost_.candidates().size(); ++c) {
      if (free_copies(c)) most = std::max(most, capacity_of(start(recompute, c)));
    }
    return most;
  }

 private:
  std::vector<std::uint32_t> candidates() const {
    std::set<std::uint32_t> all;
    for (const std::uint32_t copies : pinned_) {
      if (copies > 0) all.insert(copies);
    }
    const std::uint32_t columns = settings_.machine.geometry.user_columns;
    const auto pinned = static_cast<std::uint32_t>(settings_.run.copies);
    const std::uint32_t first = pinned == 0 ? 1 : pinned;
    const std::uint32_t last = pinned == 0 ? std::min(kMostCopies, columns) : pinned;
    for (std::uint32_t copies = first; copies <= last; ++copies) all.insert(copies);
    return {all.begin(), all.end()};
  }
  /// A layer that is not pinned may have them.
  bool free_copies(std::size_t candidate) const {
    const std::uint32_t copies = cost_.candidates()[candidate];
    const auto pinned = static_cast<std::uint32_t>(settings_.run.copies);
    return pinned == 0 ? copies <= kMostCopies : copies == pinned;
  }
  std::size_t candidate_of(std::uint32_t copies) const {
    const auto& all = cost_.candidates();
    return static_cast<std::size_t>(
        std::distance(all.begin(), std::find(all.begin(), all.end(), copies)));
  }
  MappingChoice choice_of(std::size_t candidate) const {
    MappingChoice choice = cost_.uniform(candidate);
    for (std::size_t p = 0; p < pinned_.size(); ++p) {
      if (pinned_[p] > 0) choice[p] = candidate_of(pinned_[p]);
    }
    return choice;
  }
  void set_copies(TrainingPlan& plan, const MappingChoice& choice) const {
    const base::GeometryConfig& g = settings_.machine.geometry;
    plan.schedule.copies.clear();
    for (const std::size_t c : choice) {
      plan.schedule.copies.push_back(cost_.candidates()[c]);
    }
    plan.mapping = {g.user_columns, g.user_rows, plan.schedule.copies.front()};
  }

  TrainingPlan start(bool recompute, std::size_t candidate) const {
    const RunConfig& run = settings_.run;
    TrainingPlan plan;
    plan.schedule.sequence = run.sequence == 0 ? model_.positions : run.sequence;
    plan.schedule.recompute = recompute;
    plan.schedule.kept_layers = recompute ? run.kept_layers : 0;
    plan.schedule.density_ppm = run.density_ppm();
    plan.schedule.routing = run.routing();
    plan.passes = recompute ? 3 : 2;
    set_copies(plan, choice_of(candidate));
    return plan;
  }
  bool fits(const TrainingPlan& plan, std::uint64_t sequences) const {
    return activation_bytes_of_tile(model_, plan.schedule, sequences, plan.mapping) <= tile_limit_;
  }
  /// The largest number of sequences that fits.
  std::uint64_t capacity_of(const TrainingPlan& plan) const {
    return largest([&](std::uint64_t sequences) { return fits(plan, sequences); });
  }

  /// Cuts the batch into as few micro-batches as fit, or into a few more, if that is cheaper: a number
  /// of tokens that fills the rows saves more than a change of layers costs.
  void try_copies(bool recompute, std::size_t candidate) {
    TrainingPlan plan = start(recompute, candidate);
    plan.capacity = capacity_of(plan);
    if (plan.capacity == 0) return;
    const std::uint64_t pinned = settings_.run.micro_batches;
    plan.batch = settings_.run.batch == 0 ? plan.capacity : settings_.run.batch;
    plan.fewest = base::ceil_div(plan.batch, plan.capacity);
    if (pinned != 0 && (pinned < plan.fewest || pinned > plan.batch)) return;
    const std::uint64_t last = std::min(plan.batch, plan.fewest + base::ceil_div(plan.fewest, 4));
    for (std::uint64_t parts = pinned != 0 ? pinned : plan.fewest;
         parts <= (pinned != 0 ? pinned : last); ++parts) {
      try_parts(plan, parts, choice_of(candidate));
    }
  }
  void try_parts(TrainingPlan plan, std::uint64_t parts, const MappingChoice& choice) {
    plan.schedule.micro_batches = cut_batch(plan.batch, parts);
    consider(plan, choice);
    const bool free = settings_.run.recompute == "auto" && settings_.run.kept_layers == 0;
    if (!free || !plan.schedule.recompute) return;
    plan.schedule.kept_layers = most_kept_layers(plan);
    if (plan.schedule.kept_layers > 0) consider(plan, choice);
  }
  /// Layers that need not be recomputed.
  std::uint64_t most_kept_layers(TrainingPlan plan) const {
    return largest_below(model_.layers, [&](std::uint64_t kept) {
      plan.schedule.kept_layers = kept;
      return fits(plan, plan.largest_micro_batch());
    });
  }
  void estimate(TrainingPlan& plan, const MappingChoice& choice) {
    plan.schedule.scores_again =
        score_bytes_of_tile(model_, plan.schedule, plan.largest_micro_batch(), plan.mapping) >
        tile_limit_;
    plan.estimated_step_seconds = cost_.step_seconds(plan.schedule, choice);
  }
  void consider(TrainingPlan plan, const MappingChoice& choice) {
    estimate(plan, choice);
    if (best_ && score(plan) <= score(*best_)) return;
    best_ = std::move(plan);
  }
  double score(const TrainingPlan& plan) const {
    const bool chosen = plan.schedule.kept_layers > 0 && settings_.run.kept_layers == 0;
    return static_cast<double>(plan.tokens()) / plan.estimated_step_seconds /
           (chosen ? kLeastGainOfKeeping : 1);
  }

  /// Copies layer by layer, for the micro-batches chosen.
  void refine() {
    if (settings_.run.copies != 0) return;
    const MappingChoice choice =
        cost_.cheapest(best_->schedule, best_->largest_micro_batch(), allowed());
    TrainingPlan plan = *best_;
    set_copies(plan, choice);
    if (!fits(plan, plan.largest_micro_batch())) return;
    estimate(plan, choice);
    if (best_->estimated_step_seconds < kLeastGain * plan.estimated_step_seconds) return;
    best_ = std::move(plan);
  }
  std::vector<std::vector<std::size_t>> allowed() const {
    std::vector<std::size_t> free;
    for (std::size_t c = 0; c < cost_.candidates().size(); ++c) {
      if (free_copies(c)) free.push_back(c);
    }
    std::vector<std::vector<std::size_t>> all(cost_.places(), free);
    for (std::size_t p = 0; p < pinned_.size(); ++p) {
      if (pinned_[p] > 0) all[p] = {candidate_of(pinned_[p])};
    }
    return all;
  }
  void finish(TrainingPlan& plan) const {
    const MachineConfig& machine = settings_.machine;
    plan.schedule.block_bytes = block_bytes_of(model_, settings_, plan);
    plan.window_s = window_of(settings_, plan);
    plan.tile_limit = tile_limit_;
    plan.tile_bytes =
        activation_bytes_of_tile(model_, plan.schedule, plan.largest_micro_batch(), plan.mapping);
    plan.activation_limit =
        tile_limit_ * machine.geometry.user_columns * machine.geometry.user_rows;
    plan.activation_bytes = activation_bytes_per_token(model_, plan.schedule) *
                            plan.largest_micro_batch() * plan.schedule.sequence;
  }

  const host::ModelSpec& model_;
  const Settings& settings_;
  const std::vector<std::uint32_t> pinned_;  ///< by place; 0: free
  const base::Bytes tile_limit_;
  PlanCost cost_;
  std::optional<TrainingPlan> best_;
};

[[noreturn]] void nothing_fits(const host::ModelSpec& model, const Settings& settings) {
  const base::GeometryConfig& g = settings.machine.geometry;
  host::ScheduleConfig schedule;
  schedule.sequence = settings.run.sequence == 0 ? model.positions : settings.run.sequence;
  schedule.recompute = settings.run.recompute != "none";
  schedule.kept_layers = schedule.recompute ? settings.run.kept_layers : 0;
  const base::Bytes limit = tile_limit_of(settings.machine);
  const auto pinned = static_cast<std::uint32_t>(settings.run.copies);
  std::uint64_t tokens = 0;
  base::Bytes least = ~base::Bytes{0};
  for (std::uint32_t copies = pinned == 0 ? 1 : pinned;
       copies <= (pinned == 0 ? std::min(kMostCopies, g.user_columns) : pinned); ++copies) {
    const base::Mapping mapping(g.user_columns, g.user_rows, copies);
    tokens = std::max(tokens, tokens_that_fit(model, schedule, limit, mapping));
    least = std::min(least, activation_bytes_of_tile(model, schedule, 1, mapping));
  }
  throw base::ConfigError(
      "run.sequence", std::to_string(schedule.sequence),
      fmt::format(
          "needs {} bytes of activations in a tile for one sequence, {} fit beside code, {} "
          "too many: at most {} tokens, or tile.sram.size_bytes = {}{}{}",
          least, limit, least - std::min(least, limit), tokens,
          least + settings.machine.tile.code_bytes,
          schedule.recompute ? "" : ", or run.recompute = full",
          schedule.kept_layers > 0 ? ", or fewer run.kept_layers" : ""));
}

/// Throws if the pinned number of micro-batches is none that the batch could be cut into.
[[noreturn]] void refuse_micro_batches(const host::ModelSpec& model, const Settings& settings) {
  Settings free = settings;
  free.run.micro_batches = 0;
  const bool recompute = settings.run.recompute != "none";
  const std::uint64_t capacity = Search(model, free).largest_capacity(recompute);
  const std::uint64_t batch = settings.run.batch == 0 ? capacity : settings.run.batch;
  if (capacity == 0) nothing_fits(model, settings);
  throw base::ConfigError("run.micro_batches", std::to_string(settings.run.micro_batches),
                          fmt::format("must be {} .. {}: {} sequences fit at once",
                                      base::ceil_div(batch, capacity), batch, capacity));
}

void check_run(const host::ModelSpec& model, const Settings& settings) {
  const RunConfig& run = settings.run;
  if (run.sequence > model.positions && model.learned_positions) {
    throw base::ConfigError(
        "run.sequence", std::to_string(run.sequence),
        fmt::format("must be at most the model's positions, {}", model.positions));
  }
  if (run.sequence != 0 && run.sequence != model.positions && model.image_side > 0) {
    throw base::ConfigError(
        "run.sequence", std::to_string(run.sequence),
        fmt::format("must be the text and the image of this model, {}", model.positions));
  }
  const std::uint32_t columns = settings.machine.geometry.user_columns;
  if (run.copies > columns) {
    throw base::ConfigError("run.copies", std::to_string(run.copies),
                            fmt::format("must be at most wafer.user.columns, {}", columns));
  }
  if (run.kept_layers > 0 && (run.kept_layers >= model.layers || run.recompute == "none")) {
    throw base::ConfigError(
        "run.kept_layers", std::to_string(run.kept_layers),
        fmt::format("must be below the model's layers, {}, beside run.recompute = full or auto",
                    model.layers));
  }
}

}  // namespace

std::uint64_t TrainingPlan::largest_micro_batch() const {
  const auto& sizes = schedule.micro_batches;
  return *std::max_element(sizes.begin(), sizes.end());
}

std::vector<MappedLayers> mapped_layers(const host::ModelSpec& model, const TrainingPlan& plan) {
  std::vector<MappedLayers> runs;
  if (plan.schedule.copies.empty()) return runs;  // no plan of a run
  const std::uint64_t tokens = plan.largest_micro_batch() * plan.schedule.sequence;
  for (std::uint64_t place = 0; place <= model.layers; ++place) {
    const base::Mapping mapping = plan.mapping.with_copies(plan.schedule.copies[place]);
    MappedLayers here;
    here.first = here.last = place;
    here.head = place == model.layers;
    here.copies = mapping.copies();
    here.tokens_a_tile = mapping.tokens_per_tile(tokens);
    here.features_a_tile = mapping.features_per_tile(model.width);
    here.recompute = !here.head && host::recomputes(plan.schedule, model, place);
    const bool alike = !runs.empty() && !here.head && runs.back().copies == here.copies &&
                       runs.back().recompute == here.recompute;
    if (alike) {
      runs.back().last = place;
    } else {
      runs.push_back(here);
    }
  }
  return runs;
}

TrainingPlan make_plan(const host::ModelSpec& model, const Settings& settings) {
  check_run(model, settings);
  const std::optional<TrainingPlan> best = Search(model, settings).best();
  if (best) return *best;
  if (settings.run.micro_batches != 0) refuse_micro_batches(model, settings);
  nothing_fits(model, settings);
}

}  // namespace wse::model
