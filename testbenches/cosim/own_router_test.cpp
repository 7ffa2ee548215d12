// SPDX-License-Identifier: Apache-2.0
// The three steps of docs/cosim.md by which a router of one's own comes in, with one that has a register behind its outputs.
#include <nlohmann/json.hpp>

#include "support/own_router.h"

namespace wse {
namespace {

using nlohmann::json;
using testing_support::CommandResult;

class OwnRouterTest : public testing_support::OwnRouter {
 protected:
  json stats(const std::string& arguments) {
    const CommandResult r = run("build/sc_main/wse-cli " + arguments + " --json");
    EXPECT_EQ(r.status, 0) << r.err;
    return json::parse(r.out);
  }
};

TEST_F(OwnRouterTest, GoesInByThreeStepsAndItsClocksAreCounted) {
  // Step 2: configure and build.
  const CommandResult configured = configure();
  ASSERT_EQ(configured.status, 0) << configured.err;
  const CommandResult built = run("cmake --build build --target wse_cli");
  ASSERT_EQ(built.status, 0) << built.out;
  EXPECT_NE(run("build/sc_main/wse-cli list twins").out.find("router  rtl:mine         8 slots"),
            std::string::npos);
  // Step 3: a campaign, then the mesh. In lockstep it is a clock late; its order is right.
  EXPECT_EQ(run("build/sc_main/wse-cli cosim campaign router --rtl mine --seeds 1").status, 3);
  const json campaign = stats("cosim campaign router --rtl mine --skewed --cycles 10000");
  EXPECT_GT(campaign["twin_skew"]["checked"], 50'000);
  EXPECT_FALSE(campaign["twin_skew"]["latency_clocks"].contains("1"));
  EXPECT_GT(campaign["twin_skew"]["latency_clocks"]["2"], 10'000);
  const std::string traffic = "noc --mesh 5x4 --pattern halo --rate 0.2 --cycles 300";
  const json plain = stats(traffic);
  // Beside one of the same kind with other parameters.
  const json mine = stats("cosim " + traffic +
                          " --skewed --twin router@1..2,1=rtl:mine --twin router@3,1=rtl:router");
  EXPECT_EQ(mine["delivered"], plain["delivered"]);
  EXPECT_GT(mine["twin_skew"]["latency_clocks"]["2"], 100);
  EXPECT_GT(mine["mean_latency_cycles"], plain["mean_latency_cycles"]);
}

}  // namespace
}  // namespace wse
