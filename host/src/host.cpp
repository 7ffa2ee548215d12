// SPDX-License-Identifier: Apache-2.0
#include "wse/host/host.h"

#include <fmt/format.h>

#include <algorithm>

#include "wse/base/check.h"

namespace wse::host {

using base::WorkItem;
using fabric::LaneBlock;

namespace {
/// Items without weights take a slot of the command queue of the wafer.
constexpr std::uint32_t kMostItemsAhead = 64;
}  // namespace

Host::Host(const sc_core::sc_module_name& name, const fabric::IoConfig& io,
           base::Picoseconds lane_latency, const MemoryXConfig& memoryx,
           const std::vector<WorkItem>& schedule, const SwarmX& tree)
    : sc_core::sc_module(name),
      lane_out_socket("lane_out_socket", io.lanes),
      lane_in_socket("lane_in_socket", io.lanes),
      io_(tree.slowed(io)),
      lane_latency_(lane_latency),
      memoryx_(memoryx),
      tree_(tree),
      schedule_(&schedule),
      lanes_(io.lanes),
      in_meters_(io.lanes),
      out_meters_(io.lanes),
      lane_free_(io.lanes, 0) {
  for (std::uint32_t lane = 0; lane < io.lanes; ++lane) {
    lane_in_socket[lane].on_receive([this, lane](LaneBlock& block) { receive(lane, block); });
  }
  SC_HAS_PROCESS(Host);
  SC_METHOD(pump);
  sensitive << pump_event_;
  dont_initialize();
  SC_METHOD(end_step);
  sensitive << end_event_;
  dont_initialize();
}

void Host::start_step(std::function<void()> ended) {
  WSE_CHECK(outstanding_items_ == 0 && arriving_.empty(),
            "a step starts when the one before has ended");
  ended_ = std::move(ended);
  next_ = 0;
  items_done_ = 0;
  credits_ = 0;
  updated_ = 0;
  gradients_due_ = static_cast<std::size_t>(std::count_if(
      schedule_->begin(), schedule_->end(), [](const WorkItem& w) { return w.bytes_out() > 0; }));
  memoryx_.begin_step();
  const base::Picoseconds first = base::now() + memoryx_.latency() + tree_.latency();
  std::fill(lane_free_.begin(), lane_free_.end(), first);
  blocked_ = false;
  running_ = true;
  ending_ = false;
  pump_event_.notify(sc_core::SC_ZERO_TIME);
}

/// A block larger than half of the buffers stands for a run of smaller ones that stream through them: two
/// are always under way.
base::Bytes Host::waiting_bytes(const WorkItem& item) const {
  return std::min(item.bytes_in(), io_.buffer_bytes / 2);
}

bool Host::room_for(const WorkItem& item) const {
  return outstanding_items_ < kMostItemsAhead &&
         outstanding_bytes_ + waiting_bytes(item) <= io_.buffer_bytes;
}

void Host::pump() {
  handle_credits();
  while (next_ < schedule_->size() && room_for((*schedule_)[next_])) {
    if (blocked_) {
      for (std::uint32_t lane = 0; lane < io_.lanes; ++lane) {
        const base::Picoseconds idle = std::max(blocked_since_, lane_free_[lane]);
        if (base::now() > idle) lanes_[lane].stalled += base::now() - idle;
      }
      blocked_ = false;
    }
    send((*schedule_)[next_]);
    ++next_;
  }
  if (next_ < schedule_->size() && !blocked_) {
    blocked_ = true;
    blocked_since_ = base::now();
  }
  check_end();
}

void Host::send(const WorkItem& item) {
  for (std::uint32_t lane = 0; lane < io_.lanes; ++lane) {
    const base::Bytes bytes = base::mul_div(item.bytes_in(), lane + 1, io_.lanes) -
                              base::mul_div(item.bytes_in(), lane, io_.lanes);
    const base::Picoseconds start = std::max(base::now(), lane_free_[lane]);
    const base::Picoseconds took = io_.transfer_time(bytes);
    lane_free_[lane] = start + took;
    lanes_[lane].busy += took;
    lanes_[lane].bytes_in += bytes;
    in_meters_[lane].add(start, start + took, bytes);
    if (timeline_ != nullptr) {
      timeline_->add(base::Track::kLaneIn, lane, item, start, start + took);
    }
    LaneBlock block{LaneBlock::Kind::kShare, &item, bytes, start + lane_latency_,
                    start + took + lane_latency_};
    lane_out_socket[lane].send(block);
  }
  outstanding_bytes_ += waiting_bytes(item);
  ++outstanding_items_;
}

void Host::receive(std::uint32_t lane, const LaneBlock& block) {
  if (block.kind == LaneBlock::Kind::kCredit) {
    ++credits_;
    pump_event_.notify(sc_core::SC_ZERO_TIME);
    return;
  }
  lanes_[lane].bytes_out += block.bytes;
  out_meters_[lane].add(block.first + lane_latency_, block.last + lane_latency_, block.bytes);
  if (timeline_ != nullptr) {
    timeline_->add(base::Track::kLaneOut, lane, *block.item, block.first + lane_latency_,
                   block.last + lane_latency_);
  }
  Arrival& arrival = arriving_[block.item->id];
  arrival.last = std::max(arrival.last, tree_.sum(lane, block.bytes, block.first + lane_latency_,
                                                  block.last + lane_latency_));
  if (++arrival.lanes < io_.lanes) return;
  updated_ = std::max(updated_, memoryx_.gradients(block.item->gradient_parameters, arrival.last,
                                                   block.item->last_micro_batch));
  arriving_.erase(block.item->id);
  --gradients_due_;
  check_end();
}

/// Items end in order, and every lane returns one credit for each.
void Host::handle_credits() {
  while (credits_ >= io_.lanes) {
    credits_ -= io_.lanes;
    outstanding_bytes_ -= waiting_bytes((*schedule_)[items_done_]);
    --outstanding_items_;
    ++items_done_;
  }
}

void Host::check_end() {
  if (items_done_ < schedule_->size() || gradients_due_ > 0) return;
  ending_ = true;
  const base::Picoseconds end = std::max(updated_, base::now());
  end_event_.notify(base::to_sc_time(end - base::now()));
}

void Host::end_step() {
  running_ = false;
  const std::function<void()> ended = std::move(ended_);  // it may start the next step
  ended();
}

std::uint64_t Host::read_register(std::uint64_t address) {
  std::uint64_t value = 0;
  tlm::tlm_generic_payload trans;
  trans.set_command(tlm::TLM_READ_COMMAND);
  trans.set_address(address);
  trans.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
  trans.set_data_length(sizeof value);
  trans.set_streaming_width(sizeof value);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  register_socket->b_transport(trans, delay);
  if (!trans.is_response_ok()) {
    SC_REPORT_ERROR("/wse/host/register_refused", trans.get_response_string().c_str());
  }
  return value;
}

std::string Host::pending() const {
  return fmt::format(
      "{} of {} work items sent, {} done, gradients of {} due, {} bytes waiting on the wafer",
      next_, schedule_->size(), items_done_, gradients_due_, outstanding_bytes_);
}

}  // namespace wse::host
