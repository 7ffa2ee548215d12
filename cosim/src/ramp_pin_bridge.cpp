// SPDX-License-Identifier: Apache-2.0
#include "wse/cosim/ramp_pin_bridge.h"

#include <fmt/format.h>

#include <algorithm>

#include "wse/base/check.h"

namespace wse::cosim {

using base::Cycles;
using base::Picoseconds;
using fabric::kNumColors;

RampPinConfig RampPinConfig::of(const fabric::RouteTable& routes, base::Coordinate tile,
                                const fabric::EngineConfig& fabric) {
  RampPinConfig config;
  config.tile = tile;
  config.ramp_cycles = fabric.ramp_cycles;
  config.ramp_slots = fabric.ramp_slots();
  for (std::uint8_t color = 0; color < kNumColors; ++color) {
    const fabric::ColorRoute* route = routes.find(routes.mesh().tile(tile.x, tile.y), color);
    if (route != nullptr && route->inputs().contains(fabric::Port::kRamp)) {
      config.colors |= 1U << color;
    }
  }
  return config;
}

RampPinBridge::RampPinBridge(const sc_core::sc_module_name& name, const RampPinConfig& config,
                             const base::ClockEpochs& epochs, const base::WindowTicker& ticker)
    : sc_core::sc_module(name), config_(config), epochs_(epochs), ticker_(ticker) {
  WSE_CHECK(config.ramp_cycles > 0, std::string(this->name()) + ": a ramp takes a cycle at least");
  slots_.fill(config.ramp_slots);
  SC_HAS_PROCESS(RampPinBridge);
  SC_METHOD(run);
  sensitive << wake_;
  dont_initialize();
  SC_METHOD(wake_up);
  sensitive << busy;
  SC_METHOD(watch);
  sensitive << to_router.valid << to_router.control << to_router.advance << to_router.data
            << to_router.color << to_router.credit;
  dont_initialize();
  ramp_in_socket.on_receive([this](fabric::RampFrame& frame) { receive(frame); });
}

void RampPinBridge::launch(Cycles at) {
  WSE_CHECK(epochs_.time_of(at) >= base::now() && (shown_ == kNever || at > shown_),
            std::string(name()) + ": a launch in the past");
  launch_ = at;
  arm();
}

void RampPinBridge::receive(const fabric::RampFrame& frame) {
  const Cycles use = frame.cycle + config_.ramp_cycles;
  WSE_CHECK(shown_ == kNever || use > shown_, std::string(name()) + ": a frame from the past");
  WSE_CHECK(frame.wavelets.size() <= 1, std::string(name()) + ": two wavelets in a cycle");
  tiles::RampPins& pins = due_[use];
  for (const fabric::RampWavelet& w : frame.wavelets) pins.link = {true, w.wavelet};
  for (const fabric::RampCredit& c : frame.credits) pins.credits |= 1U << c.color;
  arm();
}

/// The first edge at which something is to be sampled.
Cycles RampPinBridge::first_use() const {
  return std::min({launch_, woken_, due_.empty() ? kNever : due_.begin()->first});
}

/// When the pins change hands after an edge: before the fabric does the cycle, which is in the
/// middle of it or where a window of activity ends.
Picoseconds RampPinBridge::swap_time(Cycles at) const {
  const Picoseconds edge = epochs_.time_of(at);
  const Picoseconds quarter = (epochs_.time_of(at + 1) - edge) / 4;
  const Picoseconds window_ends = ticker_.end_of(ticker_.window_at(edge));
  return edge + std::min(quarter, (window_ends - edge) / 2);
}

void RampPinBridge::arm() {
  Picoseconds at = base::now();
  const Cycles use = first_use();
  if (high_) {
    at = fall_time_;
  } else if (use == kNever && driven_ == kNever) {
    return;
  } else if (driven_ == kNever) {
    if (use > 0) at = swap_time(use - 1);
  } else if (use != driven_) {  // else it is driven once more, now
    at = epochs_.time_of(driven_);
  }
  wake_.notify(base::to_sc_time(std::max(at, base::now()) - base::now()));
}

void RampPinBridge::run() {
  const Picoseconds now = base::now();
  if (high_) {
    if (now >= fall_time_ && (deltas_ == 0 || --deltas_ == 0)) fall();
  } else if (driven_ == kNever) {
    const Cycles use = first_use();
    if (use != kNever && (use == 0 || now >= swap_time(use - 1))) drive(use);
  } else if (first_use() == driven_) {
    drive(driven_);
  } else if (now >= epochs_.time_of(driven_)) {
    rise();
  }
  arm();
}

/// Puts what takes effect at an edge on the pins, or adds to it what came late.
void RampPinBridge::drive(Cycles at) {
  if (driven_ != at) {
    pins_ = {};
    starts_ = false;
  }
  driven_ = at;
  if (launch_ == at) {
    starts_ = true;
    launch_ = kNever;
  }
  if (woken_ == at) woken_ = kNever;
  if (!due_.empty() && due_.begin()->first == at) {
    const tiles::RampPins& more = due_.begin()->second;
    if (more.link.valid) pins_.link = more.link;
    pins_.credits |= more.credits;
    due_.erase(due_.begin());
  }
  to_tile.write(pins_);
  start.write(starts_);
  cycle.write(at);
}

void RampPinBridge::rise() {
  watch();  // what was there before the first edge
  shown_ = driven_;
  driven_ = kNever;
  if (pins_.link.valid) ++held_[pins_.link.wavelet.color];
  for (std::uint32_t color = 0; color < kNumColors; ++color) {
    slots_[color] += pins_.credits >> color & 1;
  }
  clk.write(true);
  ++edges_;
  high_ = true;
  fall_time_ = swap_time(shown_);
  deltas_ = fall_time_ == base::now() ? kDeltas : 0;
}

void RampPinBridge::fall() {
  clk.write(false);
  high_ = false;
  seen_ = to_router.read();
  take(seen_);
  const bool goes_on = busy.read() || seen_.link.valid || seen_.credits != 0;
  if (goes_on || first_use() == shown_ + 1) {
    drive(shown_ + 1);
    return;
  }
  pins_ = {};
  to_tile.write(pins_);
  start.write(false);
}

void RampPinBridge::take(const tiles::RampPins& given) {
  frame_.clear();
  frame_.cycle = shown_;
  const std::uint32_t color = given.link.wavelet.color;
  if (!given.link.valid) {
    // nothing
  } else if (color >= kNumColors || (config_.colors >> color & 1) == 0) {
    complain("no_color", color, "gives a wavelet of a color that its router does not take");
  } else if (slots_[color] == 0) {
    complain("no_credit", color,
             fmt::format("gives a wavelet without a credit: all {} slots behind the ramp are taken",
                         config_.ramp_slots));
  } else {
    --slots_[color];
    frame_.wavelets.push_back({0, given.link.wavelet});
  }
  for (std::uint32_t bits = given.credits; bits != 0; bits &= bits - 1) {
    free_slot(static_cast<std::uint32_t>(__builtin_ctz(bits)));
  }
  if (!frame_.wavelets.empty() || !frame_.credits.empty()) ramp_out_socket.send(frame_);
}

void RampPinBridge::free_slot(std::uint32_t color) {
  if (color >= kNumColors) {
    complain("no_color", color, "frees a slot of a color that there is not");
  } else if (held_[color] == 0) {
    complain("no_wavelet", color, "frees a slot that no wavelet is in");
  } else {
    --held_[color];
    frame_.credits.push_back({0, static_cast<std::uint8_t>(color), 1});
  }
}

/// busy asks for an edge while the clock stands still.
void RampPinBridge::wake_up() {
  if (!busy.read() || high_ || driven_ != kNever) return;
  woken_ = epochs_.cycle_at_or_after(base::now() + 1);
  arm();
}

/// Outputs of a clocked module do not move between a falling edge and the next rising one.
void RampPinBridge::watch() {
  if (high_) return;
  const tiles::RampPins now = to_router.read();
  if (now.link == seen_.link && now.credits == seen_.credits) return;
  const std::uint32_t moved = now.credits ^ seen_.credits;
  const fabric::LinkPins& link = now.link.valid ? now.link : seen_.link;
  const std::uint32_t color = now.link == seen_.link
                                  ? static_cast<std::uint32_t>(__builtin_ctz(moved))
                                  : link.wavelet.color;
  seen_ = now;  // complains once
  complain("late", color,
           fmt::format("to_router changes at {} ps, between the edges", base::now()));
}

void RampPinBridge::complain(const char* what, std::uint32_t color, const std::string& text) const {
  const std::string cycle_text =
      shown_ == kNever ? "before any cycle" : fmt::format("cycle {}", shown_);
  SC_REPORT_ERROR(fmt::format("/wse/cosim/ramp_pins/{}", what).c_str(),
                  fmt::format("{}: tile ({},{}), {}, color {}: {}", name(), config_.tile.x,
                              config_.tile.y, cycle_text, color, text)
                      .c_str());
}

}  // namespace wse::cosim
