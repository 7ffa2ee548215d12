// SPDX-License-Identifier: Apache-2.0
// `wse kernel` and `wse validate` as a user calls them.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "support/run_command.h"

namespace wse {
namespace {

using json = nlohmann::json;
using testing_support::CommandResult;
using testing_support::read_file;
using testing_support::run_command;

class KernelCommandTest : public ::testing::Test {
 protected:
  CommandResult wse(const std::string& arguments) {
    return run_command(WSE_CLI + (" " + arguments), folder_);
  }
  json stats(const std::string& arguments) {
    const CommandResult r = wse("kernel " + arguments + " --json");
    EXPECT_EQ(r.status, 0) << r.err;
    return json::parse(r.out);
  }
  void refuses(const std::string& arguments, const std::string& message) {
    const CommandResult r = wse("kernel " + arguments);
    EXPECT_EQ(r.status, 2) << arguments;
    EXPECT_EQ(r.out, "");
    EXPECT_NE(r.err.find(message), std::string::npos) << r.err;
  }
  testing_support::TemporaryFolder folder_;
};

TEST_F(KernelCommandTest, HasTheKeysOfTheContract) {
  const json s = stats("reduce --mesh 4x1 --words 1");
  EXPECT_EQ(s["cycles"], 19);  // B + 6 (P - 1)
  EXPECT_EQ(s["predicted_cycles"], 19);
  EXPECT_EQ(s["wavelet_hops"], 3);
  EXPECT_EQ(s["flops"], 3);
  EXPECT_EQ(s["algorithm"], "chain");
  EXPECT_EQ(s["mesh"], json({4, 1}));
  EXPECT_LT(s["max_rel_error"], 1e-6);
  for (const char* key :
       {"kernel", "words", "dtype", "busy_fraction", "max_abs_error", "host_cpu_seconds",
        "hops_per_cpu_second", "max_rss_bytes", "result_hash"}) {
    EXPECT_TRUE(s.contains(key)) << key;
  }
  EXPECT_EQ(json::parse(read_file(folder_.file("out/reduce/stats.json"))), s);
}

TEST_F(KernelCommandTest, ResultsDependOnNothingButTheInput) {
  const std::string run = "allreduce --algorithm centre --mesh 9x7 --words 5 --dtype mixed";
  const json one = stats(run);
  EXPECT_EQ(stats(run + " --threads 3")["result_hash"], one["result_hash"]);
  EXPECT_EQ(stats(run + " --wave a.vcd --timeline t.json")["result_hash"], one["result_hash"]);
  EXPECT_NE(stats(run + " --seed 2")["result_hash"], one["result_hash"]);
}

TEST_F(KernelCommandTest, TheMachineChangesTheCycles) {
  EXPECT_EQ(stats("reduce --mesh 8x1 --words 1 --set fabric.hop_latency_cycles=2")["cycles"],
            1 + 7 * 7);
  EXPECT_EQ(stats("reduce --mesh 8x1 --words 1 --set fabric.ramp_latency_cycles=3")["cycles"],
            1 + 8 * 7);
}

/// Counters are not aligned; the broadcast that aligns them reaches its root five cycles before what
/// the measurement takes for granted, so a kernel whose root starts first looks that much shorter.
TEST_F(KernelCommandTest, AMeasurementIsAFewCyclesOff) {
  const json reduce = stats("reduce --mesh 9x7 --words 4 --measured");
  EXPECT_LT(reduce["max_rel_error"], 1e-6);
  EXPECT_EQ(reduce["measured_cycles"], reduce["cycles"]);
  const int plain = stats("reduce --mesh 9x7 --words 4")["cycles"];
  EXPECT_GE(reduce["cycles"], plain);
  EXPECT_LE(reduce["cycles"], plain + 10);
  const json broadcast = stats("broadcast --mesh 6x5 --words 4 --measured");
  EXPECT_EQ(broadcast["measured_cycles"].get<int>(), broadcast["cycles"].get<int>() - 5);
  refuses("allreduce --algorithm ring --mesh 8x1 --measured", "cannot be for an allreduce by ring");
}

TEST_F(KernelCommandTest, TheTimelineShowsWhatTilesDo) {
  stats("reduce --mesh 3x1 --words 4 --timeline t.json --wave-tiles 1..2,0..0");
  const json events = json::parse(read_file(folder_.file("out/reduce/t.json")))["traceEvents"];
  std::map<std::string, std::pair<int, int>> spans;  // of tile (1,0), by name
  for (const json& e : events) {
    if (e["pid"] != 1) continue;
    if (e["ph"] == "B") spans[e["name"]].first = e["ts"];
    if (e["ph"] == "E") spans[e["name"]].second = e["ts"];
  }
  // Issued in 3, done with the last of four words, of which the first comes six cycles later.
  EXPECT_EQ(spans["0: add fp32"], std::pair(3, 9 + 4));
  EXPECT_EQ(spans["reduce chain"], std::pair(0, 14));
}

TEST_F(KernelCommandTest, WavesShowTasksAboveLinks) {
  stats("reduce --mesh 3x1 --words 4 --wave a.vcd");
  const std::string vcd = read_file(folder_.file("out/reduce/a.vcd"));
  for (const char* name : {"tile_1_0", "main", "task", "router_2_0", "west_valid"}) {
    EXPECT_NE(vcd.find(name), std::string::npos) << name;
  }
}

TEST_F(KernelCommandTest, BadInputIsRefusedWithItsRule) {
  refuses("", "NAME: must name a kernel");
  refuses("redu", "did you mean reduce?");
  refuses("reduce --algorithm stra", "did you mean star?");
  refuses("send --algorithm ring", "send has only one");
  refuses("reduce --mesh 0x3", "--mesh = 0x3: must be WxH, 1 .. 4096 columns and rows");
  refuses("reduce --words 0", "--words = 0: must be 1 .. 1000000");
  refuses("reduce --dtype fp8", "--dtype = fp8: must be fp32, mixed or fp16");
  refuses("reduce --group 3", "--group = 3: must be 1 .. 4096, of a reduce by two-phase");
  refuses("allreduce --algorithm ring --mesh 3x3", "must have one row");
  refuses("reduce --nz 5", "--nz = 5: is no option of reduce");
  refuses("gemm --density 0", "--density = 0: must be above 0 and at most 1");
  refuses("gemm --density 1.5 --m x", "--m = x: must be 1 .. 1048576");
  refuses("gemm --measured", "--measured = given: is for collectives only");
  refuses("stencil25 --mesh 4x9", "must have five columns and rows");
  refuses("stencil25 --dtype fp16", "--dtype = fp16: must be fp32");
  refuses("stencil25 --nz 5000", "bytes of data");
  refuses("attention --mesh 4x2 --m 128 --n 256 --heads 2", "what fits: --m 48, or --n 80");
  refuses("gemm --m 2000 --k 2000 --n 2000", "what fits: --m 304 --k 304 --n 304");
  refuses("attention --heads 3 --n 66", "--heads = 3: must divide the columns of the mesh");
  refuses("embedding --vocabulary 50257", "a tile of the first row holds 1496");
  refuses("gather --mesh 100x100 --words 64", "needs 2560000 bytes of data");
  refuses("reduce --set fabric.ramp_latency_cycles=9", "makes an input queue of depth 6 longer");
  refuses("reduce --wave-from 3", "describes waves, of which --wave FILE is to be given");
}

/// The rows of the page that do not take minutes are what they were when it was written.
TEST_F(KernelCommandTest, ThePageOfValidationSaysWhatARunShows) {
  const CommandResult r = wse("validate --out page.md");
  ASSERT_EQ(r.status, 0) << r.err;
  const std::string written = read_file(WSE_SOURCE_DIR "/docs/validation.md");
  std::istringstream page(read_file(folder_.file("page.md")));
  std::size_t rows = 0;
  for (std::string line; std::getline(page, line);) {
    if (line.rfind("| ", 0) != 0 || line.rfind("| id", 0) == 0) continue;
    EXPECT_NE(written.find(line), std::string::npos) << line;
    ++rows;
  }
  EXPECT_GT(rows, 35u);
  EXPECT_EQ(written.find("the cause is not known"), std::string::npos);
}

TEST_F(KernelCommandTest, ARowThatMissesIsShownAsMissing) {
  folder_.write(
      "rows.csv",
      "id,kernel,quantity,published,tolerance_percent,tolerance,basis,source,duration,cause\n"
      "X,send --mesh 2x1 --words 1,cycles,8,5,0,none,none,short,it has one hop less\n"
      "Y,send --mesh 2x1 --words 1,cycles,8,5,1,none,none,short,\n"
      "Z,send --mesh 2x1 --words 1,busy percent,99,0,1,none,none,short,\n");
  const CommandResult r = wse("validate --rows rows.csv --out page.md");
  EXPECT_EQ(r.status, 0);
  EXPECT_NE(r.out.find("misses"), std::string::npos);
  const std::string page = read_file(folder_.file("page.md"));
  EXPECT_NE(page.find("| 7 | 8 | -12.50 % | 5 % | **misses** |"), std::string::npos) << page;
  EXPECT_NE(page.find("| 7 | 8 | -12.50 % | 5 % or 1 cycles | holds |"), std::string::npos) << page;
  EXPECT_NE(page.find("* X misses: it has one hop less."), std::string::npos) << page;
  EXPECT_NE(page.find("* Z misses: the cause is not known."), std::string::npos) << page;
  folder_.write("rows.csv", "id\nX,send\n");
  EXPECT_EQ(wse("validate --rows rows.csv").status, 2);
}

}  // namespace
}  // namespace wse
