// SPDX-License-Identifier: Apache-2.0
// The page of a run in a browser: what it shows is what stats.json holds.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "support/run_command.h"

namespace wse {
namespace {

using nlohmann::json;
using testing_support::CommandResult;
using testing_support::read_file;
using testing_support::run_command;

/// Elements of a page that carry the attribute, and what they carry.
using Elements = std::vector<std::pair<std::string, std::string>>;
Elements elements(const std::string& dom, const std::string& attribute) {
  Elements all;
  const std::regex tag("<[a-z]+[^>]* " + attribute + "=\"([^\"]*)\"[^>]*>");
  const std::regex value(" data-value=\"([^\"]*)\"");
  for (std::sregex_iterator it(dom.begin(), dom.end(), tag), end; it != end; ++it) {
    const std::string text = it->str();
    std::smatch found;
    all.emplace_back((*it)[1], std::regex_search(text, found, value) ? found[1].str() : "");
  }
  return all;
}

class ReportPageTest : public ::testing::Test {
 protected:
  CommandResult wse(const std::string& arguments) {
    return run_command(std::string(WSE_CLI) + " " + arguments, folder_);
  }
  bool browser() { return testing_support::has_browser(folder_); }
  /// What the page is once its scripts have run; whatever the console says is an error.
  std::string dom(const std::string& page) {
    const CommandResult r = testing_support::open_page(page, folder_);
    EXPECT_EQ(r.status, 0);
    EXPECT_EQ(r.err.find("CONSOLE"), std::string::npos) << r.err;
    return r.out;
  }
  testing_support::TemporaryFolder folder_;
};

void expect_equal(const json& stat, const std::string& shown, const std::string& name) {
  if (stat.is_number()) {
    EXPECT_NEAR(std::stod(shown), stat.get<double>(), 1e-12 * std::abs(stat.get<double>())) << name;
  } else {
    EXPECT_EQ(shown, stat.is_string() ? stat.get<std::string>() : stat.dump()) << name;
  }
}

TEST_F(ReportPageTest, ShowsTheValuesOfTheStatisticsAndEveryDie) {
  if (!browser()) GTEST_SKIP() << "needs chromium, which .ci/run installs";
  ASSERT_EQ(wse("train gpt-3-xl --out out --timeline 3..4").status, 0);
  const json stats = json::parse(read_file(folder_.file("out/stats.json")));
  const json samples = json::parse(read_file(folder_.file("out/samples.json")));
  EXPECT_LT(read_file(folder_.file("out/report.html")).size(), 5'000'000u);
  const std::string page = dom("out/report.html");
  const Elements shown = elements(page, "data-stat");
  EXPECT_GT(shown.size(), 25u);
  std::set<std::string> names;
  for (const auto& [path, value] : shown) {
    json::json_pointer pointer;
    std::istringstream keys(path);
    for (std::string key; std::getline(keys, key, '.');) pointer /= key;
    ASSERT_TRUE(stats.contains(pointer)) << path;
    expect_equal(stats.at(pointer), value, path);
    names.insert(path);
  }
  for (const char* name : {"step_seconds", "tokens_per_second", "utilization", "energy_per_token_j",
                           "wafer_power_w.mean", "temperature_c.mean", "fidelity", "result_hash"}) {
    EXPECT_EQ(names.count(name), 1u) << name;
  }
  for (const auto& [cause, value] : elements(page, "data-cause")) {
    expect_equal(stats.at("time_ledger").at(cause), value, cause);
  }
  const Elements energies = elements(page, "data-energy-cause");
  EXPECT_GT(energies.size(), 10u);
  for (const auto& [cause, value] : energies) {
    expect_equal(stats.at("energy_ledger").at(cause), value, cause);
  }
  const Elements dies = elements(page, "data-die");
  ASSERT_EQ(dies.size(), 5u * 84);
  for (std::size_t i = 0; i < dies.size(); ++i) {
    EXPECT_EQ(dies[i].first, std::to_string(i % 84));
    expect_equal(samples.at("maps")[i / 84].at("mean")[i % 84], dies[i].second, "die");
  }
  EXPECT_EQ(elements(page, "data-map").size(), 5u);
  EXPECT_EQ(elements(page, "data-layer").size(), 24u + 1);
  EXPECT_EQ(page.find("http://"), page.find("http://www.w3.org"));  // nothing comes from elsewhere
}

TEST_F(ReportPageTest, IsMadeAnewFromTheFilesOfTheRun) {
  ASSERT_EQ(wse("train tiny-gpt --machine tiny --out out --timeline 0..1").status, 0);
  const std::string before = read_file(folder_.file("out/report.html"));
  ASSERT_EQ(run_command("rm out/report.html", folder_).status, 0);
  const CommandResult again = wse("report out");
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.out, "out/report.html\n");
  EXPECT_TRUE(read_file(folder_.file("out/report.html")) == before);
}

TEST_F(ReportPageTest, OfARunThatLacksFilesSaysWhichOnes) {
  ASSERT_EQ(wse("train tiny-gpt --machine tiny --out out").status, 0);
  ASSERT_EQ(run_command("rm out/samples.json; echo '{' > out/config.json", folder_).status, 0);
  const CommandResult damaged = wse("report out");
  EXPECT_EQ(damaged.status, 2);
  EXPECT_NE(damaged.err.find("config.json"), std::string::npos) << damaged.err;
  ASSERT_EQ(run_command("rm out/config.json", folder_).status, 0);
  ASSERT_EQ(wse("report out").status, 0);
  const std::string page = read_file(folder_.file("out/report.html"));
  EXPECT_NE(page.find("samples.json is missing; config.json is missing"), std::string::npos);
  if (browser()) {
    EXPECT_NE(dom("out/report.html").find("did not complete"), std::string::npos);
  }
}

TEST_F(ReportPageTest, FoldersThatHoldNoRunAreRefused) {
  const auto refuses = [this](const std::string& folder, const std::string& message) {
    const CommandResult r = wse("report " + folder);
    EXPECT_EQ(r.status, 2) << folder;
    EXPECT_NE(r.err.find(message), std::string::npos) << r.err;
    EXPECT_EQ(r.out, "");
  };
  refuses("nowhere", "nowhere");
  refuses(folder_.path(), "stats.json");
  folder_.write("stats.json", "{\"result_hash\": ");
  refuses(folder_.path(), "stats.json");
  folder_.write("stats.json", "{\"result_hash\": \"x\"}");
  refuses(folder_.path(), "damaged stats.json: no model");
  refuses("", "required");
}

}  // namespace
}  // namespace wse
