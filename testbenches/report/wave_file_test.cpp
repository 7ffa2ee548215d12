// SPDX-License-Identifier: Apache-2.0
#include "wse/report/wave_file.h"

#include <gtest/gtest.h>

#include "support/run_command.h"
#include "support/wave_dump.h"
#include "wse/base/check.h"
#include "wse/base/config_errors.h"
#include "wse/report/save_file.h"

namespace wse::report {
namespace {

using testing_support::read_file;
using testing_support::run_command;
using testing_support::TemporaryFolder;

/// A little of everything: two scopes, a bit, a vector, a real, values that repeat.
void record(base::WaveSink& sink, bool close) {
  const auto bit = sink.add({"top.a", "valid", 1});
  const auto state = sink.add({"top.a", "state", 2});
  const auto real = sink.add({"top.b", "watts"});
  sink.time(0);
  sink.set(bit, 0);
  sink.set(state, 0);
  sink.set_real(real, 1.5);
  sink.time(10);
  sink.set(state, 0);  // no change: nothing is written for this time
  sink.time(20);
  sink.set(bit, 1);
  sink.set(state, 2);
  sink.time(35);
  if (close) sink.close();
}

class WaveFileTest : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
};

TEST_F(WaveFileTest, TheVcdHoldsScopesSignalsAndChangesOnly) {
  record(*open_wave_file(folder_.file("x.vcd")), true);
  EXPECT_EQ(read_file(folder_.file("x.vcd")),
            "$timescale 1 ps $end\n"
            "$scope module top $end\n$scope module a $end\n"
            "$var wire 1 ! valid $end\n$var wire 2 \" state [1:0] $end\n"
            "$upscope $end\n$scope module b $end\n$var real 64 # watts $end\n"
            "$upscope $end\n$upscope $end\n$enddefinitions $end\n"
            "#0\n0!\nb00 \"\nr1.5 #\n#20\n1!\nb10 \"\n#35\n");
}

TEST_F(WaveFileTest, AFileThatNobodyClosedEndsWhereTheRunDid) {
  record(*open_wave_file(folder_.file("closed.vcd")), true);
  record(*open_wave_file(folder_.file("left.vcd")), false);
  EXPECT_EQ(read_file(folder_.file("left.vcd")), read_file(folder_.file("closed.vcd")));
}

// fst2vcd of GTKWave reads back what was written.
TEST_F(WaveFileTest, TheFstHoldsTheSameAsTheVcd) {
  if (!can_write_fst() || run_command("command -v fst2vcd", folder_).status != 0) {
    GTEST_SKIP() << "needs the FST writer (verilator) and fst2vcd (gtkwave)";
  }
  for (const bool close : {true, false}) {
    record(*open_wave_file(folder_.file("x.fst")), close);
    const auto read = run_command("timeout 10 fst2vcd x.fst", folder_);
    ASSERT_EQ(read.status, 0) << read.err;
    const std::string values = read.out.substr(read.out.find("$enddefinitions"));
    for (const char* change : {"#0\n", "r1.5 #", "#20\n", "b10 \"", "1!"}) {
      EXPECT_NE(values.find(change), std::string::npos) << change << values;
    }
    EXPECT_NE(read.out.find("$var real 64 # watts"), std::string::npos) << read.out;
  }
}

// What is wider than a word, and values that are neither 0 nor 1.
TEST_F(WaveFileTest, BitsOfAnyWidthAreWrittenWhenTheyChange) {
  const std::string wide = "1" + std::string(98, '0') + "1";
  for (const std::string file : {"bits.vcd", "bits.fst"}) {
    if (file == "bits.fst" &&
        (!can_write_fst() || run_command("command -v fst2vcd", folder_).status != 0)) {
      GTEST_SKIP() << "needs the FST writer (verilator) and fst2vcd (gtkwave)";
    }
    const auto sink = open_wave_file(folder_.file(file));
    const auto vector = sink->add({"top", "vector", 100});
    const auto bit = sink->add({"top", "bit", 1});
    sink->time(0);
    sink->set_bits(vector, wide);
    sink->set_bits(bit, "x");
    sink->time(5);
    sink->set_bits(vector, wide);  // no change
    sink->set_bits(bit, "1");
    EXPECT_THROW(sink->set_bits(bit, "10"), base::InternalError);
    sink->close();
    const std::string text = file == "bits.vcd" ? read_file(folder_.file(file))
                                                : run_command("fst2vcd bits.fst", folder_).out;
    const testing_support::WaveDump dump(text);
    EXPECT_EQ(dump.width("top.vector"), 100u);
    EXPECT_EQ(dump.changes("top.vector").size(), 1u) << text;
    EXPECT_EQ(dump.bits("top.vector", 5), wide);
    EXPECT_EQ(dump.bits("top.bit", 4), "x");
    EXPECT_EQ(dump.bits("top.bit", 5), "1");
  }
}

// GTKWave counts the bits of a vector from its highest one.
TEST(SaveFileTest, APartOfAVectorNamesItsBits) {
  SaveFile save("x.vcd", 0, 100);
  save.part("west_color", "r.color", 25, 15, 5, true);
  EXPECT_NE(save.text().find("@24\n#{west_color[4:0]} (5)r.color[24:0] (6)r.color[24:0] "
                             "(7)r.color[24:0] (8)r.color[24:0] (9)r.color[24:0]\n"),
            std::string::npos)
      << save.text();
  save.part("north_valid", "r.valid", 5, 0, 1, true);
  EXPECT_NE(save.text().find("@28\n+{north_valid} (4)r.valid[4:0]\n"), std::string::npos)
      << save.text();
}

TEST_F(WaveFileTest, OtherEndingsAndFoldersThatAreNotThereAreRefused) {
  EXPECT_THROW(open_wave_file(folder_.file("x.vcd.gz")), base::ConfigError);
  EXPECT_THROW(open_wave_file(folder_.file("no/x.vcd")), base::ConfigError);
  if (can_write_fst()) {
    EXPECT_THROW(open_wave_file(folder_.file("no/x.fst")), base::ConfigError);
  }
}

}  // namespace
}  // namespace wse::report
