// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "wse/base/mapping.h"
#include "wse/host/schedule.h"
#include "wse/model/settings.h"
#include "wse/tiles/mask_pace.h"

namespace wse::model {

/// What one micro-batch costs by the cost terms, place by place: layers, and what is outside of them
/// behind the last. Forward, recomputed forward, and backward.
struct MicroBatchCost {
  static constexpr std::size_t kForward = 0;
  static constexpr std::size_t kRecompute = 1;
  static constexpr std::size_t kBackward = 2;
  struct Place {
    std::array<double, 3> in{};                 ///< bytes
    std::array<double, 3> out{};                ///< bytes
    std::vector<std::array<double, 3>> cycles;  ///< by candidate
  };
  std::vector<Place> places;
};

/// A candidate number for every place.
using MappingChoice = std::vector<std::size_t>;

/// Costs of micro-batches of a model on a machine, counted once for each number of sequences.
class PlanCost {
 public:
  /// `candidates`: numbers of copies.
  PlanCost(const host::ModelSpec& model, const Settings& settings,
           std::vector<std::uint32_t> candidates);

  const std::vector<std::uint32_t>& candidates() const { return candidates_; }
  std::size_t places() const { return model_.layers + 1; }
  /// All places with one candidate.
  MappingChoice uniform(std::size_t candidate) const;
  /// Of one micro-batch: in each of the forward and backward phase the slowest of lanes and tiles
  /// decides. Layers that the schedule keeps are not recomputed.
  double seconds(const host::ScheduleConfig& schedule, std::uint64_t sequences,
                 const MappingChoice& choice);
  /// Of all micro-batches of the schedule.
  double step_seconds(const host::ScheduleConfig& schedule, const MappingChoice& choice);
  /// The cheapest candidates place by place, changes of mapping included; `allowed` are those of each
  /// place.
  MappingChoice cheapest(const host::ScheduleConfig& schedule, std::uint64_t sequences,
                         const std::vector<std::vector<std::size_t>>& allowed);

 private:
  const MicroBatchCost& cost_of(const host::ScheduleConfig& schedule, std::uint64_t sequences);
  MicroBatchCost count(const host::ScheduleConfig& schedule, std::uint64_t sequences);
  std::size_t place_of(const base::WorkItem& item) const {
    return item.in_layer ? item.layer : model_.layers;
  }
  double change_cycles(std::uint64_t tokens, std::size_t from, std::size_t to) const;
  base::Mapping mapping(std::size_t candidate) const;

  const host::ModelSpec& model_;
  const Settings& settings_;
  const std::vector<std::uint32_t> candidates_;
  /// Of sparse matrices: enough to compare mappings.
  static constexpr std::uint64_t kMostOutputs = 256;
  tiles::MaskPace masks_;
  struct Key {
    std::uint64_t sequences;
    bool recompute;
    bool scores_again;
    bool operator<(const Key& that) const;
  };
  std::map<Key, MicroBatchCost> known_;
};

}  // namespace wse::model
