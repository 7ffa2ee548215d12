// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/stage_region.h"

#include <algorithm>

#include "window_posts.h"
#include "wse/base/check.h"

namespace wse::tiles {

StageRegion::StageRegion(const sc_core::sc_module_name& name, const StageConfig& config,
                         const StageLinks& links, const base::ClockEpochs& epochs,
                         const base::WindowTicker& ticker)
    : sc_core::sc_module(name),
      memory_socket("memory_socket", config.parts.size()),
      links_(links),
      epochs_(epochs),
      ticker_(ticker),
      core_(config) {
  from_before_socket.on_receive([this](StageMessage& message) { receive(message); });
  from_next_socket.on_receive([this](StageMessage& message) { receive(message); });
  SC_HAS_PROCESS(StageRegion);
  SC_METHOD(work);
  sensitive << work_event_;
  dont_initialize();
  SC_METHOD(end_window);
  sensitive << ticker.tick();
  dont_initialize();
}

void StageRegion::begin_step(base::Cycles cycle) {
  own_update_.reset();
  update_behind_.reset();
  if (links_.last) update_behind_ = cycle;
  core_.begin_step(cycle);
}

/// Filed only: an answer within the call would nest as deep as there are samples in flight.
void StageRegion::receive(const StageMessage& message) {
  switch (message.kind) {
    case StageMessage::Kind::kActivations:
      core_.receive_activations(message.cycle);
      break;
    case StageMessage::Kind::kGradients:
      core_.receive_gradients(message.cycle);
      break;
    case StageMessage::Kind::kTaken:
      WSE_CHECK(false, "a stage tells nobody but the host that it has read its input");
      break;
    case StageMessage::Kind::kUpdated:
      update_behind_ = message.cycle;
      tell_updated();
      return;
  }
  work_event_.notify(sc_core::SC_ZERO_TIME);
}

void StageRegion::work() {
  while (const auto done = core_.next_done()) tell(*done);
}

void StageRegion::tell(const StageCore::Done& done) {
  StageMessage message;
  message.sample = done.sample;
  switch (done.pass) {
    case StageCore::Pass::kForward:
      if (links_.first) {
        message.kind = StageMessage::Kind::kTaken;
        message.cycle = done.start;
        to_before_socket.send(message);
      }
      message.kind = StageMessage::Kind::kActivations;
      message.cycle = done.finish + core_.config().to_next;
      to_next_socket.send(message);
      break;
    case StageCore::Pass::kBackward:
      message.kind = StageMessage::Kind::kGradients;
      message.cycle = done.finish + links_.gradients;
      to_before_socket.send(message);
      break;
    case StageCore::Pass::kUpdate:
      own_update_ = done.finish;
      tell_updated();
      break;
  }
}

/// The word travels up the pipeline, each stage adding its own.
void StageRegion::tell_updated() {
  if (!own_update_ || !update_behind_) return;
  StageMessage message;
  message.kind = StageMessage::Kind::kUpdated;
  message.cycle = std::max(*own_update_, *update_behind_) + links_.word;
  to_before_socket.send(message);
}

void StageRegion::end_window() { report_window(ticker_.ended(), ticker_.end_of(ticker_.ended())); }

void StageRegion::report_window(std::uint64_t window, base::Picoseconds end) {
  const base::Cycles until = epochs_.cycle_at_or_after(end);
  window_cycles_ = core_.take_until(until);
  window_times_ = {};
  for (const Segment& s : core_.segments()) {
    window_times_[static_cast<std::size_t>(s.cause)] +=
        epochs_.time_of(s.end) - epochs_.time_of(s.begin);
  }
  for (std::size_t i = 0; i < core_.config().parts.size(); ++i) report_part(i, window, until);
}

void StageRegion::report_part(std::size_t index, std::uint64_t window, base::Cycles until) {
  const base::RegionPart& part = core_.config().parts[index].part;
  const std::uint64_t tiles = part.tiles.tiles();
  const base::PendingActivity::ByPhase& events = core_.take_events(index, until);
  for (std::size_t phase = 0; phase < base::kNumPhases; ++phase) {
    for (std::size_t cause = 0; cause < kNumCauses; ++cause) {
      stats_.tile_cycles[phase][cause] += window_cycles_[phase][cause] * tiles;
    }
    post_phase(memory_socket[index], activity_socket, part, static_cast<base::Phase>(phase), window,
               total(window_cycles_[phase]), events[phase]);
  }
}

}  // namespace wse::tiles
