// SPDX-License-Identifier: Apache-2.0
// The text that RTL tells of its signals with.
#include "vcd_text.h"

#include <gtest/gtest.h>

#include "wse/base/check.h"

namespace wse::report {
namespace {

TEST(VcdTextTest, HeadersGiveNamesWidthsAndScopes) {
  const auto variables = read_vcd_header(
      "$version x $end\n$timescale 1ps $end\n $scope module top $end\n  $var wire 1 ! clk $end\n"
      "  $scope module g[3] $end\n   $var wire 40 #% data [39:0] $end\n"
      "   $var real 64 & r $end\n  $upscope $end\n  $var wire 1 ! same $end\n $upscope $end\n"
      "$enddefinitions $end\n");
  ASSERT_EQ(variables.size(), 4u);
  EXPECT_EQ(variables[1].scopes, (std::vector<std::string>{"top", "g[3]"}));
  EXPECT_EQ(variables[1].name, "data");
  EXPECT_EQ(variables[1].width, 40u);
  EXPECT_EQ(variables[1].code, "#%");
  EXPECT_EQ(variables[2].width, 0u);
  EXPECT_EQ(variables[3].code, variables[0].code);
  EXPECT_EQ(variables[3].scopes.size(), 1u);
}

TEST(VcdTextTest, ChangesAreAllFoundAndTimesLeftOut) {
  const std::string text = "#7\n1!\nb0101 #%\nr1.25 &\n\n$dumpvars\nx*\n$end\n#8\nb1 b\n";
  VcdChanges changes(text);
  std::vector<std::pair<std::string, std::string>> found;
  for (VcdChange c; changes.next(c);) found.emplace_back(c.code, c.value);
  const std::vector<std::pair<std::string, std::string>> expected{
      {"!", "1"}, {"#%", "0101"}, {"&", "1.25"}, {"*", "x"}, {"b", "1"}};
  EXPECT_EQ(found, expected);
}

TEST(VcdTextTest, ValuesGetTheirFullWidth) {
  EXPECT_EQ(vcd_bits("101", 6), "000101");
  EXPECT_EQ(vcd_bits("x1", 4), "xxx1");
  EXPECT_EQ(vcd_bits("z", 3), "zzz");
  EXPECT_EQ(vcd_bits("0110", 4), "0110");
}

TEST(VcdTextTest, WhatIsNoVcdIsRefused) {
  EXPECT_THROW(read_vcd_header("$scope module a $end\n"), base::InternalError);
  EXPECT_THROW(read_vcd_header("$upscope $end $enddefinitions $end\n"), base::InternalError);
  EXPECT_THROW(read_vcd_header("$var wire wide ! a $end $enddefinitions $end\n"),
               base::InternalError);
  for (const std::string text : {"b0101\n", "1\n", "b !\n"}) {
    VcdChanges changes(text);
    VcdChange change;
    EXPECT_THROW(changes.next(change), base::InternalError) << text;
  }
  EXPECT_THROW(vcd_bits("0101", 3), base::InternalError);
}

}  // namespace
}  // namespace wse::report
