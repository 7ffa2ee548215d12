// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <vector>

#include "wse/base/pending_activity.h"
#include "wse/base/region_layout.h"
#include "wse/fabric/ramp_frame.h"
#include "wse/tiles/event_tally.h"
#include "wse/tiles/tile_time.h"

namespace wse::tiles {

/// What one part of a region did: the same for all its tiles. A wait becomes known when it ends and
/// is then reported whole; everything else is reported in the window in which it happens.
struct PartWindow {
  base::PendingActivity::ByPhase events{};
  Ledger cycles{};                ///< of one tile
  std::vector<Segment> segments;  ///< the same cycles, in their order
};

/// What the part that holds a tile did with one item of a schedule, for who looks at it closer.
struct BlockWatch {
  std::uint32_t item = 0;  ///< its id
  base::Coordinate tile;   ///< in user coordinates
  bool seen = false;
  base::Cycles arrived_first = 0;  ///< weights at the part
  base::Cycles arrived_last = 0;
  base::Cycles start = 0;
  base::Cycles finish = 0;
};

/// The tiles of one part at the transaction level, without SystemC: executes work items in order.
///
/// An item starts when the one before has finished, its weights have begun to arrive, the results
/// it waits for are in place and a gradient buffer is free; it cannot finish before its last weight
/// has come. As soon as these are known its whole course is known: the core runs ahead of the
/// kernel and says so by stamps.
class PartCore {
 public:
  PartCore(const base::RegionPart& part, const base::Mapping& mapping, const TileConfig& config,
           Precision precision);

  const base::RegionPart& part() const { return part_; }
  void receive(const fabric::RampStream& stream);
  /// The next item whose course is known: its start (first_cycle) and finish (last_cycle) for the
  /// fabric.
  std::optional<fabric::RampStream> next_done();

  /// Notes the next execution of an item; the watch outlives the core, or null.
  void set_watch(BlockWatch* watch) { watch_ = watch; }

  /// What happened before `until` and was not yet reported.
  const PartWindow& take_until(base::Cycles until);
  /// A step begins: all cycles before belong to the one before.
  void begin_step(base::Cycles cycle);
  /// A step has ended: what is left up to `cycle` was spent waiting for the optimizer.
  void end_step(base::Cycles cycle);

  std::uint64_t multiply_adds() const { return multiply_adds_; }
  /// Events of all items executed since the last reset, whether reported or not.
  const EventTally& tally() const { return tally_; }
  void reset_tally() { tally_.reset(); }
  base::Bytes resident_bytes() const { return resident_bytes_; }
  std::uint64_t items() const { return items_; }
  base::Cycles free_at() const { return time_.free_at(); }
  bool idle() const { return queue_.empty() && time_.all_taken() && events_.empty(); }

 private:
  struct Pending {
    const base::WorkItem* item;
    base::Cycles first;
    base::Cycles last;
  };

  /// What an item asks of the part; blocks of a matrix are alike, so a few are remembered.
  struct Course {
    base::WorkItem item;
    CauseCycles cycles{};
    base::EventCounts events{};
    std::uint64_t multiply_adds = 0;
  };
  const Course& course_of(const base::WorkItem& item);
  bool results_known(const base::WorkItem& item) const;
  fabric::RampStream execute(const Pending& pending);

  const base::RegionPart part_;
  const base::Mapping mapping_;
  const TileConfig config_;
  const Precision precision_;
  std::vector<Course> courses_;
  std::size_t oldest_course_ = 0;
  std::size_t last_course_ = 0;  ///< where the search for the next one begins
  EventTally tally_;             ///< its slots are those of courses_
  std::deque<Pending> queue_;
  TileTime time_;
  base::PendingActivity events_;
  PartWindow window_;
  std::optional<std::uint32_t> last_end_;      ///< last item executed that ends an operation
  std::optional<std::uint32_t> results_item_;  ///< newest item whose results are in place
  base::Cycles results_cycle_ = 0;
  std::uint32_t gradients_out_ = 0;
  std::deque<base::Cycles> gradient_credits_;
  std::uint64_t multiply_adds_ = 0;
  std::uint64_t items_ = 0;
  base::Bytes resident_bytes_ = 0;
  BlockWatch* watch_ = nullptr;
};

}  // namespace wse::tiles
