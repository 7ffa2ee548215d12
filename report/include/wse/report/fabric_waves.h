// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "wse/base/clock_epochs.h"
#include "wse/base/wave_sink.h"
#include "wse/fabric/route_table.h"
#include "wse/fabric/router_watch.h"
#include "wse/report/rtl_waves.h"
#include "wse/tiles/compute_engines.h"

namespace wse::report {

/// Which routers are recorded, and when.
struct FabricWaveSelection {
  base::Rectangle tiles;
  base::Cycles from = 0;
  base::Cycles to = ~base::Cycles{0};  ///< included

  /// What starts the recording, if anything; then `from` and `to` bound when it may happen.
  enum class Trigger : std::uint8_t { kNone, kColor, kQueueFull, kDeadlock, kMismatch };
  Trigger trigger = Trigger::kNone;
  std::uint8_t color = 0;                ///< seen on a link of the routers,
  std::optional<base::Coordinate> tile;  ///< or of this one alone
  base::Cycles full_cycles = 1;          ///< a queue of the routers full for so long
  base::Cycles before = 64;              ///< cycles kept from before the trigger
  base::Cycles after = 64;               ///< and recorded from it on
  /// What names of signals add to the place of a tile in the mesh, modulo 2^32: a mesh may be a part of a wafer.
  base::Coordinate shift{};
};

/// Waves of routers, written while the fabric runs: for each port that a route uses
/// router_X_Y.PORT_{valid,color,data,control} of what leaves by it, given_* of what the compute
/// engine gives, and queue_PORT_cC, wavelets in a queue that may leave; fabric.cycle above them.
/// Of compute engines tile_X_Y.task, .main and .microthread_N: the number of the task or instruction
/// that is under way, from 1; 0: none.
/// Of routers that are RTL rtl.router_X_Y.MODULE.* beside those of the model.
class FabricWaves final : public fabric::RouterWatch, public tiles::EngineWatch {
 public:
  FabricWaves(std::unique_ptr<base::WaveSink> sink, const fabric::RouteTable& routes,
              const FabricWaveSelection& selection, std::uint64_t core_hz);

  /// Shows the compute engines of the same tiles as well; before the run.
  void add_engines(const tiles::Kernel& kernel);

  /// Shows which of several kernels runs, as fabric.kernel: their names, of which the first stands for none;
  /// before the run.
  void add_kernels(std::vector<std::string> names);
  /// From a cycle on, by its place among the names.
  void kernel(base::Cycles cycle, std::uint32_t number);
  const std::vector<std::string>& kernels() const { return kernels_; }

  /// Shows the signals of RTL that stands at a tile as well; before the run, and as long as it lasts.
  void add_rtl(std::uint32_t tile, base::VcdSource& source, bool pins_only);

  base::Rectangle tiles() const override { return selection_.tiles; }
  bool watches(base::Cycles cycle) override;
  void see(base::Cycles cycle, const std::vector<fabric::QueueFill>& queues,
           const std::vector<fabric::LinkEvent>& events) override;
  void deadlock(base::Cycles cycle) override;
  void failed(base::Cycles cycle) override;
  bool watches(base::Coordinate tile) const override { return selection_.tiles.contains(tile); }
  void task(base::Coordinate tile, base::Cycles cycle, const tiles::Program& program,
            std::uint32_t number, bool begins) override;
  void operation(base::Coordinate tile, base::Cycles cycle, const tiles::Program& program,
                 std::uint32_t thread, std::uint32_t instruction, bool begins) override;
  void close();

  base::Cycles cycles() const { return cycles_; }  ///< recorded
  std::optional<base::Cycles> triggered() const { return triggered_; }
  /// A GTKWave save file: a group a router, links above queues. `kernels_file`: a translation file of the
  /// kernels, where there are some.
  std::string save_file(const std::string& waves, const std::string& kernels_file = "") const;

 private:
  using Id = base::WaveSink::Id;
  struct Link {
    Id valid, color, data, control;
    bool was_valid = false;
  };
  /// Of a compute engine.
  struct Change {
    base::Cycles cycle;
    Id signal;
    std::uint32_t value;
  };
  struct Cycle {
    base::Cycles cycle;
    std::vector<Change> changes;
    std::vector<fabric::QueueFill> queues;
    std::vector<fabric::LinkEvent> events;
    RtlWaves::Cycle rtl;
  };
  /// By which a tile is named.
  base::Coordinate named(std::uint32_t tile) const {
    const base::Coordinate at = mesh_.at(tile);
    return {at.x + selection_.shift.x, at.y + selection_.shift.y};
  }
  std::string scope_of(std::uint32_t tile) const;
  static std::uint64_t link_key(std::uint32_t tile, fabric::Port port, bool given) {
    return std::uint64_t{tile} * 16 + static_cast<std::uint64_t>(port) * 2 + (given ? 1 : 0);
  }
  Id add(std::uint32_t tile, const std::string& name, std::uint32_t width);
  void describe(const fabric::RouteTable& routes, std::uint32_t tile);
  bool fires(base::Cycles cycle, const std::vector<fabric::QueueFill>& queues,
             const std::vector<fabric::LinkEvent>& events);
  void fire(base::Cycles cycle);
  void move_to(base::Cycles cycle);
  void show(const std::vector<Change>& changes, base::Cycles first);
  void write(const Cycle& cycle);
  std::vector<Change> changes_until(base::Cycles cycle);
  void change(base::Coordinate tile, std::uint32_t what, base::Cycles cycle, std::uint32_t value);

  std::unique_ptr<base::WaveSink> sink_;
  const FabricWaveSelection selection_;
  const base::ClockEpochs clock_;
  const fabric::Mesh mesh_;
  Id cycle_ = 0;
  std::map<std::uint64_t, Link> links_;
  std::map<std::uint64_t, Id> queues_;
  std::vector<std::pair<std::uint32_t, std::string>> names_;       ///< of signals, with their tiles
  std::map<std::pair<std::uint32_t, std::uint32_t>, Id> engines_;  ///< by tile; task, threads
  std::vector<std::pair<std::uint32_t, std::string>> engine_names_;
  std::vector<std::string> kernels_;
  Id kernel_ = 0;                ///< if there are kernels
  std::vector<Change> changes_;  ///< not shown yet
  RtlWaves rtl_;
  std::deque<Cycle> ring_;
  std::map<std::uint64_t, base::Cycles> full_since_;  ///< by queue
  std::optional<base::Cycles> triggered_;
  base::Cycles cycles_ = 0;
  base::Cycles first_ = 0, last_ = 0;
  std::optional<base::Cycles> at_;  ///< the time written last
};

}  // namespace wse::report
