// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <systemc>

#include "wse/memory/bank_twin.h"

namespace wse::cosim {

/// The pins of an SRAM bank as signals; what they mean says memory::BankPins.
struct BankSignals {
  explicit BankSignals(const std::string& prefix)
      : enable((prefix + "_enable").c_str()),
        write((prefix + "_write").c_str()),
        valid((prefix + "_valid").c_str()),
        address((prefix + "_address").c_str()),
        bytes((prefix + "_bytes").c_str()),
        write_data((prefix + "_write_data").c_str()),
        read_data((prefix + "_read_data").c_str()) {}

  sc_core::sc_signal<bool> enable, write, valid;
  sc_core::sc_signal<std::uint32_t> address;  ///< of a word
  sc_core::sc_signal<std::uint32_t> bytes;    ///< that a store changes, as bits, the lowest first
  sc_core::sc_signal<std::uint32_t> write_data, read_data;
};

/// The ports to that: <sc_out, sc_in> of who asks, <sc_in, sc_out> of who is a bank.
template <template <class> class Asked, template <class> class Answered>
struct BankPorts {
  explicit BankPorts(const std::string& prefix)
      : enable((prefix + "_enable").c_str()),
        write((prefix + "_write").c_str()),
        address((prefix + "_address").c_str()),
        bytes((prefix + "_bytes").c_str()),
        write_data((prefix + "_write_data").c_str()),
        valid((prefix + "_valid").c_str()),
        read_data((prefix + "_read_data").c_str()) {}

  Asked<bool> enable, write;
  Asked<std::uint32_t> address, bytes, write_data;
  Answered<bool> valid;
  Answered<std::uint32_t> read_data;

  void bind(BankSignals& signals) {
    enable.bind(signals.enable);
    write.bind(signals.write);
    address.bind(signals.address);
    bytes.bind(signals.bytes);
    write_data.bind(signals.write_data);
    valid.bind(signals.valid);
    read_data.bind(signals.read_data);
  }
  memory::BankPins::Inputs asked() const {
    return {enable->read(), write->read(), address->read(), write_data->read(),
            static_cast<std::uint8_t>(bytes->read() & 15)};
  }
  memory::BankPins::Outputs answered() const { return {read_data->read(), valid->read()}; }
  /// Where nothing is asked the rest stays as it was. For who asks.
  void ask(const memory::BankPins::Inputs& pins) {
    enable->write(pins.enable);
    if (!pins.enable) return;
    write->write(pins.write);
    address->write(pins.address);
    bytes->write(pins.bytes);
    write_data->write(pins.data);
  }
  /// For who is a bank.
  void answer(const memory::BankPins::Outputs& pins) {
    valid->write(pins.valid);
    if (pins.valid) read_data->write(pins.data);
  }
};

}  // namespace wse::cosim
