// SPDX-License-Identifier: Apache-2.0
#include "plan_cost.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "wse/tiles/cost_terms.h"

namespace wse::model {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

std::size_t index_of(base::Phase phase) {
  switch (phase) {
    case base::Phase::kForward:
      return MicroBatchCost::kForward;
    case base::Phase::kRecompute:
      return MicroBatchCost::kRecompute;
    default:
      return MicroBatchCost::kBackward;
  }
}

}  // namespace

PlanCost::PlanCost(const host::ModelSpec& model, const Settings& settings,
                   std::vector<std::uint32_t> candidates)
    : model_(model),
      settings_(settings),
      candidates_(std::move(candidates)),
      masks_(mapping(0), settings.machine.tile, settings.machine.compute_engine(),
             settings.machine.fabric, settings.run.precision_kind(), settings.run.seed,
             kMostOutputs) {}

bool PlanCost::Key::operator<(const Key& that) const {
  return std::tie(sequences, recompute, scores_again) <
         std::tie(that.sequences, that.recompute, that.scores_again);
}

base::Mapping PlanCost::mapping(std::size_t candidate) const {
  const base::GeometryConfig& g = settings_.machine.geometry;
  return {g.user_columns, g.user_rows, candidates_[candidate]};
}

MappingChoice PlanCost::uniform(std::size_t candidate) const {
  return MappingChoice(places(), candidate);
}

const MicroBatchCost& PlanCost::cost_of(const host::ScheduleConfig& schedule,
                                        std::uint64_t sequences) {
  const Key key{sequences, schedule.recompute, schedule.scores_again};
  const auto known = known_.find(key);
  if (known != known_.end()) return known->second;
  return known_.emplace(key, count(schedule, sequences)).first->second;
}

MicroBatchCost PlanCost::count(const host::ScheduleConfig& schedule, std::uint64_t sequences) {
  host::ScheduleConfig config = schedule;
  config.block_bytes = 1ULL << 40;  // whole matrices
  config.micro_batches = {sequences};
  config.copies.clear();
  config.kept_layers = 0;
  MicroBatchCost cost;
  cost.places.resize(places());
  for (MicroBatchCost::Place& place : cost.places) place.cycles.resize(candidates_.size());
  std::vector<base::WorkItem> items = host::build_schedule(model_, config);
  for (const base::WorkItem& item : items) {
    MicroBatchCost::Place& place = cost.places[place_of(item)];
    place.in[index_of(item.phase)] += static_cast<double>(item.weight_bytes);
    place.out[index_of(item.phase)] += static_cast<double>(item.gradient_bytes);
  }
  for (std::size_t c = 0; c < candidates_.size(); ++c) {
    for (base::WorkItem& item : items) item.copies = candidates_[c];
    masks_.price(items);
    for (const base::WorkItem& item : items) {
      cost.places[place_of(item)].cycles[c][index_of(item.phase)] +=
          static_cast<double>(tiles::total(tiles::cycles_of(
              item, mapping(c), settings_.machine.tile, settings_.run.precision_kind())));
    }
  }
  return cost;
}

double PlanCost::change_cycles(std::uint64_t tokens, std::size_t from, std::size_t to) const {
  if (from == to) return 0;
  const tiles::CostTerms terms{settings_.machine.tile, settings_.run.precision_kind()};
  return static_cast<double>(terms.redistribution(tokens, model_.width, mapping(to)));
}

double PlanCost::seconds(const host::ScheduleConfig& schedule, std::uint64_t sequences,
                         const MappingChoice& choice) {
  const MicroBatchCost& cost = cost_of(schedule, sequences);
  const fabric::IoConfig& io = settings_.machine.io;
  const double lanes = static_cast<double>(io.payload_bits_per_second()) * io.lanes / 8;
  const std::uint64_t tokens = sequences * schedule.sequence;
  std::array<double, 2> cycles{};  // forward, backward
  std::array<double, 2> in{};
  std::array<double, 2> out{};
  for (std::size_t p = 0; p < places(); ++p) {
    const MicroBatchCost::Place& place = cost.places[p];
    const bool kept = p < model_.layers && p + schedule.kept_layers >= model_.layers;
    for (std::size_t phase = 0; phase < 3; ++phase) {
      if (phase == MicroBatchCost::kRecompute && kept) continue;
      const std::size_t half = phase == MicroBatchCost::kForward ? 0 : 1;
      cycles[half] += place.cycles[choice[p]][phase];
      in[half] += place.in[phase];
      out[half] += place.out[phase];
    }
    if (p == 0) continue;
    const double change = change_cycles(tokens, choice[p - 1], choice[p]);
    for (double& c : cycles) c += change;
  }
  double sum = 0;
  for (std::size_t half = 0; half < 2; ++half) {
    sum += std::max({cycles[half] / static_cast<double>(settings_.machine.core_hz),
                     in[half] / lanes, out[half] / lanes});
  }
  return sum;
}

double PlanCost::step_seconds(const host::ScheduleConfig& schedule, const MappingChoice& choice) {
  std::map<std::uint64_t, double> known;
  double sum = 0;
  for (const std::uint64_t sequences : schedule.micro_batches) {
    const auto [entry, fresh] = known.try_emplace(sequences, 0);
    if (fresh) entry->second = seconds(schedule, sequences, choice);
    sum += entry->second;
  }
  return sum;
}

/// The cheapest way through all places, by the place before.
MappingChoice PlanCost::cheapest(const host::ScheduleConfig& schedule, std::uint64_t sequences,
                                 const std::vector<std::vector<std::size_t>>& allowed) {
  const MicroBatchCost& cost = cost_of(schedule, sequences);
  const std::uint64_t tokens = sequences * schedule.sequence;
  std::vector<std::vector<std::size_t>> from(places(),
                                             std::vector<std::size_t>(candidates_.size(), 0));
  std::vector<double> best(candidates_.size(), kNever);
  for (std::size_t p = 0; p < places(); ++p) {
    std::vector<double> next(candidates_.size(), kNever);
    for (const std::size_t c : allowed[p]) {
      const auto& phases = cost.places[p].cycles[c];
      const double own = phases[0] + phases[1] + phases[2];
      if (p == 0) {
        next[c] = own;
        continue;
      }
      for (const std::size_t before : allowed[p - 1]) {
        const double sum = best[before] + 2 * change_cycles(tokens, before, c) + own;
        if (sum >= next[c]) continue;
        next[c] = sum;
        from[p][c] = before;
      }
    }
    best = std::move(next);
  }
  MappingChoice choice = uniform(0);
  std::size_t at = static_cast<std::size_t>(
      std::distance(best.begin(), std::min_element(best.begin(), best.end())));
  for (std::size_t p = places(); p-- > 0;) {
    choice[p] = at;
    at = from[p][at];
  }
  return choice;
}

}  // namespace wse::model
