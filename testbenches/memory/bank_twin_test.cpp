// SPDX-License-Identifier: Apache-2.0
#include "wse/memory/bank_twin.h"

#include <gtest/gtest.h>

#include "wse/memory/bank_model.h"

namespace wse::memory {
namespace {

TEST(BankTwinTest, ALoadIsSeenAfterItsEdgeAndGoneAfterTheNext) {
  BankModel model(1536);
  BankTwin& bank = model;
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

TEST(BankTwinTest, AStoreChangesTheBytesThatAreEnabled) {
  BankModel bank(8);
  bank.clock({true, true, 3, 0x11223344U});
  bank.clock({true, true, 3, 0xaabbccddU, 0b1001});
  bank.clock({true, false, 3});
  EXPECT_EQ(bank.outputs().data, 0xaa2233ddU);
}

TEST(BankTwinTest, AnAddressPastTheEndStoresNothingAndLoadsZero) {
  BankModel bank(1536);
  bank.clock({true, true, 1536, 5});
  bank.clock({true, false, 1536, 0});
  EXPECT_TRUE(bank.outputs().valid);
  EXPECT_EQ(bank.outputs().data, 0u);
}

}  // namespace
}  // namespace wse::memory
