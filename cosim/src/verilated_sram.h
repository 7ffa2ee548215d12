// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <verilated.h>

#include <memory>

#include "rtl_twins.h"
#include "verilated_trace.h"
#include "wse/base/twin_error.h"

namespace wse::cosim {

/// A Verilated SRAM bank behind the one-clock contract.
template <class Model>
class VerilatedBank final : public memory::BankTwin {
 public:
  explicit VerilatedBank(const BankSetup& setup)
      : checked_(setup.checked),
        context_(std::make_unique<VerilatedContext>()),
        model_(std::make_unique<Model>(context_.get(), "bank")) {
    model_->mutant = static_cast<CData>(setup.mutant & 31);
    model_->rst = 1;
    tick();
    model_->rst = 0;
    model_->eval();
  }
  ~VerilatedBank() override { model_->final(); }

  base::VcdSource* trace() override {
    if (trace_ == nullptr) trace_ = std::make_unique<VerilatedTrace>(*model_);
    return trace_.get();
  }

  memory::BankPins::Outputs outputs() const override {
    return {model_->read_data, model_->valid != 0};
  }
  void clock(const memory::BankPins::Inputs& inputs) override {
    model_->enable = inputs.enable ? 1 : 0;
    model_->write = inputs.write ? 1 : 0;
    model_->address = static_cast<SData>(inputs.address);
    model_->bytes = static_cast<CData>(inputs.bytes & 15);
    model_->write_data = inputs.data;
    tick();
  }

 private:
  void tick() {
    const memory::BankPins::Outputs before = checked_ ? outputs() : memory::BankPins::Outputs();
    model_->clk = 0;
    model_->eval();
    if (checked_ && !(outputs() == before)) {
      throw base::TwinError(
          "an output follows an input within the clock: outputs must be a function of the state "
          "alone");
    }
    if (trace_ != nullptr) trace_->clock();
    model_->clk = 1;
    model_->eval();
  }

  const bool checked_;
  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<VerilatedTrace> trace_;
};

template <class Model>
void add_sram_twin(RtlTwins& all, TwinKind kind) {
  all.banks.push_back({std::move(kind), [](const BankSetup& setup) {
                         return std::make_unique<VerilatedBank<Model>>(setup);
                       }});
}

}  // namespace wse::cosim
