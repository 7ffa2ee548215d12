// SPDX-License-Identifier: Apache-2.0
// The benches that users copy: each runs, checks itself, is short and leaves waves that open.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "support/run_command.h"

namespace wse {
namespace {

using testing_support::read_file;
using testing_support::run_command;

class BenchesTest : public ::testing::TestWithParam<const char*> {
 protected:
  testing_support::CommandResult wse(const std::string& arguments) {
    return run_command(WSE_CLI + (" " + arguments), folder_);
  }
  testing_support::TemporaryFolder folder_;
};

/// Names of a VCD as GTKWave writes them: scopes, name and range.
std::set<std::string> signals_of(const std::string& vcd) {
  std::set<std::string> names;
  std::vector<std::string> scopes;
  std::istringstream lines(vcd.substr(0, vcd.find("$enddefinitions")));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word, kind, width, id, name, range;
    words >> word >> kind;
    if (word == "$scope" && words >> name) scopes.push_back(name);
    if (word == "$upscope") scopes.pop_back();
    if (word != "$var" || !(words >> width >> id >> name >> range)) continue;
    std::string full;
    for (const std::string& scope : scopes) full += scope + ".";
    names.insert(full + name + (range.front() == '[' ? range : ""));
  }
  return names;
}

TEST_P(BenchesTest, RunsAndLeavesWavesThatOpen) {
  const std::string name = GetParam();
  const auto run = wse("tb " + name + " --out waves");
  ASSERT_EQ(run.status, 0) << run.out << run.err;
  EXPECT_GE(std::count(run.out.begin(), run.out.end(), '\n'), 2);
  const std::string vcd = read_file(folder_.file("waves/" + name + ".vcd"));
  ASSERT_NE(vcd.find("$enddefinitions"), std::string::npos);
  EXPECT_NE(vcd.find("1 ps"), std::string::npos);
  const std::set<std::string> signals = signals_of(vcd);
  std::istringstream save(read_file(folder_.file("waves/" + name + ".gtkw")));
  std::size_t shown = 0;
  std::size_t titles = 0;
  for (std::string line; std::getline(save, line);) {
    if (line.size() > 1 && line.front() == '-') ++titles;
    if (std::string("[*@-").find(line.front()) != std::string::npos) continue;
    EXPECT_EQ(signals.count(line), 1u) << line;
    ++shown;
  }
  EXPECT_GE(titles, 1u);
  EXPECT_EQ(shown, signals.size());
}

TEST_P(BenchesTest, HasAShortSource) {
  const auto run = wse(std::string("tb ") + GetParam() + " --source");
  ASSERT_EQ(run.status, 0) << run.err;
  const std::string source = read_file(run.out.substr(0, run.out.find('\n')));
  ASSERT_NE(source.find("sc_main"), std::string::npos) << run.out;
  EXPECT_LT(std::count(source.begin(), source.end(), '\n'), 80);
}

TEST_P(BenchesTest, IsListed) {
  EXPECT_NE(wse("list benches").out.find(GetParam()), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(All, BenchesTest,
                         ::testing::Values("die", "kernel", "power", "router", "sram", "wafer"),
                         [](const auto& name) { return std::string(name.param); });

TEST(TbCommandTest, WritesUnderOutByDefault) {
  const testing_support::TemporaryFolder folder;
  EXPECT_EQ(run_command(WSE_CLI " tb sram", folder).status, 0);
  EXPECT_NE(read_file(folder.file("out/tb-sram/sram.vcd")), "");
}

TEST(TbCommandTest, RefusesWhatItDoesNotKnowOrFind) {
  const testing_support::TemporaryFolder folder;
  const auto unknown = run_command(WSE_CLI " tb ruter", folder);
  EXPECT_EQ(unknown.status, 2);
  EXPECT_NE(unknown.err.find("did you mean router?"), std::string::npos) << unknown.err;
  const auto missing = run_command("WSE_BENCHES=/nowhere " WSE_CLI " tb router", folder);
  EXPECT_EQ(missing.status, 2);
  EXPECT_NE(missing.err.find("--target wse_benches"), std::string::npos) << missing.err;
}

}  // namespace
}  // namespace wse
