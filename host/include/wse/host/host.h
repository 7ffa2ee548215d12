// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <deque>
#include <functional>
#include <map>
#include <systemc>
#include <vector>

#include "wse/base/one_way_socket.h"
#include "wse/fabric/fabric.h"
#include "wse/host/lane_meter.h"
#include "wse/host/memoryx.h"
#include "wse/host/swarmx.h"

namespace wse::host {

/// One lane, from the host's side.
struct LaneStats {
  base::Bytes bytes_in = 0;  ///< towards the wafer
  base::Bytes bytes_out = 0;
  base::Picoseconds busy = 0;     ///< sending
  base::Picoseconds stalled = 0;  ///< idle with data at hand, because the wafer's buffers are full
};

/// MemoryX and the training schedule behind the I/O lanes of a system, or behind the tree to several
/// that all do the same, with a clock of its own.
///
/// Interfaces  one lane socket pair per lane; a register initiator, by which the host reads the
///             power monitor.
/// Timing      an item is sent on all lanes as soon as the wafer has room for it; each lane sends
///             its share when it is free. An item's room is free when every lane has had its
///             credit back. A step ends when all items are done, all gradients have come and the
///             optimizer has used them. Weights wait in the nodes of the tree, if any: its latency
///             shows before the first of a step, and behind every gradient.
/// Errors      a register that is refused: SC_REPORT_ERROR /wse/host/register_refused.
class Host final : public sc_core::sc_module {
 public:
  sc_core::sc_vector<fabric::Fabric::LaneInitiator> lane_out_socket;  ///< towards the wafer
  sc_core::sc_vector<fabric::Fabric::LaneTarget> lane_in_socket;
  tlm_utils::simple_initiator_socket<Host> register_socket{"register_socket"};

  Host(const sc_core::sc_module_name& name, const fabric::IoConfig& io,
       base::Picoseconds lane_latency, const MemoryXConfig& memoryx,
       const std::vector<base::WorkItem>& schedule, const SwarmX& tree = {});

  /// Another schedule for the steps that follow; kept by its owner as long as they last.
  void use_schedule(const std::vector<base::WorkItem>& schedule) { schedule_ = &schedule; }
  /// Starts an optimizer step at the present time; `ended` is called at its end, in a method of the
  /// kernel.
  void start_step(std::function<void()> ended);

  /// Reads an 8-byte register. Anything but TLM_OK_RESPONSE: SC_REPORT_ERROR
  /// /wse/host/register_refused.
  std::uint64_t read_register(std::uint64_t address);

  const std::vector<LaneStats>& lanes() const { return lanes_; }
  /// Bytes that have crossed the host's end of each lane before `time` and were not yet returned.
  struct LaneBytes {
    base::Bytes in = 0;
    base::Bytes out = 0;
  };
  LaneBytes take_lane_bytes(std::uint32_t lane, base::Picoseconds time) {
    return {in_meters_[lane].take_until(time), out_meters_[lane].take_until(time)};
  }
  /// Where to add what crosses the lanes, if anywhere.
  void set_timeline(base::Timeline* timeline) { timeline_ = timeline; }
  const MemoryX& memoryx() const { return memoryx_; }
  void reset_stats() { lanes_.assign(lanes_.size(), {}); }
  /// Bytes and items of the step that are done, for progress.
  std::size_t items_done() const { return items_done_; }
  /// True if only a message from the wafer can bring the step on.
  bool waits_for_wafer() const { return next_ > 0 && running_ && !ending_; }
  /// What the step still waits for, for a run that cannot go on.
  std::string pending() const;

 private:
  void pump();
  void send(const base::WorkItem& item);
  base::Bytes waiting_bytes(const base::WorkItem& item) const;
  bool room_for(const base::WorkItem& item) const;
  void receive(std::uint32_t lane, const fabric::LaneBlock& block);
  void handle_credits();
  void check_end();
  void end_step();

  struct Arrival {
    std::uint32_t lanes = 0;
    base::Picoseconds last = 0;
  };

  const fabric::IoConfig io_;
  const base::Picoseconds lane_latency_;
  MemoryX memoryx_;
  SwarmX tree_;
  const std::vector<base::WorkItem>* schedule_;  ///< of the step in progress or the next one
  std::function<void()> ended_;
  std::vector<LaneStats> lanes_;
  std::vector<LaneMeter> in_meters_;
  std::vector<LaneMeter> out_meters_;
  std::vector<base::Picoseconds> lane_free_;
  std::size_t next_ = 0;
  std::size_t items_done_ = 0;
  std::size_t gradients_due_ = 0;
  base::Bytes outstanding_bytes_ = 0;
  std::uint32_t outstanding_items_ = 0;
  std::uint64_t credits_ = 0;
  bool blocked_ = false;
  bool running_ = false;
  bool ending_ = false;
  base::Picoseconds blocked_since_ = 0;
  base::Picoseconds updated_ = 0;
  std::map<std::uint32_t, Arrival> arriving_;
  base::Timeline* timeline_ = nullptr;
  sc_core::sc_event pump_event_{"pump_event"};
  sc_core::sc_event end_event_{"end_event"};
};

}  // namespace wse::host
