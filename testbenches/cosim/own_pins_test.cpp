// SPDX-License-Identifier: Apache-2.0
// RTL whose pins break the contract is refused when it is configured.
#include "support/own_router.h"

namespace wse {
namespace {

using testing_support::CommandResult;
using testing_support::read_file;

class OwnPinsTest : public testing_support::OwnRouter {};

TEST_F(OwnPinsTest, PinsThatBreakTheContractAreNamedWhenItIsConfigured) {
  std::string text = read_file(router("pipelined_router.sv"));
  const auto replace = [&text](const std::string& a, const std::string& b) {
    text.replace(text.find(a), a.size(), b);
  };
  replace("output reg [24:0]   out_color", "output reg [19:0]   out_color");
  replace("input wire [4:0]    mutant", "input wire [4:0]    fault");
  replace(".mutant(mutant)", ".mutant(fault)");
  folder_.write("router/pipelined_router.sv", text);
  const CommandResult r = configure();
  EXPECT_NE(r.status, 0);
  for (const char* part :
       {"the pins of mine break the contract of docs/cosim.md",
        "out_color: has 20 bits, must have 25", "mutant: is missing, input of 5 bits"}) {
    EXPECT_NE(r.err.find(part), std::string::npos) << part << "\n" << r.err;
  }
}

}  // namespace
}  // namespace wse
