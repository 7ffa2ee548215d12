// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <systemc>
#include <utility>

#include "wse/cosim/bank_pins.h"

namespace wse::testing_support {

/// An SRAM bank as a module with signals, around a model or Verilated RTL.
class PinBank final : public sc_core::sc_module {
 public:
  sc_core::sc_in<bool> clk{"clk"};
  cosim::BankPorts<sc_core::sc_in, sc_core::sc_out> pins{"pins"};

  PinBank(const sc_core::sc_module_name& name, std::unique_ptr<memory::BankTwin> twin)
      : sc_core::sc_module(name), twin_(std::move(twin)) {
    SC_HAS_PROCESS(PinBank);
    SC_METHOD(edge);
    sensitive << clk.pos();
    dont_initialize();
  }
  memory::BankTwin& twin() { return *twin_; }

 private:
  void edge() {
    twin_->clock(pins.asked());
    pins.answer(twin_->outputs());
  }
  const std::unique_ptr<memory::BankTwin> twin_;
};

}  // namespace wse::testing_support
