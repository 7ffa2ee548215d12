// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "rtl_twins.h"
#include "verilated_block.h"

namespace wse::cosim {

/// A Verilated SRAM bank behind the one-clock contract.
template <class Model>
class VerilatedBank final : public memory::BankTwin {
 public:
  explicit VerilatedBank(const BankSetup& setup) : block_("bank", setup.mutant, setup.checked) {}

  base::VcdSource* trace() override { return block_.trace(); }

  memory::BankPins::Outputs outputs() const override {
    return {block_.pins().read_data, block_.pins().valid != 0};
  }
  void clock(const memory::BankPins::Inputs& inputs) override {
    Model& m = block_.pins();
    m.enable = inputs.enable ? 1 : 0;
    m.write = inputs.write ? 1 : 0;
    m.address = static_cast<SData>(inputs.address);
    m.bytes = static_cast<CData>(inputs.bytes & 15);
    m.write_data = inputs.data;
    block_.clock([this] { return outputs(); });
  }

 private:
  VerilatedBlock<Model> block_;
};

template <class Model>
void add_sram_twin(RtlTwins& all, TwinKind kind) {
  all.banks.push_back({std::move(kind), [](const BankSetup& setup) {
                         return std::make_unique<VerilatedBank<Model>>(setup);
                       }});
}

}  // namespace wse::cosim
