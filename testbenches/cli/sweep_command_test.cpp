// SPDX-License-Identifier: Apache-2.0
// wse sweep: tables, resumption, damage, two sweeps at once, signals, failures, refusals.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "support/run_command.h"

namespace wse {
namespace {

namespace fs = std::filesystem;
using testing_support::CommandResult;
using testing_support::read_file;
using testing_support::run_command;

const std::string kWse = WSE_CLI;

class SweepCommandTest : public ::testing::Test {
 protected:
  CommandResult sweep(const std::string& more = "") {
    return run_command(kWse + " sweep s.yaml " + more, folder_);
  }
  /// A sweep file s.yaml of tiny-gpt on tiny.
  void file(const std::string& text) {
    folder_.write("s.yaml", "model: tiny-gpt\nmachine: tiny\n" + text);
  }
  /// Six runs of about a quarter of a second.
  void slow_file() {
    file("steps: 300\ngrid: {io.lanes: [1, 2, 3], fabric.hop_latency_cycles: [1, 2]}\n");
  }
  std::string runs() const { return folder_.file("out/sweep-s/runs/"); }
  /// Complete runs and when their statistics were written.
  std::map<std::string, fs::file_time_type> complete() const {
    std::map<std::string, fs::file_time_type> all;
    if (!fs::exists(runs())) return all;
    for (const auto& entry : fs::directory_iterator(runs())) {
      const std::string name = entry.path().filename();
      if (name.size() == 16) all[name] = fs::last_write_time(entry.path() / "stats.json");
    }
    return all;
  }
  std::size_t unfinished() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(runs()))
      count += entry.path().extension() == ".part" ? 1 : 0;
    return count;
  }
  nlohmann::json table(const CommandResult& result) const {
    EXPECT_EQ(result.status, 0) << result.err;
    return nlohmann::json::parse(result.out);
  }
  /// Shell code that waits until so many runs are complete or the sweep, process $P, has ended.
  std::string until(int count) const {
    return "until [ $(ls out/sweep-s/runs 2>/dev/null | grep -cx '[0-9a-f]\\{16\\}') -ge " +
           std::to_string(count) + " ]; do kill -0 $P || break; done; ";
  }
  testing_support::TemporaryFolder folder_;
};

TEST_F(SweepCommandTest, WritesTablesThatAgreeWithTheRunsAndTakesOverWhatIsThere) {
  file("grid: {io.lanes: [4, 2], tile.sram.size_bytes: [49152, 98304]}\n");
  const CommandResult first = sweep();
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(first.err, "");
  EXPECT_NE(first.out.find("s: 4 runs, 0 of them found complete\n"), std::string::npos);
  EXPECT_NE(first.out.find("tiny-gpt has its highest tokens_per_second with"), std::string::npos);
  const auto before = complete();
  EXPECT_EQ(before.size(), 4u);
  const auto json = table(sweep("--json"));
  EXPECT_EQ(complete(), before);
  std::size_t pareto = 0;
  for (const auto& run : json["runs"]) {
    const auto stats =
        nlohmann::json::parse(read_file(runs() + std::string(run["id"]) + "/stats.json"));
    EXPECT_EQ(run["results"]["tokens_per_second"], stats["tokens_per_second"]);
    EXPECT_EQ(run["results"]["bound.by"], stats["bound"]["by"]);
    EXPECT_EQ(run["status"], "done");
    EXPECT_TRUE(fs::exists(folder_.file("out/sweep-s/" + std::string(run["report"]))));
    pareto += run["pareto"].get<bool>() ? 1 : 0;
  }
  EXPECT_GT(pareto, 0u);
  EXPECT_EQ(json["runs"][1]["values"]["tile.sram.size_bytes"], 98304);
  EXPECT_EQ(json["units"]["io.lanes"], "lanes");
  const std::string csv = read_file(folder_.file("out/sweep-s/sweep.csv"));
  EXPECT_EQ(
      csv.rfind("model,io.lanes,tile.sram.size_bytes,tokens_per_second,energy_per_token_j,", 0), 0u)
      << csv;
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 5);
  const std::string html = read_file(folder_.file("out/sweep-s/index.html"));
  EXPECT_NE(html.find(before.begin()->first), std::string::npos);
  EXPECT_GT(fs::file_size(folder_.file("out/sweep-s/sweep.sqlite")), 0u);
}

TEST_F(SweepCommandTest, ARunIsWhatTrainMakesAndNamesItsFolder) {
  file("steps: 2\ncold_start: true\nset: {run.batch: 2}\ngrid: {io.lanes: [3]}\n");
  const auto json = table(sweep("--json"));
  const std::string id = json["runs"][0]["id"];
  const std::string run = runs() + id;
  ASSERT_EQ(run_command(kWse + " train tiny-gpt --machine tiny --set run.batch=2 --set io.lanes=3 "
                               "--steps 2 --cold-start --quiet --out t",
                        folder_)
                .status,
            0);
  const auto hash = [](const std::string& file) {
    return nlohmann::json::parse(read_file(file))["result_hash"];
  };
  EXPECT_EQ(hash(run + "/stats.json"), hash(folder_.file("t/stats.json")));
  EXPECT_NE(read_file(run + "/config.json").find("out/sweep-s/runs/" + id), std::string::npos);
  for (const char* name : {"/config.json", "/report.html"})
    EXPECT_EQ(read_file(run + name).find(".part"), std::string::npos) << name;
}

TEST_F(SweepCommandTest, ASweepThatWasKilledGoesOnWithoutRepeatingFinishedRuns) {
  slow_file();
  const std::string killed = kWse + " sweep s.yaml --jobs 1 & P=$!; " + until(2) +
                             "kill -9 $P; wait $P; ls out/sweep-s/runs";
  const CommandResult first = run_command(killed, folder_);
  const auto before = complete();
  ASSERT_GE(before.size(), 2u);
  ASSERT_LT(before.size(), 6u) << first.out;
  const CommandResult second = sweep();
  EXPECT_EQ(second.status, 0) << second.err;
  const auto after = complete();
  EXPECT_EQ(after.size(), 6u);
  for (const auto& [id, time] : before) EXPECT_EQ(after.at(id), time) << id;
  EXPECT_EQ(unfinished(), 0u);
}

TEST_F(SweepCommandTest, AnInterruptEndsTheChildrenAndKeepsWhatIsDone) {
  slow_file();
  for (const char* signal : {"INT", "TERM"}) {
    fs::remove_all(folder_.file("out"));
    const CommandResult r =
        run_command(kWse + " sweep s.yaml --jobs 2 & P=$!; " + until(1) + "kill -" + signal +
                        " $P; wait $P; S=$?; for l in out/sweep-s/runs/*.lock; do "
                        "flock -n $l true || echo $l; done; exit $S",
                    folder_);
    EXPECT_EQ(r.status, 130) << r.err;
    EXPECT_EQ(r.out, "") << "a child still holds its lock";
    EXPECT_GE(complete().size(), 1u);
    EXPECT_LT(complete().size(), 6u);
    EXPECT_EQ(unfinished(), 0u);
    EXPECT_NE(read_file(folder_.file("out/sweep-s/sweep.csv")).find(",missing,"),
              std::string::npos);
  }
}

TEST_F(SweepCommandTest, DamagedRunsAreMadeAgainAndSaid) {
  file("grid: {io.lanes: [1, 2, 3, 4]}\n");
  ASSERT_EQ(sweep().status, 0);
  const auto before = complete();
  auto it = before.begin();
  const std::string cut = it->first;
  const std::string stats = read_file(runs() + cut + "/stats.json");
  folder_.write("out/sweep-s/runs/" + cut + "/stats.json", stats.substr(0, stats.size() / 2));
  const std::string other = (++it)->first;
  folder_.write("out/sweep-s/runs/" + other + "/config.json", "{}");
  const std::string intact = (++it)->first;
  const std::string part = (++it)->first;
  fs::rename(runs() + part, runs() + part + ".part");
  const CommandResult r = sweep();
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_NE(r.err.find("run " + cut + " is damaged ("), std::string::npos) << r.err;
  EXPECT_NE(r.err.find("run " + other + " is damaged (config.json has another "), std::string::npos)
      << r.err;
  EXPECT_NE(r.err.find("run " + part + " was left unfinished"), std::string::npos) << r.err;
  EXPECT_EQ(r.err.find(intact), std::string::npos);
  EXPECT_NE(r.out.find("4 runs, 1 of them found complete"), std::string::npos) << r.out;
  EXPECT_EQ(complete().at(intact), before.at(intact));
  EXPECT_EQ(nlohmann::json::parse(read_file(runs() + cut + "/stats.json"))["result_hash"],
            nlohmann::json::parse(stats)["result_hash"]);
}

TEST_F(SweepCommandTest, TwoSweepsAtOnceMakeEveryRunOnce) {
  slow_file();
  const CommandResult both = run_command(
      kWse + " sweep s.yaml >one & P=$!; " + kWse + " sweep s.yaml >two; S=$?; wait $P && exit $S",
      folder_);
  EXPECT_EQ(both.status, 0) << both.err;
  int found = 0;
  for (const char* name : {"one", "two"}) {
    const std::string text = read_file(folder_.file(name));
    const std::size_t at = text.find("6 runs, ");
    ASSERT_NE(at, std::string::npos) << text;
    found += std::stoi(text.substr(at + 8));
  }
  EXPECT_EQ(found, 6);
  EXPECT_EQ(complete().size(), 6u);
}

TEST_F(SweepCommandTest, AFailedRunIsRecordedAndTheOthersGoOn) {
  file("grid: {tile.sram.size_bytes: [49152, 64]}\n");
  const CommandResult r = sweep();
  EXPECT_EQ(r.status, 1) << r.err;
  EXPECT_NE(r.out.find("run 2 failed with status 2: "), std::string::npos) << r.out;
  const std::string csv = read_file(folder_.file("out/sweep-s/sweep.csv"));
  EXPECT_NE(csv.find("tiny-gpt,64,,,,,,,,,failed,2,\"run.sequence = 64: needs "), std::string::npos)
      << csv;
  EXPECT_EQ(complete().size(), 1u);
  EXPECT_EQ(unfinished(), 0u);
  const CommandResult json = sweep("--json");
  EXPECT_EQ(json.status, 1);
  EXPECT_NE(nlohmann::json::parse(json.out)["runs"][1]["message"], "");
}

TEST_F(SweepCommandTest, WhatIsWrongIsRefusedBeforeAnythingRuns) {
  const auto refuses = [this](const std::string& text, const std::string& message) {
    file(text);
    const CommandResult r = sweep();
    EXPECT_EQ(r.status, 2) << text;
    EXPECT_EQ(r.out, "");
    EXPECT_NE(r.err.find(message), std::string::npos) << text << "\n" << r.err;
    EXPECT_FALSE(fs::exists(folder_.file("out")));
  };
  refuses("grid: {io.lane: [1]}\n",
          "s.yaml:3: io.lane: is not a parameter; did you mean io.lanes?");
  refuses("grid: {io.lanes: [4, 0]}\n", "s.yaml:3: io.lanes = 0: must be 1 .. 1024");
  refuses("run: nothing\ngrid: {io.lanes: [4]}\n",
          "s.yaml:3: run = nothing: is neither a preset nor a file");
  refuses("set: {power.energy_table: none.csv}\ngrid: {io.lanes: [4]}\n", "power.energy_table");
  refuses("grid: {io.lanes: [4]}\nmetrics: [tokens]\n", "metrics = tokens: is no result of a run");
  folder_.write("s.yaml",
                "model: [tiny-gtp, tiny-gpt]\nmachine: tinny\ngrid: {io.lanes: [4, x]}\n");
  const CommandResult all = sweep();
  for (const char* place :
       {"s.yaml:1: model = tiny-gtp", "s.yaml:2: machine = tinny", "s.yaml:3: io.lanes = x"})
    EXPECT_NE(all.err.find(place), std::string::npos) << all.err;
  const CommandResult unknown = run_command(kWse + " sweep more-sram-more-lane", folder_);
  EXPECT_EQ(unknown.status, 2);
  EXPECT_NE(unknown.err.find("did you mean more-sram-more-lanes?"), std::string::npos);
}

TEST_F(SweepCommandTest, AMillionPointsAreRefusedAtOnceWithTheirCount) {
  file(
      "grid:\n  run.seed: {from: 1, to: 1000, step: 1}\n  wafer.defects.seed: {from: 1, to: 1000, "
      "points: 1000}\n");
  const auto begin = std::chrono::steady_clock::now();
  const CommandResult r = sweep();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  EXPECT_EQ(r.status, 2);
  EXPECT_NE(r.err.find("points = 1000000: are more than 1000: say --yes"), std::string::npos)
      << r.err;
  const CommandResult no =
      run_command("echo n | script -qec '" + kWse + " sweep s.yaml' /dev/null", folder_);
  EXPECT_EQ(no.status, 2);
  EXPECT_NE(no.out.find("1000000 points; are so many wanted? [y/N]"), std::string::npos) << no.out;
  file(
      "grid: {run.seed: {from: 1, to: 1e18, step: 1}, wafer.transistors: {from: 1, to: 1e18, step: "
      "1}}\n");
  EXPECT_NE(sweep("--yes").err.find("points = 2^64 or more: must be at most 1000000"),
            std::string::npos);
}

TEST_F(SweepCommandTest, OnePointAndADryRun) {
  file("list: [{}, {io.lanes: 4}, {io.lanes: 3}]\n");
  const CommandResult dry = sweep("--dry-run");
  EXPECT_EQ(dry.status, 0);
  EXPECT_NE(dry.err.find("3 points are 2 different runs"), std::string::npos) << dry.err;
  EXPECT_NE(dry.out.find("s: 2 runs, 0 complete"), std::string::npos) << dry.out;
  EXPECT_FALSE(fs::exists(folder_.file("out")));
  EXPECT_EQ(sweep("--point 1").status, 0);
  EXPECT_EQ(complete().size(), 1u);
  EXPECT_FALSE(fs::exists(folder_.file("out/sweep-s/sweep.csv")));
  EXPECT_NE(sweep("--dry-run").out.find("s: 2 runs, 1 complete"), std::string::npos);
  const auto told = table(sweep("--dry-run --json"))["runs"];
  EXPECT_EQ(told[0]["status"], "missing");
  EXPECT_EQ(told[1]["status"], "done");
  EXPECT_EQ(table(sweep("--point 1 --json"))["runs"][0]["id"], told[1]["id"]);
  EXPECT_NE(sweep("--point 2").err.find("--point = 2: must be 0 .. 1"), std::string::npos);
  EXPECT_EQ(sweep("--jobs 0").status, 2);
  EXPECT_EQ(sweep("--scheduler pbs").status, 2);
}

TEST_F(SweepCommandTest, ATerminalSeesProgress) {
  file("grid: {io.lanes: [3, 4]}\n");
  const CommandResult seen =
      run_command("script -qec '" + kWse + " sweep s.yaml --jobs 1' /dev/null", folder_);
  EXPECT_EQ(seen.status, 0);
  EXPECT_NE(seen.out.find("[0/2] tiny-gpt, io.lanes = 3"), std::string::npos) << seen.out;
  EXPECT_NE(seen.out.find(" s left"), std::string::npos);
}

TEST_F(SweepCommandTest, ScriptsForSchedulersNameEveryRunAndRunNothing) {
  folder_.write("with space.yaml",
                "name: s\nmodel: tiny-gpt\nmachine: tiny\ngrid: {io.lanes: [3, 4]}\n");
  for (const char* scheduler : {"parallel", "slurm"}) {
    const CommandResult r =
        run_command(kWse + " sweep 'with space.yaml' --jobs 3 --scheduler " + scheduler, folder_);
    EXPECT_EQ(r.status, 0) << r.err;
    const std::string script =
        read_file(folder_.file("out/sweep-s/run." + std::string(scheduler) + ".sh"));
    EXPECT_NE(script.find("file='with space.yaml'\n"), std::string::npos) << script;
    EXPECT_NE(r.out.find("wse sweep 'with space.yaml' --out out/sweep-s"), std::string::npos)
        << r.out;
    const std::string points = read_file(folder_.file("out/sweep-s/points.txt"));
    EXPECT_NE(points.find("\ttiny-gpt\tio.lanes=4\n"), std::string::npos) << points;
    EXPECT_FALSE(fs::exists(runs()));
  }
  EXPECT_NE(read_file(folder_.file("out/sweep-s/run.slurm.sh")).find("#SBATCH --array=0-1%3\n"),
            std::string::npos);
}

}  // namespace
}  // namespace wse
