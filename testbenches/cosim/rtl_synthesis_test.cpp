// SPDX-License-Identifier: Apache-2.0
// Yosys makes gates of all reference RTL: no latches, no warnings, as many cells and flip-flops as
// cosim/rtl/cells.csv says. The figures there are of Yosys 0.23.
#include <gtest/gtest.h>

#include <iostream>
#include <sstream>

#include "rtl_table.h"
#include "support/run_command.h"

namespace wse::cosim {
namespace {

using testing_support::CommandResult;
using testing_support::run_command;
using testing_support::TemporaryFolder;

/// What a synthesis ended with.
struct Synthesis {
  int status = -1;
  std::string log;
  std::uint64_t cells = 0;
  std::uint64_t flip_flops = 0;
  std::uint64_t latches = 0;
  std::uint64_t memories = 0;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Adds a line of `stat`: "$_DFF_P_   12".
void count_cells(const std::string& type, std::uint64_t count, Synthesis& result) {
  if (type.rfind("$mem", 0) == 0) result.memories += count;
  if (contains(type, "_DLATCH") || type.rfind("$_SR_", 0) == 0) {
    result.latches += count;
  } else if (contains(type, "DFF") || type == "$_FF_") {
    result.flip_flops += count;
  }
}

/// Reads the last statistics of a log.
void read_statistics(Synthesis& result) {
  const std::string cells = "Number of cells:";
  const std::size_t at = result.log.rfind(cells);
  if (at == std::string::npos) return;
  std::istringstream lines(result.log.substr(at + cells.size()));
  lines >> result.cells;
  std::string type;
  std::uint64_t count = 0;
  while (lines >> type >> count) count_cells(type, count, result);
}

/// The steps of `synth -flatten`, with three differences: drivers are also checked before optimisation
/// hides them, memories stay where the row says so, and gates go to ABC swept but not simplified, which
/// halves the time and changes less than one cell in a hundred.
std::string script_of(const RtlRow& row, const std::vector<std::string>& sources) {
  std::string script = "read_verilog -sv -defer";
  for (const std::string& source : sources) script += " \"" + source + "\"";
  script += "; hierarchy -check -top " + row.top;
  for (const std::string& parameter : row.parameters) {
    const std::size_t equals = parameter.find('=');
    script += " -chparam " + parameter.substr(0, equals) + " " + parameter.substr(equals + 1);
  }
  script += "; proc; flatten; check -assert; synth -run begin:fine; opt -fast -full";
  if (row.memories == 0) script += "; memory_map";
  return script + "; opt -full; techmap; opt_clean; abc -fast; opt -fast; check -assert; stat";
}

class Synthesizer {
 public:
  bool has_tool() { return run_command("command -v yosys", folder_).status == 0; }

  Synthesis run(const RtlRow& row, const std::vector<std::string>& sources) {
    const CommandResult done =
        run_command("timeout 200 yosys -p '" + script_of(row, sources) + "'", folder_);
    Synthesis result;
    result.status = done.status;
    result.log = done.out + done.err;
    read_statistics(result);
    return result;
  }
  /// Of a module that is written for the purpose.
  Synthesis run(const std::string& text) {
    RtlRow row;
    row.top = "planted";
    return run(row, {folder_.write("planted.sv", text)});
  }

 private:
  TemporaryFolder folder_;
};

bool is_near(std::uint64_t found, std::uint64_t expected) {
  const std::uint64_t difference = found > expected ? found - expected : expected - found;
  return 10 * difference <= expected;
}

/// What is wrong with a synthesis, a line each; nothing if it is as the row says.
std::string faults(const RtlRow& row, const Synthesis& result) {
  std::ostringstream text;
  const auto near = [&](const char* name, std::uint64_t found, std::uint64_t expected) {
    if (is_near(found, expected)) return;
    text << name << " = " << found << ": must be within 10 % of the " << expected
         << " of cosim/rtl/cells.csv\n";
  };
  if (result.status != 0) text << "exit status = " << result.status << ": must be 0\n";
  near("cells", result.cells, row.cells);
  near("flip-flops", result.flip_flops, row.flip_flops);
  if (result.latches != 0) text << "latches = " << result.latches << ": must be 0\n";
  if (result.memories != row.memories) {
    text << "memories = " << result.memories << ": must be " << row.memories << "\n";
  }
  for (const char* word : {"Latch inferred", "Warning:"}) {
    const std::size_t at = result.log.find(word);
    if (at == std::string::npos) continue;
    text << "log = " << result.log.substr(at, result.log.find('\n', at) - at) << ": must not be\n";
  }
  return text.str();
}

std::string end_of(const std::string& log) {
  constexpr std::size_t kLetters = 2000;
  return log.size() <= kLetters ? log : log.substr(log.size() - kLetters);
}

class RtlSynthesisTest : public ::testing::TestWithParam<RtlRow> {
 protected:
  void SetUp() override {
    if (!yosys_.has_tool()) GTEST_SKIP() << "needs yosys";
  }
  Synthesizer yosys_;
};

TEST_P(RtlSynthesisTest, GivesTheCellsOfTheTable) {
  std::vector<std::string> sources;
  for (const std::string& source : GetParam().sources) sources.push_back(rtl_folder() + source);
  const Synthesis result = yosys_.run(GetParam(), sources);
  std::cout << GetParam() << ": " << result.cells << " cells, of them " << result.flip_flops
            << " flip-flops and " << result.memories << " memories\n";
  EXPECT_EQ(faults(GetParam(), result), "") << end_of(result.log);
}

INSTANTIATE_TEST_SUITE_P(Rtl, RtlSynthesisTest, ::testing::ValuesIn(rtl_rows()),
                         [](const auto& tested) { return name_of(tested.param); });

// ---- that these tests would see a fault -----------------------------------------------------------

class PlantedRtlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!yosys_.has_tool()) GTEST_SKIP() << "needs yosys";
  }
  /// What is wrong with the module, where cells and flip-flops are as they come.
  std::string faults_of(const std::string& text) {
    const Synthesis result = yosys_.run(text);
    RtlRow row;
    row.cells = result.cells;
    row.flip_flops = result.flip_flops;
    return faults(row, result);
  }
  Synthesizer yosys_;
};

TEST_F(PlantedRtlTest, FlipFlopsAreCounted) {
  const Synthesis result = yosys_.run(R"(
module planted (input wire clk, input wire rst, input wire [7:0] d, output reg [7:0] q);
  always @(posedge clk) q <= rst ? 8'd0 : ~d;
endmodule
)");
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.flip_flops, 8U);
  EXPECT_GE(result.cells, 8U);
  EXPECT_EQ(result.latches, 0U);
}

TEST_F(PlantedRtlTest, ALatchIsAFault) {
  const std::string text = faults_of(R"(
module planted (input wire e, input wire d, output reg q);
  always @* if (e) q = d;
endmodule
)");
  EXPECT_TRUE(contains(text, "latches = 1: must be 0")) << text;
  EXPECT_TRUE(contains(text, "Latch inferred")) << text;
}

TEST_F(PlantedRtlTest, TwoDriversAreAFault) {
  const std::string text = faults_of(R"(
module planted (input wire a, input wire b, output wire y);
  assign y = ~a;
  assign y = ~b;
endmodule
)");
  EXPECT_TRUE(contains(text, "exit status = 1: must be 0")) << text;
  EXPECT_TRUE(contains(text, "multiple conflicting drivers")) << text;
}

TEST_F(PlantedRtlTest, AMemoryIsCountedWhereItMayStay) {
  RtlRow row;
  row.top = "planted";
  row.memories = 2;
  TemporaryFolder folder;
  const std::string path = folder.write("planted.sv", R"(
module planted (input wire clk, input wire [5:0] at, input wire [7:0] d, output wire [7:0] q);
  reg [7:0] words [0:63];
  always @(posedge clk) words[at] <= d;
  assign q = words[at];
endmodule
)");
  const Synthesis kept = yosys_.run(row, {path});
  EXPECT_EQ(kept.memories, 1U);
  EXPECT_TRUE(contains(faults(row, kept), "memories = 1: must be 2"));
  row.memories = 0;
  EXPECT_EQ(yosys_.run(row, {path}).flip_flops, 512U);
}

TEST(RtlFiguresTest, DifferAtMostByATenth) {
  RtlRow row;
  row.cells = 1000;
  row.flip_flops = 100;
  Synthesis result;
  result.status = 0;
  result.cells = 1100;
  result.flip_flops = 90;
  EXPECT_EQ(faults(row, result), "");
  result.cells = 1101;
  EXPECT_TRUE(contains(faults(row, result), "cells = 1101: must be within 10 % of the 1000"));
  result.cells = 900;
  result.flip_flops = 89;
  EXPECT_TRUE(contains(faults(row, result), "flip-flops = 89"));
}

}  // namespace
}  // namespace wse::cosim
