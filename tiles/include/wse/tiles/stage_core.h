// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "wse/base/pending_activity.h"
#include "wse/base/region_layout.h"
#include "wse/tiles/event_tally.h"
#include "wse/tiles/tile_time.h"

namespace wse::tiles {

/// What a sample asks of each tile of a stage, and the update at the end of a step.
struct StageCycles {
  CauseCycles forward{};
  CauseCycles recompute{};  ///< before the backward pass, if anything
  CauseCycles backward{};
  CauseCycles update{};

  base::Cycles of_sample() const { return total(forward) + total(recompute) + total(backward); }
};

/// The piece of a stage on one die, and the events of its passes by cause.
struct StagePart {
  base::RegionPart part;
  CauseEvents forward{};
  CauseEvents recompute{};
  CauseEvents backward{};
  CauseEvents update{};
  std::uint64_t forward_multiply_adds = 0;
  std::uint64_t backward_multiply_adds = 0;  ///< with those of the recomputed forward pass
};

/// A stage of a pipeline.
struct StageConfig {
  std::uint32_t place = 0;  ///< of its time in the ledger: 0 outside the layers, else layer + 1
  StageCycles cycles;
  std::vector<StagePart> parts;
  std::uint64_t samples = 1;     ///< of a step
  std::uint64_t in_flight = 1;   ///< between their forward and their backward pass, at most
  base::Bytes state_bytes = 0;   ///< parameters and optimizer, of the stage
  base::Bytes sample_bytes = 0;  ///< activations of a sample between its passes, of the stage
  base::Cycles to_next = 0;  ///< from the last cycle of a forward pass until the next stage has it
};

/// The stage of a pipeline, without SystemC: one forward, one backward.
///
/// As long as fewer samples than may be in flight are between their passes, and there are more, the
/// next one goes forward; else the oldest goes backward. A pass starts when the one before has finished
/// and its data have come. Behind the last backward pass comes the update. The course of the stage does
/// not depend on when data that have come are told to it, so it may run ahead of the kernel.
class StageCore {
 public:
  enum class Pass : std::uint8_t { kForward, kBackward, kUpdate };
  struct Done {
    Pass pass;
    std::uint64_t sample;
    base::Cycles start;
    base::Cycles finish;
  };

  explicit StageCore(StageConfig config);

  const StageConfig& config() const { return config_; }
  void begin_step(base::Cycles cycle);
  /// What is left up to `cycle` was spent waiting.
  void end_step(base::Cycles cycle);
  /// The input of the next sample, or the gradients of the results of the next one, at a cycle.
  void receive_activations(base::Cycles cycle) { activations_.push_back(cycle); }
  void receive_gradients(base::Cycles cycle) { gradients_.push_back(cycle); }
  /// The next pass whose course is known.
  std::optional<Done> next_done();

  /// What happened before `until` and was not yet reported: of one tile.
  const Ledger& take_until(base::Cycles until);
  const std::vector<Segment>& segments() const { return taken_; }
  /// The same for the events of a part; after take_until().
  const base::PendingActivity::ByPhase& take_events(std::size_t part, base::Cycles until) {
    return events_[part].take_until(until);
  }
  /// Of the passes whose course is known.
  std::uint64_t multiply_adds() const { return multiply_adds_; }
  /// Events of a part by phase and cause, of the same passes since the last reset.
  EventLedger tally(std::size_t part) const;
  void reset_tally() { passes_ = {}; }
  std::uint64_t most_in_flight() const { return most_in_flight_; }
  /// Parameters, and activations of the samples that may be in flight.
  base::Bytes resident_bytes() const;

 private:
  void spend(base::Cycles until, base::Phase phase, Cause cause);
  Done run(Pass pass, std::uint64_t sample);
  void run_causes(const CauseCycles& cycles, base::Phase phase);

  StageConfig config_;
  TileTime time_;
  std::deque<base::Cycles> activations_;
  std::deque<base::Cycles> gradients_;
  std::uint64_t forwards_ = 0;
  std::uint64_t backwards_ = 0;
  bool updated_ = true;
  std::uint64_t multiply_adds_ = 0;
  std::uint64_t most_in_flight_ = 0;
  std::vector<Segment> taken_;
  Ledger ledger_{};
  std::vector<base::PendingActivity> events_;
  std::vector<std::array<base::EventCounts, base::kNumPhases>> once_;  ///< by part: of a pass
  std::array<std::uint64_t, base::kNumPhases> passes_{};               ///< since the last reset
};

}  // namespace wse::tiles
