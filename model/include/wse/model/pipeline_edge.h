// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <deque>
#include <queue>
#include <systemc>
#include <vector>

#include "wse/base/window_ticker.h"
#include "wse/fabric/fabric.h"
#include "wse/tiles/stage_region.h"

namespace wse::model {

/// Where a pipeline meets the lanes: words go from the lanes to the first stage, losses from the last one
/// to the lanes.
///
/// Interfaces  a lane socket pair per I/O lane; a socket each way to the first and to the last stage; an
///             activity initiator.
/// Timing      an input is given to the first stage when its last byte has come on every lane; its
///             credit returns when that stage has read it, the credit of the step's last item, which
///             carries nothing, when all stages have updated their weights. Sleeps until the earliest of
///             these or the end of the activity window.
/// Errors      an activity report that is refused: SC_REPORT_ERROR /wse/model/activity_refused.
class PipelineEdge final : public sc_core::sc_module {
 public:
  sc_core::sc_vector<fabric::Fabric::LaneTarget> lane_in_socket;
  sc_core::sc_vector<fabric::Fabric::LaneInitiator> lane_out_socket;
  tiles::StageRegion::Initiator to_first_socket{"to_first_socket"};
  tiles::StageRegion::Target from_first_socket{"from_first_socket"};
  tiles::StageRegion::Initiator to_last_socket{"to_last_socket"};
  tiles::StageRegion::Target from_last_socket{"from_last_socket"};
  tlm_utils::simple_initiator_socket<PipelineEdge> activity_socket{"activity_socket"};

  /// Bits of inputs and losses are accounted on the dies of the first and the last stage.
  PipelineEdge(const sc_core::sc_module_name& name, const fabric::IoConfig& io,
               std::uint32_t first_die, std::uint32_t last_die, const base::ClockEpochs& epochs,
               const base::WindowTicker& ticker);

  void begin_step();
  bool has_events() const { return !arriving_.empty() || !due_.empty(); }
  void report_window(std::uint64_t window, base::Picoseconds end);
  /// Bytes over the lanes, and their events, since the beginning.
  const fabric::FabricStats& stats() const { return stats_; }

 private:
  struct Arrival {
    const base::WorkItem* item;
    std::uint32_t lanes;
    base::Picoseconds last;
  };
  enum class Event : std::uint8_t { kTaken, kLoss, kUpdated };
  struct Due {
    base::Cycles cycle;
    Event event;
    std::uint64_t sample;
    bool operator>(const Due& that) const {
      return cycle != that.cycle ? cycle > that.cycle : sample > that.sample;
    }
  };

  void receive(const fabric::LaneBlock& block);
  void from_first(const tiles::StageMessage& message);
  void from_last(const tiles::StageMessage& message);
  void step();
  void enter();
  void leave(const Due& due);
  void send_loss(const base::WorkItem& item);
  void send_credit(const base::WorkItem& item);
  void count_bits(std::uint32_t die, base::Bytes bytes);
  void arm();
  void end_window();
  base::Cycles now_cycle() const { return epochs_.cycle_at_or_after(base::now()); }

  const fabric::IoConfig io_;
  const base::ClockEpochs& epochs_;
  const base::WindowTicker& ticker_;
  std::deque<Arrival> arriving_;  ///< in the order in which the host sends
  std::vector<const base::WorkItem*>
      entered_;  ///< of the step, by sample, the last item behind them
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::vector<base::Picoseconds> lane_free_;
  std::vector<std::pair<std::uint32_t, base::PendingActivity>> activity_;  ///< by die
  fabric::FabricStats stats_;
  sc_core::sc_event wake_{"wake"};
};

}  // namespace wse::model
