// SPDX-License-Identifier: Apache-2.0
#include "wse/model/pipeline_edge.h"

#include <algorithm>

#include "wse/base/activity_port.h"
#include "wse/base/check.h"

namespace wse::model {

using base::WorkItem;
using fabric::LaneBlock;
using tiles::StageMessage;

PipelineEdge::PipelineEdge(const sc_core::sc_module_name& name, const fabric::IoConfig& io,
                           std::uint32_t first_die, std::uint32_t last_die,
                           const base::ClockEpochs& epochs, const base::WindowTicker& ticker)
    : sc_core::sc_module(name),
      lane_in_socket("lane_in_socket", io.lanes),
      lane_out_socket("lane_out_socket", io.lanes),
      io_(io),
      epochs_(epochs),
      ticker_(ticker),
      lane_free_(io.lanes, 0),
      activity_(2) {
  activity_[0].first = first_die;
  activity_[1].first = last_die;
  for (std::uint32_t lane = 0; lane < io.lanes; ++lane) {
    lane_in_socket[lane].on_receive([this](LaneBlock& block) { receive(block); });
  }
  from_first_socket.on_receive([this](StageMessage& message) { from_first(message); });
  from_last_socket.on_receive([this](StageMessage& message) { from_last(message); });
  SC_HAS_PROCESS(PipelineEdge);
  SC_METHOD(step);
  sensitive << wake_;
  dont_initialize();
  SC_METHOD(end_window);
  sensitive << ticker.tick();
  dont_initialize();
}

void PipelineEdge::begin_step() {
  WSE_CHECK(!has_events(), "a step begins when the one before has ended");
  entered_.clear();
}

/// The host sends item by item, each on all lanes.
void PipelineEdge::receive(const LaneBlock& block) {
  if (arriving_.empty() || arriving_.back().item != block.item) {
    arriving_.push_back({block.item, 0, 0});
  }
  Arrival& arrival = arriving_.back();
  ++arrival.lanes;
  arrival.last = std::max(arrival.last, block.last);
  stats_.bytes_in += block.bytes;
  arm();
}

void PipelineEdge::from_first(const StageMessage& message) {
  switch (message.kind) {
    case StageMessage::Kind::kTaken:
      due_.push({message.cycle, Event::kTaken, message.sample});
      break;
    case StageMessage::Kind::kUpdated:
      due_.push({message.cycle, Event::kUpdated, 0});
      break;
    case StageMessage::Kind::kGradients:  // words have none
    case StageMessage::Kind::kActivations:
      return;
  }
  arm();
}

/// The loss is also where the way back begins.
void PipelineEdge::from_last(const StageMessage& message) {
  if (message.kind != StageMessage::Kind::kActivations) return;
  due_.push({message.cycle, Event::kLoss, message.sample});
  StageMessage back = message;
  back.kind = StageMessage::Kind::kGradients;
  to_last_socket.send(back);
  arm();
}

void PipelineEdge::step() {
  while (!arriving_.empty() && arriving_.front().lanes == io_.lanes &&
         arriving_.front().last <= base::now()) {
    enter();
  }
  const base::Cycles now = now_cycle();
  while (!due_.empty() && due_.top().cycle <= now) {
    const Due due = due_.top();
    due_.pop();
    leave(due);
  }
  arm();
}

void PipelineEdge::enter() {
  const WorkItem& item = *arriving_.front().item;
  arriving_.pop_front();
  entered_.push_back(&item);
  if (item.phase == base::Phase::kUpdate) return;
  count_bits(0, item.bytes_in());
  StageMessage message;
  message.sample = entered_.size() - 1;
  message.cycle = now_cycle();
  to_first_socket.send(message);
}

void PipelineEdge::leave(const Due& due) {
  switch (due.event) {
    case Event::kTaken:
      send_credit(*entered_[due.sample]);
      return;
    case Event::kLoss:
      send_loss(*entered_[due.sample]);
      return;
    case Event::kUpdated:
      WSE_CHECK(entered_.back()->phase == base::Phase::kUpdate, "the host asks for the update");
      send_credit(*entered_.back());
      return;
  }
}

void PipelineEdge::send_credit(const WorkItem& item) {
  for (std::uint32_t lane = 0; lane < io_.lanes; ++lane) {
    LaneBlock credit{LaneBlock::Kind::kCredit, &item, 0, base::now(), base::now()};
    lane_out_socket[lane].send(credit);
  }
}

void PipelineEdge::send_loss(const WorkItem& item) {
  count_bits(1, item.bytes_out());
  stats_.bytes_out += item.bytes_out();
  for (std::uint32_t lane = 0; lane < io_.lanes; ++lane) {
    const base::Bytes bytes = base::mul_div(item.bytes_out(), lane + 1, io_.lanes) -
                              base::mul_div(item.bytes_out(), lane, io_.lanes);
    const base::Picoseconds first = std::max(base::now(), lane_free_[lane]);
    lane_free_[lane] = first + io_.transfer_time(bytes);
    LaneBlock block{LaneBlock::Kind::kShare, &item, bytes, first, lane_free_[lane]};
    lane_out_socket[lane].send(block);
  }
}

/// On the die of the first or the last stage.
void PipelineEdge::count_bits(std::uint32_t end, base::Bytes bytes) {
  base::EventCounts bits{};
  at(bits, base::EventKind::kIoBit) = bytes * 8;
  const base::Cycles now = now_cycle();
  activity_[end].second.add(base::Phase::kForward, now, now + 1, bits);
  at(stats_.events[static_cast<std::size_t>(base::Phase::kForward)]
                  [static_cast<std::size_t>(fabric::Cargo::kSamples)],
     base::EventKind::kIoBit) += bytes * 8;
}

void PipelineEdge::arm() {
  base::Picoseconds at = ~base::Picoseconds{0};
  if (!arriving_.empty() && arriving_.front().lanes == io_.lanes) at = arriving_.front().last;
  if (!due_.empty()) at = std::min(at, epochs_.time_of(due_.top().cycle));
  if (at == ~base::Picoseconds{0}) return;
  // A change of the clock takes effect at a window boundary: sleep no further than that.
  const base::Picoseconds boundary = ticker_.end_of(ticker_.window_at(base::now()));
  wake_.notify(base::to_sc_time(std::min(std::max(at, base::now()), boundary) - base::now()));
}

void PipelineEdge::end_window() { report_window(ticker_.ended(), ticker_.end_of(ticker_.ended())); }

void PipelineEdge::report_window(std::uint64_t window, base::Picoseconds end) {
  const base::Cycles until = epochs_.cycle_at_or_after(end);
  for (auto& [die, activity] : activity_) {
    if (activity.empty()) continue;
    base::post_phases(activity_socket, die, window, activity.take_until(until),
                      "/wse/model/activity_refused");
  }
}

}  // namespace wse::model
