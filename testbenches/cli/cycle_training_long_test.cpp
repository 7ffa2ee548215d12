// SPDX-License-Identifier: Apache-2.0
// Twenty steps of tiny-gpt on 16 x 16 tiles: the losses of double precision, which fall.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/run_command.h"

namespace wse {
namespace {

using testing_support::run_command;
using testing_support::TemporaryFolder;

TEST(CycleTrainingLongTest, TwentyStepsLearn) {
  const TemporaryFolder folder;
  const auto r = run_command(
      std::string(WSE_CLI) + " train tiny-gpt --fidelity cycle --steps 20 --json --out out",
      folder);
  ASSERT_EQ(r.status, 0) << r.err;
  const auto j = nlohmann::json::parse(r.out);
  ASSERT_EQ(j["loss"].size(), 20U);
  EXPECT_EQ(j["mesh"], (std::vector<int>{16, 16}));
  for (std::size_t s = 0; s < 20; ++s) {
    const double expected = j["reference_loss"][s];
    EXPECT_NEAR(j["loss"][s], expected, 1e-4 * expected) << s;
  }
  EXPECT_LT(j["loss"][19], 3.3);
}

}  // namespace
}  // namespace wse
