// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/run_command.h"

namespace wse {
namespace {

using testing_support::read_file;
using testing_support::run_command;

const std::string kReadme = WSE_SOURCE_DIR "/README.md";

/// Lines indented as code from the one that begins with `first`, without what differs from run to
/// run.
std::string stable_lines(const std::string& text, const std::string& first, std::size_t indent) {
  std::istringstream lines(text);
  std::string kept;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    line.erase(0, std::min(line.find_first_not_of(' '), indent));
    inside = inside ? line.rfind("  ", 0) == 0 : line.rfind(first, 0) == 0;
    if (inside && line.rfind("  simulated in", 0) != 0) kept += line + "\n";
  }
  return kept;
}

std::string with_commas(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

TEST(ReadmeTest, TheFirstResultIsWhatTheCommandPrints) {
  const testing_support::TemporaryFolder folder;
  const auto run = run_command(std::string(WSE_CLI) + " train gpt-neox-20b", folder);
  ASSERT_EQ(run.status, 0) << run.err;
  const std::string first = "gpt-neox-20b on cs2";
  EXPECT_EQ(stable_lines(read_file(kReadme), first, 4), stable_lines(run.out, first, 0));
}

/// Cells of every row of the tables with so many columns whose first cell is a model.
std::vector<std::vector<std::string>> rows_of(const std::string& heading) {
  std::vector<std::vector<std::string>> rows;
  const std::string readme = read_file(kReadme);
  const std::size_t begin = readme.find("\n## " + heading + "\n");
  std::istringstream lines(readme.substr(begin, readme.find("\n## ", begin + 1) - begin));
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("| `", 0) != 0) continue;
    std::vector<std::string> cells;
    std::istringstream row(line.substr(1));
    for (std::string cell; std::getline(row, cell, '|');) {
      cells.push_back(cell.substr(1, cell.size() - 2));
    }
    rows.push_back(cells);
  }
  return rows;
}

TEST(ReadmeTest, TheAccuracyTableIsWhatTheCommandsMeasure) {
  const auto rows = rows_of("How accurate");
  ASSERT_EQ(rows.size(), 10u);
  for (const auto& cells : rows) {
    const std::string model = cells[0].substr(1, cells[0].size() - 2);
    const testing_support::TemporaryFolder folder;
    const auto run = run_command(std::string(WSE_CLI) + " train " + model +
                                     " --json --wave none --set run.batch=" + cells[1] +
                                     " --set run.sequence=" + cells[2],
                                 folder);
    ASSERT_EQ(run.status, 0) << run.err;
    const double measured = nlohmann::json::parse(run.out).at("tokens_per_second");
    EXPECT_EQ(cells[4], with_commas(static_cast<std::uint64_t>(std::lround(measured)))) << model;
    std::string digits = cells[3];
    digits.erase(std::remove(digits.begin(), digits.end(), ','), digits.end());
    const double error = measured / std::stod(digits) - 1;
    EXPECT_EQ(cells[5], fmt::format("{:+.1f} %", error * 100)) << model;
    EXPECT_EQ(cells[6], std::abs(error) <= 0.15 ? "yes" : "no") << model;
  }
}

/// Rows of a section that name options of a command in their second cell.
TEST(ReadmeTest, TheTableOfTheFabricIsWhatTheCommandsMeasure) {
  std::istringstream lines(read_file(kReadme));
  int rows = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find("`--mesh ");
    if (line.rfind("| ", 0) != 0 || begin == std::string::npos) continue;
    ++rows;
    const std::size_t end = line.find('`', begin + 1);
    const std::string options = line.substr(begin + 1, end - begin - 1);
    const testing_support::TemporaryFolder folder;
    const auto run = run_command(std::string(WSE_CLI) + " noc --json " + options, folder);
    ASSERT_EQ(run.status, 0) << run.err;
    const std::uint64_t measured = nlohmann::json::parse(run.out).at("cycles");
    std::string cells = line.substr(end + 4);
    std::string digits = cells.substr(0, cells.find(" |"));
    digits.erase(std::remove(digits.begin(), digits.end(), ','), digits.end());
    const double error = static_cast<double>(measured) / std::stod(digits) - 1;
    EXPECT_NE(cells.find(fmt::format("| {} | {:+.1f} % |", with_commas(measured), error * 100)),
              std::string::npos)
        << line << "\n"
        << measured;
    const std::size_t tolerance = cells.rfind(" % |");
    EXPECT_LE(std::abs(error) * 100, std::stod(cells.substr(cells.rfind('|', tolerance) + 1)));
  }
  EXPECT_EQ(rows, 4);
}

/// A step of every model of the table, from the smallest to Switch-C, on the machine of its row.
TEST(ReadmeTest, TheTableOfModelsIsWhatTheCommandsMeasure) {
  const auto rows = rows_of("Models");
  ASSERT_EQ(rows.size(), 13u);
  for (const auto& cells : rows) {
    const std::string model = cells[0].substr(1, cells[0].size() - 2);
    const testing_support::TemporaryFolder folder;
    const auto run = run_command(
        std::string(WSE_CLI) + " train " + model + " --machine " + cells[1] + " --json --wave none",
        folder);
    ASSERT_EQ(run.status, 0) << run.err;
    const auto j = nlohmann::json::parse(run.out);
    EXPECT_EQ(cells[2], with_commas(j["parameters"])) << model;
    EXPECT_EQ(cells[3], with_commas(j["tokens_per_step"])) << model;
    EXPECT_EQ(cells[4], fmt::format("{:.3f}", j["step_seconds"].get<double>())) << model;
    EXPECT_EQ(
        cells[5],
        with_commas(static_cast<std::uint64_t>(std::lround(j["tokens_per_second"].get<double>()))))
        << model;
    EXPECT_EQ(cells[6], fmt::format("{:.3g}", j["energy_per_token_j"].get<double>())) << model;
    const std::string by = j["bound"]["by"];
    EXPECT_EQ(cells[7], fmt::format("{} {:.0f} %", by, 100 * j["bound"][by].get<double>()))
        << model;
  }
}

TEST(ReadmeTest, TheWorkedExampleIsWhatTheSweepPrints) {
  const testing_support::TemporaryFolder folder;
  const auto run = run_command(std::string(WSE_CLI) + " sweep more-sram-more-lanes", folder);
  ASSERT_EQ(run.status, 0) << run.err;
  const std::string readme = read_file(kReadme);
  std::istringstream lines(run.out);
  std::string line;
  std::getline(lines, line);  // how many runs were found complete
  for (int n = 0; std::getline(lines, line) && line.rfind("results in", 0) != 0; ++n) {
    EXPECT_NE(readme.find("    " + line + "\n"), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace wse
