// SPDX-License-Identifier: Apache-2.0
#include <verilated.h>

#include "Vramp_echo.h"
#include "rtl_echo.h"

namespace wse::cosim {
namespace {

class VerilatedEcho final : public RtlEcho {
 public:
  VerilatedEcho() { model_.eval(); }
  ~VerilatedEcho() override { model_.final(); }

  EchoPins clock(const EchoPins& in) override {
    model_.in_valid = in.valid;
    model_.in_data = in.wavelet.data;
    model_.in_color = in.wavelet.color;
    model_.in_control = in.wavelet.control;
    model_.in_advance = in.wavelet.advance;
    model_.in_credit = in.credits;
    model_.clk = 1;
    model_.eval();
    model_.clk = 0;
    model_.eval();
    return {model_.out_valid != 0,
            {model_.out_data, model_.out_color, model_.out_control != 0, model_.out_advance != 0},
            model_.out_credit};
  }

 private:
  VerilatedContext context_;
  Vramp_echo model_{&context_, "echo"};
};

}  // namespace

std::unique_ptr<RtlEcho> make_rtl_echo() { return std::make_unique<VerilatedEcho>(); }

}  // namespace wse::cosim
