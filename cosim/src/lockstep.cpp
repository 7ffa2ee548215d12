// SPDX-License-Identifier: Apache-2.0
#include "wse/cosim/lockstep.h"

#include <fmt/format.h>

namespace wse::cosim {

using fabric::kNumColors;
using fabric::kPorts;
using fabric::LinkPins;
using fabric::Port;
using fabric::RouterPins;

std::string text_of(const RouterPins& pins) {
  std::string text;
  for (const Port port : kPorts) {
    const LinkPins& link = pins.links[index_of(port)];
    if (link.valid) {
      text +=
          fmt::format("{}{} {:08x} color {}{}{}", text.empty() ? "" : ", ", name_of(port),
                      link.wavelet.data, link.wavelet.color, link.wavelet.control ? " control" : "",
                      link.wavelet.advance ? " advance" : "");
    }
    for (std::uint8_t color = 0; color < kNumColors; ++color) {
      if ((pins.credits[index_of(port)] >> color & 1) == 0) continue;
      text += fmt::format("{}{} frees color {}", text.empty() ? "" : ", ", name_of(port), color);
    }
  }
  return text;
}

LockstepRouter::LockstepRouter(std::string name, std::unique_ptr<fabric::RouterTwin> twin,
                               const fabric::RouterSetup& setup)
    : name_(std::move(name)), twin_(std::move(twin)), model_(fabric::model_of(setup)) {}

RouterPins LockstepRouter::outputs() const { return model_->outputs(); }

void LockstepRouter::clock(const RouterPins& inputs) {
  window_.push_back({clocks_, inputs, twin_->outputs(), model_->outputs()});
  if (window_.size() > kWindow) window_.pop_front();
  compare();
  try {
    twin_->clock(inputs);
  } catch (const fabric::TwinError& error) {
    throw Mismatch(
        fmt::format("{} breaks the contract in clock {}: {}", name_, clocks_, error.what()));
  }
  model_->clock(inputs);
  ++clocks_;
}

void LockstepRouter::compare() const {
  const Clock& now = window_.back();
  if (now.twin == now.model) return;
  std::string text = fmt::format("{} differs from the model in clock {}\n", name_, now.number);
  const auto or_nothing = [](const std::string& pins) { return pins.empty() ? "nothing" : pins; };
  for (const Clock& clock : window_) {
    const std::string in = text_of(clock.inputs);
    const std::string model = text_of(clock.model);
    const bool last = clock.number == now.number;
    if (in.empty() && model.empty() && !last) continue;
    text += fmt::format("  clock {:<6} in    {}\n", clock.number, or_nothing(in));
    if (!last) {
      text += fmt::format("               out   {}\n", or_nothing(model));
    } else {
      text += fmt::format("               model {}\n               twin  {}\n", or_nothing(model),
                          or_nothing(text_of(clock.twin)));
    }
  }
  text.pop_back();
  throw Mismatch(text);
}

}  // namespace wse::cosim
