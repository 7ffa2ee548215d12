// SPDX-License-Identifier: Apache-2.0
// Verilator and Icarus take all reference RTL without a warning, with its default parameters and with
// those of its line in cosim/rtl/cells.csv.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "rtl_table.h"
#include "support/run_command.h"

namespace wse::cosim {
namespace {

using testing_support::CommandResult;
using testing_support::run_command;
using testing_support::TemporaryFolder;

/// What is given to a tool. `sources` are full paths.
struct Design {
  std::vector<std::string> sources;
  std::string top;
  std::vector<std::string> parameters;
};

Design design_of(const RtlRow& row, const std::vector<std::string>& parameters) {
  Design design{{}, row.top, parameters};
  for (const std::string& source : row.sources) design.sources.push_back(rtl_folder() + source);
  return design;
}

class Linter {
 public:
  bool has(const std::string& tool) {
    return run_command("command -v " + tool, folder_).status == 0;
  }

  CommandResult verilator(const Design& design) {
    std::string command = "timeout 60 verilator --lint-only -Wall --top-module " + design.top;
    for (const std::string& parameter : design.parameters) command += " -G" + parameter;
    return run(command, design);
  }
  CommandResult icarus(const Design& design) {
    std::string command = "timeout 60 iverilog -g2012 -Wall -o /dev/null -s " + design.top;
    for (const std::string& p : design.parameters) command += " -P" + design.top + "." + p;
    return run(command, design);
  }
  /// A module that is written for the purpose.
  Design write(const std::string& top, const std::string& text) {
    return {{folder_.write(top + ".sv", text)}, top, {}};
  }

 private:
  CommandResult run(std::string command, const Design& design) {
    for (const std::string& source : design.sources) command += " '" + source + "'";
    return run_command(command, folder_);
  }
  TemporaryFolder folder_;
};

/// Neither a status nor a word.
void expect_clean(const CommandResult& result) {
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.out + result.err, "");
}

class RtlLintTest : public ::testing::TestWithParam<RtlRow> {
 protected:
  std::vector<Design> designs() const {
    std::vector<Design> all{design_of(GetParam(), {})};
    if (!GetParam().parameters.empty()) all.push_back(design_of(GetParam(), GetParam().parameters));
    return all;
  }
  Linter lint_;
};

TEST_P(RtlLintTest, VerilatorHasNoWarning) {
  if (!lint_.has("verilator")) GTEST_SKIP() << "needs verilator";
  for (const Design& design : designs()) expect_clean(lint_.verilator(design));
}

TEST_P(RtlLintTest, IcarusHasNoWarning) {
  if (!lint_.has("iverilog")) GTEST_SKIP() << "needs iverilog (Icarus Verilog)";
  for (const Design& design : designs()) expect_clean(lint_.icarus(design));
}

INSTANTIATE_TEST_SUITE_P(Rtl, RtlLintTest, ::testing::ValuesIn(rtl_rows()),
                         [](const auto& tested) { return name_of(tested.param); });

// ---- the table, and that the tools would warn -----------------------------------------------------

TEST(RtlTableTest, EveryLineIsRight) {
  std::vector<std::string> errors;
  const std::vector<RtlRow> rows = read_rtl_table(rtl_folder() + "cells.csv", errors);
  EXPECT_FALSE(rows.empty());
  for (const std::string& error : errors) ADD_FAILURE() << error;
}

TEST(RtlTableTest, EveryFileOfTheFolderIsInTheTable) {
  const std::vector<RtlRow> rows = rtl_rows();
  for (const auto& entry : std::filesystem::directory_iterator(rtl_folder())) {
    if (entry.path().extension() != ".sv") continue;
    const std::string top = entry.path().stem().string();
    EXPECT_TRUE(
        std::any_of(rows.begin(), rows.end(), [&](const RtlRow& r) { return r.top == top; }))
        << "cosim/rtl/cells.csv: " << top << " must have a line";
  }
}

TEST(RtlTableTest, WrongLinesAreNamed) {
  const TemporaryFolder folder;
  const std::string path = folder.write("cells.csv",
                                        "sources,top,parameters,cells,flip_flops,memories\n"
                                        "wse_fma.sv,wse_fma,,many,0,0\n"
                                        "wse_fma.sv,wse_fma,,6600,0\n"
                                        "none.sv,none,WIDTH,1,0,0\n"
                                        "wse_fma.sv,wse_fma,,6600,0,0\n");
  std::vector<std::string> errors;
  EXPECT_EQ(read_rtl_table(path, errors).size(), 1U);
  ASSERT_EQ(errors.size(), 4U);
  EXPECT_EQ(errors[0], path + ":2: cells = many: must be a whole number");
  EXPECT_EQ(errors[1], path + ":3: line = wse_fma.sv,wse_fma,,6600,0: must have 6 columns");
  EXPECT_EQ(errors[2], path + ":4: sources = none.sv: must be a file of cosim/rtl");
  EXPECT_EQ(errors[3], path + ":4: parameters = WIDTH: must be NAME=value");
}

TEST(RtlLintToolsTest, VerilatorWarnsOfAWidth) {
  Linter lint;
  if (!lint.has("verilator")) GTEST_SKIP() << "needs verilator";
  const CommandResult result = lint.verilator(lint.write("wide", R"(
module wide (input wire [7:0] a, output wire [3:0] y);
  assign y = a;
endmodule
)"));
  EXPECT_NE(result.status, 0);
  EXPECT_NE(result.err.find("WIDTH"), std::string::npos) << result.err;
}

TEST(RtlLintToolsTest, IcarusWarnsOfAnUndeclaredWire) {
  Linter lint;
  if (!lint.has("iverilog")) GTEST_SKIP() << "needs iverilog (Icarus Verilog)";
  const CommandResult result = lint.icarus(lint.write("implicit", R"(
module implicit (input wire a, output wire y);
  assign middle = a;
  assign y = middle;
endmodule
)"));
  EXPECT_NE(result.err.find("implicit definition of wire"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace wse::cosim
