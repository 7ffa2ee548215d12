// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <verilated.h>

#include <memory>

#include "verilated_trace.h"
#include "wse/base/twin_error.h"

namespace wse::cosim {

/// What Verilated blocks of all kinds have in common: a model with a context of its own, out of its
/// reset, clocked with a look at its outputs, with waves if they are asked for.
template <class Model>
class VerilatedBlock {
 public:
  /// `checked`: outputs must not move when inputs do.
  VerilatedBlock(const char* name, std::uint32_t mutant, bool checked)
      : checked_(checked),
        context_(std::make_unique<VerilatedContext>()),
        model_(std::make_unique<Model>(context_.get(), name)) {
    model_->mutant = static_cast<CData>(mutant & 31);
    model_->rst = 1;
    edge();
    model_->rst = 0;
    model_->eval();
  }
  ~VerilatedBlock() { model_->final(); }
  VerilatedBlock(const VerilatedBlock&) = delete;
  VerilatedBlock& operator=(const VerilatedBlock&) = delete;

  Model& pins() const { return *model_; }
  base::VcdSource* trace() {
    if (trace_ == nullptr) trace_ = std::make_unique<VerilatedTrace>(*model_);
    return trace_.get();
  }

  /// A clock with the inputs that are on the pins; `outputs` reads those of the contract.
  template <class Outputs>
  void clock(const Outputs& outputs) {
    if (checked_) {
      const auto before = outputs();
      model_->clk = 0;
      model_->eval();
      if (!(outputs() == before)) {
        throw base::TwinError(
            "an output follows an input within the clock: outputs must be a function of the state "
            "alone");
      }
    }
    edge();
  }

 private:
  void edge() {
    model_->clk = 0;
    model_->eval();
    if (trace_ != nullptr) trace_->clock();
    model_->clk = 1;
    model_->eval();
  }

  const bool checked_;
  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<VerilatedTrace> trace_;
};

}  // namespace wse::cosim
