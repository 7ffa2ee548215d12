// SPDX-License-Identifier: Apache-2.0
// A window of 32 x 32 tiles in a step of GPT-NeoX-20B, a whole block of a matrix.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "support/run_command.h"

namespace wse {
namespace {

TEST(WindowLongTest, ThirtyTwoByThirtyTwoTilesOfABlockOfNeoX) {
  const testing_support::TemporaryFolder folder;
  const auto r = testing_support::run_command(
      std::string(WSE_CLI) +
          " train gpt-neox-20b --wave none --window 100..131,100..131=cycle --json --out out",
      folder);
  ASSERT_EQ(r.status, 0) << r.err;
  const nlohmann::json w = nlohmann::json::parse(r.out)["window"];
  EXPECT_LT(std::abs(w["deviation"].get<double>()), 0.005);
  EXPECT_LT(w["max_rel_error"], w["error_bound"]);
}

}  // namespace
}  // namespace wse
