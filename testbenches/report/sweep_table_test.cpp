// SPDX-License-Identifier: Apache-2.0
// The tables of a sweep hold what its runs measured, typed, and mark the Pareto-optimal runs.
#include "wse/report/sweep_table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "support/run_command.h"
#include "wse/report/page.h"
#include "wse/report/run_folder.h"

namespace wse::report {
namespace {

using json = nlohmann::ordered_json;

SweepRow row(const std::string& id, json lanes, double rate, double energy, json bound = "io") {
  return {id,   RunStatus::kDone, 0, "", "m", {std::move(lanes)}, {rate, energy, std::move(bound)},
          false};
}

class SweepTableTest : public ::testing::Test {
 protected:
  SweepTableTest() {
    table_.name = "test";
    table_.command = "wse sweep test";
    table_.axes = {"io.lanes"};
    table_.units = {"lanes"};
    table_.metrics = {"rate", "energy", "bound.by"};
    table_.objectives = {{"rate", true}, {"energy", false}};
    table_.rows = {row("a", 12, 100, 2), row("b", 24, 150, 3), row("c", 36, 90, 2.5),
                   row("d", 48, 150, 3)};
  }
  std::vector<std::string> pareto() {
    mark_pareto(table_);
    std::vector<std::string> ids;
    for (const SweepRow& r : table_.rows) {
      if (r.pareto) ids.push_back(r.id);
    }
    return ids;
  }
  /// Cells of every row of a query.
  std::vector<std::vector<std::string>> query(const std::string& file, const std::string& sql) {
    std::vector<std::vector<std::string>> rows;
    sqlite3* handle = nullptr;
    EXPECT_EQ(sqlite3_open(file.c_str(), &handle), SQLITE_OK);
    const auto add = [](void* out, int count, char** cells, char**) {
      std::vector<std::string> cells_of_row;
      for (int i = 0; i < count; ++i) cells_of_row.emplace_back(cells[i] ? cells[i] : "NULL");
      static_cast<decltype(rows)*>(out)->push_back(cells_of_row);
      return 0;
    };
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), add, &rows, &error), SQLITE_OK)
        << (error ? error : "");
    sqlite3_free(error);
    sqlite3_close(handle);
    return rows;
  }
  SweepTable table_;
  testing_support::TemporaryFolder folder_;
};

TEST_F(SweepTableTest, ParetoRunsLoseInNoObjectiveToAnother) {
  EXPECT_EQ(pareto(), (std::vector<std::string>{"a", "b", "d"}));  // equal runs both stand
  table_.rows.push_back(row("e", 60, 150, 2));
  EXPECT_EQ(pareto(), (std::vector<std::string>{"e"}));
  table_.objectives = {{"energy", true}};
  EXPECT_EQ(pareto(), (std::vector<std::string>{"b", "d"}));
}

TEST_F(SweepTableTest, ParetoNeedsNumbersAndStaysWithinAModel) {
  table_.rows.push_back(row("e", 60, 1, 100));
  table_.rows.back().model = "large";
  table_.rows.push_back(row("f", 72, 1e9, 0));
  table_.rows.back().status = RunStatus::kFailed;
  table_.rows.push_back(row("g", 84, 1e9, 0));
  table_.rows.back().results[1] = nullptr;
  EXPECT_EQ(pareto(), (std::vector<std::string>{"a", "b", "d", "e"}));
}

TEST_F(SweepTableTest, ParetoAgreesWithTheDefinitionOnManyRuns) {
  table_.rows.clear();
  std::uint32_t seed = 7;
  const auto next = [&seed] { return (seed = seed * 1664525 + 1013904223) >> 26; };
  for (int i = 0; i < 300; ++i) table_.rows.push_back(row(std::to_string(i), i, next(), next()));
  mark_pareto(table_);
  for (const SweepRow& r : table_.rows) {
    const double rate = r.results[0];
    const double energy = r.results[1];
    bool beaten = false;
    for (const SweepRow& o : table_.rows) {
      const double other_rate = o.results[0];
      const double other_energy = o.results[1];
      beaten = beaten || (other_rate >= rate && other_energy <= energy &&
                          (other_rate > rate || other_energy < energy));
    }
    EXPECT_NE(r.pareto, beaten) << r.id;
  }
}

TEST_F(SweepTableTest, CsvHasAColumnForEverythingAndQuotesWhatNeedsIt) {
  table_.rows.resize(1);
  table_.rows.push_back(
      {"x", RunStatus::kFailed, 2, "no \"room\", none", "m", {24}, std::vector<json>(3), false});
  mark_pareto(table_);
  EXPECT_EQ(sweep_csv(table_),
            "model,io.lanes,rate,energy,bound.by,status,exit_status,message,pareto,run\n"
            "m,12,100.0,2.0,io,done,0,,1,a\n"
            "m,24,,,,failed,2,\"no \"\"room\"\", none\",0,x\n");
}

TEST_F(SweepTableTest, TheDatabaseHasTypedColumnsAndAllParameters) {
  table_.rows[1].values[0] = 2.5;
  table_.rows[3].results = std::vector<json>(3);
  table_.rows[3].status = RunStatus::kMissing;
  const std::string file = folder_.file("sweep.sqlite");
  const auto parameters = [](std::size_t i) {
    return std::vector<std::pair<std::string, json>>{{"io.lanes", i}, {"name", "x'y"}};
  };
  for (int twice = 0; twice < 2; ++twice) write_sweep_sqlite(table_, parameters, file);
  EXPECT_EQ(query(file, "SELECT count(*), sum(rate), typeof(\"io.lanes\") FROM runs"),
            (std::vector<std::vector<std::string>>{{"4", "340.0", "real"}}));
  EXPECT_EQ(
      query(file, "SELECT run, \"bound.by\", status, report FROM runs WHERE rate IS NULL"),
      (std::vector<std::vector<std::string>>{{"d", "NULL", "missing", "runs/d/report.html"}}));
  EXPECT_EQ(query(file,
                  "SELECT runs.run, value, typeof(value) FROM runs JOIN parameters USING (run) "
                  "WHERE path = 'io.lanes' AND runs.run > 'b' ORDER BY 1"),
            (std::vector<std::vector<std::string>>{{"c", "2", "integer"}, {"d", "3", "integer"}}));
  EXPECT_EQ(query(file, "SELECT DISTINCT value FROM parameters WHERE path = 'name'")[0][0], "x'y");
}

TEST_F(SweepTableTest, ADatabaseThatCannotBeWrittenIsSaid) {
  const auto none = [](std::size_t) { return std::vector<std::pair<std::string, json>>{}; };
  EXPECT_THROW(write_sweep_sqlite(table_, none, folder_.file("none/sweep.sqlite")),
               std::runtime_error);
}

TEST_F(SweepTableTest, JsonIsWhatThePageReads) {
  table_.rows[2].status = RunStatus::kFailed;
  table_.rows[2].message = "</script>";
  table_.rows[2].results = std::vector<json>(3);
  mark_pareto(table_);
  const json data = sweep_json(table_);
  EXPECT_EQ(data["axes"], json({"io.lanes"}));
  EXPECT_EQ(data["units"]["io.lanes"], "lanes");
  EXPECT_EQ(data["objectives"][1], json({{"key", "energy"}, {"better", "lower"}}));
  EXPECT_EQ(data["runs"][1]["values"]["io.lanes"], 24);
  EXPECT_EQ(data["runs"][1]["results"]["rate"], 150.0);
  EXPECT_EQ(data["runs"][1]["report"], "runs/b/report.html");
  EXPECT_EQ(data["runs"][2]["results"], json::object());
  const std::string html = page("sweep.html", data);
  EXPECT_EQ(html.find("@DATA@"), std::string::npos);
  EXPECT_NE(html.find("<\\/script>\""), std::string::npos);
}

TEST_F(SweepTableTest, TheTextComparesWithTheFirstRunAndNamesTheBest) {
  table_.rows[2].status = RunStatus::kFailed;
  table_.rows[2].message = "no room";
  table_.rows[2].exit_status = 2;
  mark_pareto(table_);
  const std::string text = sweep_text(table_, 100);
  EXPECT_NE(text.find("  * 2        24     150 +50.0 %  3 +50.0 %        io\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("  run  io.lanes            rate     energy  bound.by\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("run 3 failed with status 2: no room\n"), std::string::npos) << text;
  EXPECT_NE(text.find("m has its highest rate with io.lanes = 24 lanes: 150 (+50.0 % to run 1).\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(sweep_text(table_, 30).find("bound.by"), std::string::npos);
  table_.rows = {row("a", 12, 100, 2), row("b", 24, 90, 1)};
  EXPECT_NE(sweep_text(table_, 100).find("100, and no run is better than the first.\n"),
            std::string::npos);
}

TEST(ResultKeysTest, AreKnownWithoutARun) {
  const std::vector<std::string> keys = result_keys();
  for (const char* key : {"tokens_per_second", "wafer_power_w.mean", "bound.by",
                          "time_ledger.multiply_add", "energy_by_kind_j.leakage", "copies"})
    EXPECT_NE(std::find(keys.begin(), keys.end(), key), keys.end()) << key;
}

}  // namespace
}  // namespace wse::report
