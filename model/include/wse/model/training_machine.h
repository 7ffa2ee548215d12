// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wse/base/geometry.h"
#include "wse/host/host.h"
#include "wse/power/power_monitor.h"
#include "wse/tiles/tile_region.h"

namespace wse::model {

/// Tiles of one die that do the same, in the window reported last.
struct PartView {
  std::uint32_t die = 0;
  std::uint64_t tiles = 0;
  double resident_bytes = 0;  ///< on these tiles
  tiles::Ledger cycles{};     ///< of one tile
  tiles::CauseTimes times{};  ///< of one tile
  tiles::TileRegion::PlaceTimes places;
};

/// What a training run drives and watches, whatever the mode: a wafer with its host.
class TrainingMachine {
 public:
  TrainingMachine() = default;
  TrainingMachine(const TrainingMachine&) = delete;
  TrainingMachine& operator=(const TrainingMachine&) = delete;
  virtual ~TrainingMachine() = default;

  virtual host::Host& host() = 0;
  virtual const base::WaferGeometry& geometry() const = 0;
  virtual const base::ClockEpochs& epochs() const = 0;
  virtual base::WindowTicker& ticker() = 0;
  virtual power::PowerMonitor& monitor() = 0;

  /// All tiles: a step begins or ends at the present time.
  virtual void begin_step() = 0;
  virtual void end_step() = 0;
  /// Reports the last, unfinished window.
  virtual void flush(base::Picoseconds end) = 0;
  virtual void reset_stats() = 0;
  /// False if only the host can bring the step on.
  virtual bool has_events() const = 0;
  virtual void set_timeline(base::Timeline* timeline) = 0;

  /// Notes the next execution of an item, where tiles execute items of a schedule.
  virtual void set_watch(tiles::BlockWatch& /*watch*/) {}

  /// All user tiles, none twice; of the window reported last.
  virtual std::vector<PartView> parts() const = 0;
  /// Tile-cycles since the statistics were reset, over all user tiles.
  virtual tiles::Ledger tile_cycles() const = 0;
  /// Events of the tiles since then, by die.
  struct DieEvents {
    std::uint32_t die = 0;
    std::uint64_t tiles = 0;
    tiles::EventLedger events{};
  };
  virtual std::vector<DieEvents> tile_events() const = 0;
  virtual std::uint64_t multiply_adds() const = 0;
  /// Since the beginning.
  virtual fabric::FabricStats traffic() const = 0;
  virtual base::Cycles contention_cycles() const = 0;
};

}  // namespace wse::model
