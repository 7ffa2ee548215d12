// SPDX-License-Identifier: Apache-2.0
#include "wse/cosim/pin_text.h"

#include <fmt/format.h>

namespace wse::cosim {

using fabric::kNumColors;
using fabric::kPorts;
using fabric::LinkPins;
using fabric::Port;
using fabric::RouterPins;

namespace {

void append(std::string& text, const std::string& more) {
  if (!text.empty()) text += ", ";
  text += more;
}

void append_link(std::string& text, Port port, const LinkPins& link, std::uint32_t credits) {
  if (link.valid) {
    append(text, fmt::format("{} {:08x} color {}{}{}", name_of(port), link.wavelet.data,
                             link.wavelet.color, link.wavelet.control ? " control" : "",
                             link.wavelet.advance ? " advance" : ""));
  }
  for (std::uint8_t color = 0; color < kNumColors; ++color) {
    if ((credits >> color & 1) == 0) continue;
    append(text, fmt::format("{} frees color {}", name_of(port), color));
  }
}

}  // namespace

std::string text_of(const RouterPins& pins) {
  std::string text;
  for (const Port port : kPorts) {
    append_link(text, port, pins.links[index_of(port)], pins.credits[index_of(port)]);
  }
  return text;
}

std::string text_of(const fabric::RampPins& pins) {
  std::string text;
  append_link(text, Port::kRamp, pins.link, pins.credits);
  return text;
}

std::string text_of(const memory::BankPins::Inputs& pins) {
  if (!pins.enable) return {};
  if (!pins.write) return fmt::format("load {}", pins.address);
  return fmt::format("store {:08x}, bytes {:04b}, to {}", pins.data, pins.bytes, pins.address);
}

std::string text_of(const memory::BankPins::Outputs& pins) {
  return pins.valid ? fmt::format("{:08x}", pins.data) : std::string();
}

}  // namespace wse::cosim
