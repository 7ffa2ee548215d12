// SPDX-License-Identifier: Apache-2.0
#include "wse/cosim/skewed_router.h"

#include <fmt/format.h>

#include "wse/cosim/lockstep.h"

namespace wse::cosim {

using fabric::ColorRoute;
using fabric::Command;
using fabric::kNumColors;
using fabric::kPorts;
using fabric::Port;
using fabric::PortSet;
using fabric::RampFilter;
using fabric::RouterPins;
using fabric::Wavelet;

namespace {

bool has_several_inputs(const ColorRoute& route) {
  unsigned inputs = 0;
  for (const Port port : kPorts) inputs += route.inputs().contains(port) ? 1 : 0;
  return inputs > 1;
}

}  // namespace

bool keeps_order(const ColorRoute& route) {
  return !has_several_inputs(route) ||
         (route.position_count == 1 && route.filter.kind != RampFilter::Kind::kCounter);
}

SkewedRouter::SkewedRouter(std::string name, std::unique_ptr<fabric::RouterTwin> twin,
                           const fabric::RouterSetup& setup, SkewReport& report)
    : name_(std::move(name)), twin_(std::move(twin)), report_(report) {
  for (std::size_t c = 0; c < kNumColors; ++c) {
    if (!setup.routes[c]) continue;
    colors_[c].emplace();
    colors_[c]->route = *setup.routes[c];
    colors_[c]->ordered = keeps_order(*setup.routes[c]);
  }
}

void SkewedRouter::clock(const RouterPins& inputs) {
  const RouterPins out = twin_->outputs();
  for (const Port port : kPorts) {
    const std::size_t p = index_of(port);
    if (out.links[p].valid) see(port, out.links[p].wavelet);
    for (std::uint8_t color = 0; color < kNumColors; ++color) {
      if ((out.credits[p] >> color & 1) != 0) free_slot(port, color);
    }
  }
  try {
    twin_->clock(inputs);
  } catch (const base::TwinError& error) {
    throw_breach(name_, clocks_, error);
  }
  for (const Port port : kPorts) {
    const fabric::LinkPins& link = inputs.links[index_of(port)];
    if (link.valid) take(port, link.wavelet);
  }
  ++clocks_;
}

/// A wavelet comes in: what its color's route asks for, in the order of the color's input.
void SkewedRouter::take(Port input, const Wavelet& wavelet) {
  ++held_[index_of(input)][wavelet.color];
  std::optional<Color>& color = colors_[wavelet.color];
  if (!color || !color->ordered || color->stuck) return;
  if (!color->route.inputs().contains(input)) return;  // it is never taken
  const PortSet outputs = color->route.outputs_of(input, color->position);
  if (outputs.empty()) {
    color->stuck = true;
    return;
  }
  Wavelet copy = wavelet;
  copy.data = color->route.data_after(wavelet);
  for (const Port output : kPorts) {
    if (!outputs.contains(output)) continue;
    if (output == Port::kRamp) {
      const bool passes = color->route.filter.passes(wavelet, color->counter);
      color->counter = color->route.filter.count(wavelet, color->counter);
      if (!passes) continue;
    }
    color->expected[index_of(input)][index_of(output)].push_back({clocks_, copy});
    ++report_.waiting;
  }
  const Command command = command_of(wavelet);
  if (command == Command::kTeardown && has_several_inputs(color->route)) {
    // How far the others came is a matter of timing.
    for (const auto& of_input : color->expected) {
      for (const auto& copies : of_input) report_.waiting -= copies.size();
    }
    *color = {color->route, false, true, 0, 0, {}};
    return;
  }
  color->position = color->route.position_after(command, color->position);
  color->stuck = command == Command::kTeardown;
}

/// A copy leaves: it must be the next one of some input. Of inputs whose next ones are alike it is taken
/// to be of the one that waits longest, which changes nothing but the clock it is counted for.
void SkewedRouter::see(Port output, const Wavelet& wavelet) {
  std::optional<Color>& color = colors_[wavelet.color];
  if (!color) fail(output, wavelet, "its color has no route");
  if (!color->ordered) {
    ++report_.unordered;
    return;
  }
  std::deque<Copy>* from = nullptr;
  std::string next;
  for (const Port input : kPorts) {
    std::deque<Copy>& all = color->expected[index_of(input)][index_of(output)];
    if (all.empty()) continue;
    next += fmt::format("{}{:08x} from {}", next.empty() ? "" : ", ", all.front().wavelet.data,
                        name_of(input));
    if (!(all.front().wavelet == wavelet)) continue;
    if (from == nullptr || all.front().clock < from->front().clock) from = &all;
  }
  if (from == nullptr) fail(output, wavelet, "next is " + (next.empty() ? "nothing" : next));
  ++report_.checked;
  --report_.waiting;
  ++report_.latencies[clocks_ - from->front().clock];
  from->pop_front();
}

void SkewedRouter::free_slot(Port input, std::uint8_t color) {
  std::uint64_t& held = held_[index_of(input)][color];
  if (held == 0) {
    throw Mismatch(fmt::format("{} frees a slot of color {}, {}, that is empty, in clock {}", name_,
                               color, name_of(input), clocks_));
  }
  --held;
}

void SkewedRouter::fail(Port output, const Wavelet& wavelet, const std::string& rule) const {
  throw Mismatch(fmt::format("{} breaks the order in clock {}\n  {} gives {:08x} color {}{}{}; {}",
                             name_, clocks_, name_of(output), wavelet.data, wavelet.color,
                             wavelet.control ? " control" : "", wavelet.advance ? " advance" : "",
                             rule));
}

void SkewedRouter::finish() const {
  for (std::size_t c = 0; c < kNumColors; ++c) {
    if (!colors_[c]) continue;
    for (const Port input : kPorts) {
      for (const Port output : kPorts) {
        const auto& all = colors_[c]->expected[index_of(input)][index_of(output)];
        if (all.empty()) continue;
        throw Mismatch(
            fmt::format("{} has kept {} copies after {} clocks\n  the next one is {:08x} color {} "
                        "from {} to {}, "
                        "which came in clock {}",
                        name_, all.size(), clocks_, all.front().wavelet.data, c, name_of(input),
                        name_of(output), all.front().clock));
      }
    }
  }
}

}  // namespace wse::cosim
