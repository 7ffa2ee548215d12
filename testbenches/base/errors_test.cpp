// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "wse/base/check.h"
#include "wse/base/config_errors.h"

namespace wse::base {
namespace {

TEST(ConfigErrorsTest, EveryViolationIsToldWithPathValueRuleAndPlace) {
  ConfigErrors errors;
  errors.require(true, "fine", 1, "must be fine");
  errors.require(false, "tile.sram.size_bytes", 12, "must be a positive multiple of 8 bytes");
  errors.add("io.lanes", "-1", "must not be negative", "m.yaml:3");
  try {
    errors.throw_if_any();
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 "tile.sram.size_bytes = 12: must be a positive multiple of 8 bytes\n"
                 "m.yaml:3: io.lanes = -1: must not be negative");
  }
}

TEST(ConfigErrorsTest, NearestNameFindsATypoAndNothingFarAway) {
  EXPECT_EQ(nearest_name("io.lane", {"io.lanes", "power.cap_w"}), "io.lanes");
  EXPECT_EQ(nearest_name("zzzz", {"io.lanes", "power.cap_w"}), "");
}

TEST(CheckTest, ABrokenInvariantNamesItself) {
  EXPECT_NO_THROW(WSE_CHECK(1 + 1 == 2, "arithmetic"));
  EXPECT_THROW(WSE_CHECK(1 + 1 == 3, "arithmetic"), InternalError);
}

}  // namespace
}  // namespace wse::base
