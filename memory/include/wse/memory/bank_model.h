// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wse/memory/bank_twin.h"

namespace wse::memory {

/// The bank that every implementation is compared with. All words are zero at first.
class BankModel final : public BankTwin {
 public:
  explicit BankModel(std::uint32_t words) : words_(words) {}

  BankPins::Outputs outputs() const override { return outputs_; }
  void clock(const BankPins::Inputs& in) override {
    const bool inside = in.address < words_.size();
    outputs_ = {inside ? words_[in.address] : 0, in.enable && !in.write};
    if (!in.enable || !in.write || !inside) return;
    for (std::uint32_t byte = 0; byte < 4; ++byte) {
      const std::uint32_t mask = (in.bytes >> byte & 1) != 0 ? 0xffU << (8 * byte) : 0;
      words_[in.address] = (words_[in.address] & ~mask) | (in.data & mask);
    }
  }

 private:
  std::vector<std::uint32_t> words_;
  BankPins::Outputs outputs_;
};

}  // namespace wse::memory
