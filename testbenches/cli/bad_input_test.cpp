// SPDX-License-Identifier: Apache-2.0
// Each bad input: exit 2, a message that names place and rule, nothing on standard output, earlier
// results whole.
#include <gtest/gtest.h>

#include "support/run_command.h"

namespace wse {
namespace {

using testing_support::CommandResult;
using testing_support::run_command;
using testing_support::TemporaryFolder;

class BadInputTest : public ::testing::Test {
 protected:
  CommandResult wse(const std::string& arguments) {
    return run_command(std::string(WSE_CLI) + " " + arguments, folder_);
  }
  void refuses(const std::string& arguments, const std::string& message) {
    const CommandResult r = wse(arguments);
    EXPECT_EQ(r.status, 2) << arguments << "\n" << r.err;
    EXPECT_NE(r.err.find(message), std::string::npos) << arguments << "\n" << r.err;
    EXPECT_EQ(r.out, "") << arguments;
  }
  TemporaryFolder folder_;
};

TEST_F(BadInputTest, Usage) {
  refuses("", "usage: wse COMMAND");
  refuses("trian x", "did you mean train?");
  refuses("train", "required");
  refuses("train tiny-gpt --frobnicate", "frobnicate");
  refuses("train tiny-gpt --steps 0", "--steps = 0");
  refuses("train tiny-gpt --steps x", "steps");
  refuses("train tiny-gpt --fidelity exact", "must be transaction or cycle");
  refuses("list", "machines, models, kernels, parameters");
  refuses("explain io.lane", "did you mean io.lanes?");
}

TEST_F(BadInputTest, Models) {
  refuses("train gpt-neox-20", "did you mean gpt-neox-20b?");
  refuses("train " + folder_.write("empty.json", ""), "is empty");
  refuses("train " + folder_.path(), "is a folder");
  refuses("train " + folder_.write("cut.json", R"({"model_type":"gpt2","n_la)"),
          "is not valid JSON");
  refuses("train " + folder_.write("zero.json",
                                   R"({"model_type":"gpt2","n_layer":-1,"n_embd":"64","n_head":4.5,
                                       "n_positions":0,"vocab_size":9})"),
          "n_positions = 0: must be a positive whole number");
  refuses(
      "train " +
          folder_.write(
              "heads.json",
              R"({"model_type":"gpt2","n_layer":1,"n_embd":64,"n_head":5,"n_positions":8,"vocab_size":9})"),
      "must divide the width (64)");
}

TEST_F(BadInputTest, Machines) {
  refuses("train tiny-gpt --machine cs3", "is neither a preset nor a file");
  refuses("train tiny-gpt --machine " + folder_.write("a.yaml", "io:\n  lanes: 0\n"),
          "io.lanes = 0: must be 1 .. 1024");
  refuses(
      "train tiny-gpt --machine " + folder_.write("twice.yaml", "io:\n  lanes: 4\n  lanes: 5\n"),
      "twice.yaml:3: io.lanes: is given twice, first in line 2");
  refuses("train tiny-gpt --machine " + folder_.write("binary.yaml", std::string("a\0b", 3)),
          "is binary");
  refuses("train tiny-gpt --machine " + folder_.write("b.yaml", "io: [\n"), "b.yaml:");
  refuses("train tiny-gpt --machine " + folder_.path(), "is a folder");
  refuses("train tiny-gpt --machine tiny --set wafer.user.columns=0", "wafer.user.columns = 0");
  refuses("train tiny-gpt --machine tiny --set wafer.dies.columns=39",
          "must not exceed wafer.fabric.columns");
  refuses("train tiny-gpt --set io.lane.efficiency=nan", "io.lane.efficiency = nan");
  refuses("train tiny-gpt --set clock.core_hz=1e99", "is too large");
  refuses("train tiny-gpt --machine tiny --set run.copies=37",
          "run.copies = 37: must be at most wafer.user.columns, 36");
  refuses("train tiny-gpt --set nonsense", "must be PATH=VALUE");
  refuses("train tiny-gpt --set run.batch=-1", "run.batch = -1: must not be negative");
  refuses("train tiny-gpt --set power.energy_table=/nowhere.csv", "power.energy_table");
}

TEST_F(BadInputTest, AllViolationsComeInOneRun) {
  const CommandResult r =
      wse("train tiny-gpt --set io.lanes=0 --set run.precision=fp8 --set tile.sram.size_bytes=7");
  EXPECT_EQ(r.status, 2);
  for (const char* path : {"io.lanes", "run.precision", "tile.sram.size_bytes"}) {
    EXPECT_NE(r.err.find(path), std::string::npos) << path;
  }
}

TEST_F(BadInputTest, AnOutputFolderThatCannotBeMade) {
  folder_.write("file", "x");
  refuses("train tiny-gpt --machine tiny --out file/out", "cannot be made");
  refuses("train tiny-gpt --machine tiny --out /proc/out", "--out");
}

TEST_F(BadInputTest, AnInterruptLeavesTheEarlierResultsWhole) {
  ASSERT_EQ(wse("train tiny-gpt --machine tiny --out out --quiet").status, 0);
  const std::string before = testing_support::read_file(folder_.file("out/stats.json"));
  const CommandResult r =
      wse("train gpt-neox-20b --set run.batch=4096 --out out & sleep 0.7; kill -INT $!; wait $!");
  EXPECT_EQ(r.status, 130) << r.err;
  EXPECT_EQ(testing_support::read_file(folder_.file("out/stats.json")), before);
}

}  // namespace
}  // namespace wse
