// SPDX-License-Identifier: Apache-2.0
#include <verilated.h>

#include "Vwse_alu.h"
#include "rtl_alu.h"

namespace wse::cosim {
namespace {

class VerilatedAlu final : public RtlAlu {
 public:
  explicit VerilatedAlu(std::uint32_t mutant) {
    model_.mutant = static_cast<CData>(mutant);
    model_.eval();
  }
  ~VerilatedAlu() override { model_.final(); }

  std::uint32_t compute(AluOp op, std::uint32_t a, std::uint32_t b, std::uint32_t c) override {
    model_.op = static_cast<CData>(op);
    model_.a = a;
    model_.b = b;
    model_.c = c;
    model_.eval();
    return model_.y;
  }

 private:
  VerilatedContext context_;
  Vwse_alu model_{&context_, "alu"};
};

}  // namespace

std::unique_ptr<RtlAlu> make_rtl_alu(std::uint32_t mutant) {
  return std::make_unique<VerilatedAlu>(mutant);
}

}  // namespace wse::cosim
