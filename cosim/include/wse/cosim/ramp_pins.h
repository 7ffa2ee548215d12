// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <systemc>

#include "wse/tiles/tile_twin.h"

namespace wse::cosim {

/// One direction of a ramp as signals; control, advance, data and color count while valid.
struct RampSignals {
  explicit RampSignals(const std::string& prefix)
      : valid((prefix + "_valid").c_str()),
        control((prefix + "_control").c_str()),
        advance((prefix + "_advance").c_str()),
        data((prefix + "_data").c_str()),
        color((prefix + "_color").c_str()),
        credit((prefix + "_credit").c_str()) {}

  sc_core::sc_signal<bool> valid, control, advance;
  sc_core::sc_signal<std::uint32_t> data;
  sc_core::sc_signal<std::uint32_t> color;   ///< 0 .. 23
  sc_core::sc_signal<std::uint32_t> credit;  ///< bit c: a slot for color c was freed
};

/// The ports to that: RampPorts<sc_core::sc_in> or <sc_core::sc_out>. The types are those that
/// Verilator --sc gives to pins of 1, 32, 5 and 24 bits.
template <template <class> class Port>
struct RampPorts {
  explicit RampPorts(const std::string& prefix)
      : valid((prefix + "_valid").c_str()),
        control((prefix + "_control").c_str()),
        advance((prefix + "_advance").c_str()),
        data((prefix + "_data").c_str()),
        color((prefix + "_color").c_str()),
        credit((prefix + "_credit").c_str()) {}

  Port<bool> valid, control, advance;
  Port<std::uint32_t> data, color, credit;

  void bind(RampSignals& signals) {
    valid.bind(signals.valid);
    control.bind(signals.control);
    advance.bind(signals.advance);
    data.bind(signals.data);
    color.bind(signals.color);
    credit.bind(signals.credit);
  }
  /// What is on the pins. A color of more than eight bits is read as 255.
  tiles::RampPins read() const {
    tiles::RampPins pins;
    pins.credits = credit->read();
    pins.link.valid = valid->read();
    if (!pins.link.valid) return pins;
    pins.link.wavelet = {data->read(),
                         static_cast<std::uint8_t>(std::min(color->read(), std::uint32_t{255})),
                         control->read(), advance->read()};
    return pins;
  }
  /// Without a wavelet its payload stays as it was. For outputs only.
  void write(const tiles::RampPins& pins) {
    credit->write(pins.credits);
    valid->write(pins.link.valid);
    if (!pins.link.valid) return;
    data->write(pins.link.wavelet.data);
    color->write(pins.link.wavelet.color);
    control->write(pins.link.wavelet.control);
    advance->write(pins.link.wavelet.advance);
  }
};

}  // namespace wse::cosim
