// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <optional>
#include <systemc>
#include <vector>

#include "wse/base/one_way_socket.h"
#include "wse/base/window_ticker.h"
#include "wse/memory/bank_report.h"
#include "wse/tiles/stage_core.h"
#include "wse/tiles/tile_region.h"

namespace wse::tiles {

/// What travels between neighbouring stages.
struct StageMessage {
  enum class Kind : std::uint8_t {
    kActivations,  ///< down the pipeline: the results of a sample
    kGradients,    ///< up the pipeline: their gradients
    kTaken,        ///< up, of the first stage only: its input has been read
    kUpdated,      ///< up: the stage and all behind it have updated their weights
  };
  Kind kind = Kind::kActivations;
  std::uint64_t sample = 0;
  base::Cycles cycle = 0;  ///< when the receiver has it; may lie ahead of the kernel
};
/// Messages of stages only: binding to another kind of port does not compile.
struct StageProtocol {
  using tlm_payload_type = StageMessage;
  using tlm_phase_type = tlm::tlm_phase;
};

/// Where a stage stands in the pipeline.
struct StageLinks {
  bool first = false;          ///< tells when it has read its input
  bool last = false;           ///< needs no word from behind to update
  base::Cycles gradients = 0;  ///< until the stage before has those of a sample
  base::Cycles word = 0;       ///< until the stage before has a single word
};

/// A stage of a pipeline: a rectangle of compute engines that keeps its weights.
///
/// Interfaces  a socket each way to both neighbours; one memory initiator for each die that the
///             rectangle touches, in the order of its parts; an activity initiator.
/// Timing      driven by messages; runs ahead of the kernel; reports at the end of each activity window.
/// Errors      a report that is refused: SC_REPORT_ERROR /wse/tiles/memory_refused,
///             /wse/tiles/activity_refused.
class StageRegion final : public sc_core::sc_module {
 public:
  using Target = base::OneWayTarget<StageProtocol>;
  using Initiator = base::OneWayInitiator<StageProtocol>;
  using MemorySocket = tlm_utils::simple_initiator_socket<StageRegion>;

  Target from_before_socket{"from_before_socket"};
  Initiator to_before_socket{"to_before_socket"};
  Target from_next_socket{"from_next_socket"};
  Initiator to_next_socket{"to_next_socket"};
  sc_core::sc_vector<MemorySocket> memory_socket;
  tlm_utils::simple_initiator_socket<StageRegion> activity_socket{"activity_socket"};

  StageRegion(const sc_core::sc_module_name& name, const StageConfig& config,
              const StageLinks& links, const base::ClockEpochs& epochs,
              const base::WindowTicker& ticker);

  const StageCore& core() const { return core_; }
  const RegionStats& stats() const { return stats_; }
  /// Of one tile, in the window reported last.
  const Ledger& window_cycles() const { return window_cycles_; }
  const CauseTimes& window_times() const { return window_times_; }
  void begin_step(base::Cycles cycle);
  void end_step(base::Cycles cycle) { core_.end_step(cycle); }
  void report_window(std::uint64_t window, base::Picoseconds end);
  void reset_stats() {
    stats_ = {};
    core_.reset_tally();
  }

 private:
  void receive(const StageMessage& message);
  void work();
  void tell(const StageCore::Done& done);
  void tell_updated();
  void end_window();
  void report_part(std::size_t part, std::uint64_t window, base::Cycles until);

  const StageLinks links_;
  const base::ClockEpochs& epochs_;
  const base::WindowTicker& ticker_;
  StageCore core_;
  std::optional<base::Cycles> own_update_;
  std::optional<base::Cycles> update_behind_;
  RegionStats stats_;
  Ledger window_cycles_{};
  CauseTimes window_times_{};
  sc_core::sc_event work_event_{"work_event"};
};

}  // namespace wse::tiles
