// SPDX-License-Identifier: Apache-2.0
#include "wse/memory/bank_twin.h"

#include <gtest/gtest.h>

#include <vector>

namespace wse::memory {
namespace {

/// The smallest bank that keeps the contract.
class PlainBank final : public BankTwin {
 public:
  BankPins::Outputs outputs() const override { return outputs_; }
  void clock(const BankPins::Inputs& in) override {
    const bool inside = in.address < words_.size();
    outputs_ = {inside ? words_[in.address] : 0, in.enable && !in.write};
    if (in.enable && in.write && inside) words_[in.address] = in.data;
  }

 private:
  std::vector<std::uint32_t> words_ = std::vector<std::uint32_t>(1536);  // 6 KB
  BankPins::Outputs outputs_;
};

TEST(BankTwinTest, ALoadIsSeenAfterItsEdgeAndGoneAfterTheNext) {
  PlainBank plain;
  BankTwin& bank = plain;
  EXPECT_FALSE(bank.outputs().valid);
  bank.clock({true, true, 1535, 0xabcdU});
  EXPECT_FALSE(bank.outputs().valid);
  bank.clock({true, false, 1535, 0});
  EXPECT_TRUE(bank.outputs().valid);
  EXPECT_EQ(bank.outputs().data, 0xabcdU);
  EXPECT_EQ(bank.outputs().data, 0xabcdU);  // reading the pins changes nothing
  bank.clock({});
  EXPECT_FALSE(bank.outputs().valid);
}

TEST(BankTwinTest, AnAddressPastTheEndStoresNothingAndLoadsZero) {
  PlainBank bank;
  bank.clock({true, true, 1536, 5});
  bank.clock({true, false, 1536, 0});
  EXPECT_TRUE(bank.outputs().valid);
  EXPECT_EQ(bank.outputs().data, 0u);
}

}  // namespace
}  // namespace wse::memory
