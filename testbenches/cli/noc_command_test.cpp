// SPDX-License-Identifier: Apache-2.0
// wse noc: its keys, its files, its waves, and what it says to bad input.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "support/run_command.h"

namespace wse {
namespace {

using nlohmann::json;
using testing_support::CommandResult;
using testing_support::read_file;
using testing_support::run_command;

class NocCommandTest : public ::testing::Test {
 protected:
  CommandResult noc(const std::string& arguments) {
    return run_command(std::string(WSE_CLI) + " noc " + arguments, folder_);
  }
  json stats(const std::string& arguments) {
    const CommandResult r = noc(arguments + " --json");
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_EQ(r.err, "");
    return json::parse(r.out);
  }
  testing_support::TemporaryFolder folder_;
};

TEST_F(NocCommandTest, PrintsTheKeysOfTheContract) {
  const json s = stats("--mesh 8x8 --pattern uniform --routing xy --rate 0.05 --cycles 500");
  for (const char* key :
       {"mesh", "pattern", "routing", "engine", "cycles", "offered", "injected", "refused",
        "delivered", "mean_latency_cycles", "max_latency_cycles", "accepted_rate", "wavelet_hops",
        "host_cpu_seconds", "hops_per_cpu_second", "max_rss_bytes", "result_hash"}) {
    EXPECT_TRUE(s.contains(key)) << key;
  }
  EXPECT_EQ(s["mesh"], json({8, 8}));
  EXPECT_EQ(s["routing"], "xy");
  EXPECT_EQ(s["offered"], s["injected"].get<std::uint64_t>() + s["refused"].get<std::uint64_t>());
  EXPECT_NEAR(s["accepted_rate"].get<double>(), 0.05, 0.003);
}

TEST_F(NocCommandTest, WritesItsResultsIntoAFolder) {
  const CommandResult r = noc("--mesh 6x5 --pattern halo --rate 0.2 --cycles 200 --out results");
  EXPECT_EQ(r.status, 0);
  EXPECT_NE(r.out.find("halo on 6 x 5 tiles, color routing, cycle level"), std::string::npos);
  const json s = json::parse(read_file(folder_.file("results/stats.json")));
  const std::string csv = read_file(folder_.file("results/latency.csv"));
  EXPECT_EQ(csv.rfind("latency_cycles,last_cycles,copies\n", 0), 0u);
  std::istringstream lines(csv);
  std::uint64_t copies = 0;
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) copies += std::stoull(line.substr(line.rfind(',') + 1));
  EXPECT_EQ(copies, s["delivered"]);
}

TEST_F(NocCommandTest, LevelsAndThreadsAgree) {
  const std::string run = "--mesh 40x30 --pattern row-broadcast --rate 0.3 --cycles 300";
  const json cycle = stats(run);
  EXPECT_EQ(stats(run + " --engine flow")["result_hash"], cycle["result_hash"]);
  EXPECT_EQ(stats(run + " --threads 2")["result_hash"], cycle["result_hash"]);
  EXPECT_NE(stats(run + " --seed 2")["result_hash"], cycle["result_hash"]);
}

TEST_F(NocCommandTest, RoutesOfOnesOwn) {
  // Two tiles merge into the link to the third, whose ramp takes one wavelet a cycle.
  folder_.write("merge.yaml",
                "mesh: 3x1\n"
                "routes:\n"
                "  - {tiles: \"0,0\", color: 5, from: ramp, to: east}\n"
                "  - {tiles: \"1,0\", color: 5, from: [ramp, west], to: east}\n"
                "  - {tiles: \"2,0\", color: 5, from: west, to: ramp}\n"
                "sources: [{tiles: \"0..1,0\", color: 5}]\n");
  const json s = stats("--routes merge.yaml --rate 1 --cycles 1000");
  EXPECT_EQ(s["pattern"], "routes");
  EXPECT_EQ(s["mesh"], json({3, 1}));
  EXPECT_EQ(s["offered"], 2000);
  EXPECT_NEAR(s["accepted_rate"].get<double>(), 0.5, 0.01);  // they share the link
  EXPECT_EQ(s["delivered"], s["injected"]);
  EXPECT_EQ(stats("--routes merge.yaml --rate 1 --cycles 1000 --engine flow")["result_hash"],
            s["result_hash"]);
}

TEST_F(NocCommandTest, ADeadlockIsAFailedRunThatSaysWhoWaits) {
  folder_.write(
      "stuck.yaml",
      "mesh: 2x1\n"
      "routes:\n"
      "  - {tiles: \"0,0\", color: 2, positions: [{from: ramp, to: ramp}, {from: ramp, to: "
      "east}]}\n"
      "  - {tiles: \"1,0\", color: 2, positions: [{from: ramp, to: ramp}, {from: west, to: "
      "ramp}]}\n"
      "sources: [{tiles: \"0,0\", color: 2, advance: true}]\n");
  const CommandResult r = noc("--routes stuck.yaml --rate 1 --cycles 20 --wave a.vcd --json");
  EXPECT_EQ(r.status, 1);
  EXPECT_EQ(r.out, "");
  EXPECT_NE(r.err.find("router (1, 0), color 2 from west (2 wavelets) waits for the switch, which "
                       "stands at position 0 and takes ramp"),
            std::string::npos)
      << r.err;
  EXPECT_NE(r.err.find("waves up to the deadlock are in out/noc-routes/a.vcd"), std::string::npos);
}

TEST_F(NocCommandTest, ADeadlockAtAnotherRateLeavesTheRunItself) {
  // Of a switch that is turned for good, only a rate that sends two wavelets finds out.
  folder_.write("turned.yaml",
                "mesh: 2x1\n"
                "routes:\n"
                "  - {tiles: \"0,0\", color: 2, from: ramp, to: east}\n"
                "  - {tiles: \"1,0\", color: 2, positions: [{from: west, to: ramp}, {from: ramp, "
                "to: ramp}]}\n"
                "sources: [{tiles: \"0,0\", color: 2, advance: true}]\n");
  const std::string run = "--routes turned.yaml --rate 0.001 --seed 1 --cycles 300";
  const json alone = stats(run);
  const CommandResult r = noc(run + " --rates 0.5..1/2 --out both");
  EXPECT_EQ(r.status, 1);
  EXPECT_NE(r.err.find("at a rate of 0.5: "), std::string::npos) << r.err;
  EXPECT_NE(r.err.find("results of the run before the other rates are in both/"),
            std::string::npos);
  EXPECT_EQ(json::parse(read_file(folder_.file("both/stats.json")))["result_hash"],
            alone["result_hash"]);
}

TEST_F(NocCommandTest, OptionsThatWouldDoNothingAreRefused) {
  const auto refuses = [this](const std::string& options, const std::string& message) {
    const CommandResult r = noc(options);
    EXPECT_EQ(r.status, 2) << options;
    EXPECT_NE(r.err.find(message), std::string::npos) << r.err;
  };
  refuses("--wave-from 3", "--wave-from = given: describes waves, of which --wave FILE is");
  refuses("--wave \"\"", "--wave = \"\": must name a file");
  refuses("--routes \"\"", "--routes = \"\": must name a file");
  refuses("--seed -1", "--seed = -1: must not be negative");
  refuses("--pattern uniform --routing xy --wave a.vcd --wave-trigger color=0",
          "wavelets of --routing xy have no color");
}

TEST_F(NocCommandTest, FilesOfRoutesAreCheckedToTheirEnd) {
  const auto expect = [this](const std::string& text, const std::vector<std::string>& messages) {
    folder_.write("bad.yaml", text);
    const CommandResult r = noc("--routes bad.yaml");
    EXPECT_EQ(r.status, 2) << text;
    for (const std::string& message : messages) {
      EXPECT_NE(r.err.find(message), std::string::npos) << message << "\nis not in\n" << r.err;
    }
  };
  expect("routes: []\n", {"mesh: must be given as WxH"});
  expect("mesh: 0x4\n", {"bad.yaml:1: mesh = 0x4: must be WxH, 1 .. 4096 columns and rows"});
  expect(
      "mesh: 2x1\nroutes:\n  - {tiles: \"0,0\", color: 24, from: up, to: east}\n"
      "  - {tiles: \"0..2,0\", color: 1, from: ramp}\n  - {colour: 1}\nsources: 7\n",
      {"bad.yaml:3: color = 24: must be 0 .. 23",
       "bad.yaml:3: from = up: must be north, east, south, west or ramp",
       "bad.yaml:4: tiles = 0..2,0: must lie in the mesh of 2 x 1 tiles",
       "bad.yaml:5: routes = colour: is no key here; did you mean color?",
       "bad.yaml:5: routes: needs from and to, or positions", "bad.yaml:5: routes: needs tiles",
       "bad.yaml:6: sources = 7: must be a list of entries"});
  expect(
      "mesh: 2x1\nroutes:\n  - {tiles: \"0,0\", color: 3, from: ramp, to: [east, north]}\n"
      "sources:\n  - {tiles: \"0..1,0\", color: 3}\n",
      {"router (0, 0), color 3 = output north: must not leave the mesh",
       "router (0, 0), color 3 = output east: must face a neighbour",
       "bad.yaml:5: sources = tile (1, 0), color 3: needs a route from the ramp"});
  expect(
      "mesh: 2x1\nroutes:\n  - {tiles: \"0,0\", color: 3, from: ramp, to: ramp, filter: {counter: "
      "{period: 2, first: 2, last: 3}}}\n",
      {"bad.yaml:3: filter: first must be less than the period"});
  expect(
      "mesh: 2x1\nroutes:\n  - {tiles: \"0,0\", color: 3, from: ramp, to: ramp, filter: {counter: "
      "{period: 2}, range: {first: 1, last: 2}}}\n",
      {"bad.yaml:3: filter: needs counter or range, one of them"});
  expect("a: [\n", {"bad.yaml", "is not valid YAML"});
  EXPECT_EQ(noc("--routes none.yaml").status, 2);
  EXPECT_EQ(noc("--pattern routes").status, 2);
}

TEST_F(NocCommandTest, AnInterruptEndsALargeRunSoon) {
  // Killed if it does not end within 20 s; a cycle takes tens of milliseconds.
  const CommandResult r =
      run_command("timeout --preserve-status -s INT -k 20 2 " + std::string(WSE_CLI) +
                      " noc --mesh 600x600 --pattern halo --rate 0.5 --cycles 1000000 --json",
                  folder_);
  EXPECT_EQ(r.status, 130) << r.err;
  EXPECT_EQ(r.out, "");
}

TEST_F(NocCommandTest, MachineParametersReachTheFabric) {
  const std::string run = "--mesh 8x1 --pattern neighbor --rate 0.01";
  EXPECT_EQ(stats(run)["mean_latency_cycles"], 5.0);
  EXPECT_EQ(stats(run + " --set fabric.hop_latency_cycles=2 --set fabric.ramp_latency_cycles=3")
                ["mean_latency_cycles"],
            8.0);
}

TEST_F(NocCommandTest, WavesOfAWindowAreWritten) {
  const CommandResult r =
      noc("--mesh 4x4 --pattern halo --rate 0.3 --cycles 100 --out w --wave links.vcd "
          "--wave-tiles 1..2,1..2 --wave-from 10 --wave-to 20");
  EXPECT_EQ(r.status, 0) << r.err;
  const std::string vcd = read_file(folder_.file("w/links.vcd"));
  EXPECT_NE(vcd.find("$scope module router_2_1 $end"), std::string::npos);
  EXPECT_EQ(vcd.find("router_0_0"), std::string::npos);
  EXPECT_NE(vcd.find("queue_west_c"), std::string::npos);
  EXPECT_NE(read_file(folder_.file("w/links.gtkw")).find("fabric.router_1_2.east_valid"),
            std::string::npos);
}

TEST_F(NocCommandTest, WatchingChangesNothing) {
  const std::string run = "--mesh 12x9 --pattern hotspot --rate 0.05 --cycles 300";
  EXPECT_EQ(stats(run + " --wave a.vcd --wave-tiles 3..8,2..6")["result_hash"],
            stats(run)["result_hash"]);
}

TEST_F(NocCommandTest, RatesGoToATableAndAPage) {
  const json s = stats(
      "--mesh 8x8 --pattern uniform --routing xy --rate 0.1 --cycles 400 --rates 0.05..0.4/4 "
      "--saturation --out r");
  ASSERT_EQ(s["rates"].size(), 4u);
  EXPECT_GT(s["saturation_rate"].get<double>(), 0.2);
  EXPECT_LT(s["saturation_rate"].get<double>(), 0.5);
  const std::string csv = read_file(folder_.file("r/rates.csv"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 5);
  if (!testing_support::has_browser(folder_)) {
    GTEST_SKIP() << "needs chromium, which .ci/run installs";
  }
  const CommandResult r = testing_support::open_page("r/report.html", folder_);
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.err.find("CONSOLE"), std::string::npos) << r.err;
  const std::string mark = "data-stat=\"mean_latency_cycles\" data-value=\"";
  const std::size_t at = r.out.find(mark);
  ASSERT_NE(at, std::string::npos);
  EXPECT_DOUBLE_EQ(std::stod(r.out.substr(at + mark.size())),
                   s["mean_latency_cycles"].get<double>());
  std::size_t dots = 0;
  for (std::size_t p = 0; (p = r.out.find("class=\"dot\"", p)) != std::string::npos; ++p) ++dots;
  EXPECT_EQ(dots, 8u);
}

TEST_F(NocCommandTest, BadInputNamesPlaceValueAndRule) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"--mesh 0x5", "--mesh = 0x5: must be 1 .. 4096 columns and rows"},
      {"--mesh 5000x5", "--mesh = 5000x5: must be 1 .. 4096 columns and rows"},
      {"--mesh 99999999x5", "--mesh = 99999999x5: must be WxH, columns and rows"},
      {"--mesh 8", "--mesh = 8: must be WxH, columns and rows"},
      {"--mesh 1x1", "has no tile with a destination"},
      {"--rate 0", "--rate = 0: must be greater than 0 and at most 1"},
      {"--rate 1.5", "--rate = 1.5: must be greater than 0 and at most 1"},
      {"--rate nan", "--rate = nan: must be greater than 0 and at most 1"},
      {"--rate x", "usage"},
      {"--cycles 0", "--cycles = 0: must be 1 .. 1e9"},
      {"--cycles -5", "--cycles = -5: must not be negative"},
      {"--pattern unifrom", "--pattern = unifrom: is unknown; did you mean uniform?"},
      {"--pattern uniform", "--pattern = uniform: needs --routing xy"},
      {"--pattern halo --routing xy", "--pattern = halo: needs --routing color"},
      {"--pattern halo --radius 6",
       "--radius = 6: must be 1 .. 5: a halo takes 4 (radius + 1) of 24 colors"},
      {"--pattern shift --distance 24",
       "--distance = 24: must be 1 .. 23: a shift by K takes K + 1 of 24 colors"},
      {"--pattern neighbor --engine flow --routing xy", "--engine = flow: needs --routing color"},
      {"--engine fast", "--engine = fast: must be cycle or flow"},
      {"--routing yx", "--routing = yx: must be color or xy"},
      {"--threads 0", "--threads = 0: must be 1 .. 256"},
      {"--threads 9 --mesh 20x8", "--threads = 9: must be 1 .. 256 and at most the rows"},
      {"--rates 0.1", "--rates = 0.1: must be A..B/N"},
      {"--rates 0.2..0.1/5", "--rates = 0.2..0.1/5: must rise, within 0 to 1"},
      {"--rates 0.1..0.2/1", "--rates = 0.1..0.2/1: must be 2 .. 1000 points"},
      {"--packet 0", "--packet = 0: must be 1 .. 1000000"},
      {"--set fabric.queue_depth=0", "fabric.queue_depth = 0: must be 1 .. 255"},
      {"--set fabric.hop_latency_cycles=500",
       "fabric.hop_latency_cycles = 500: makes a queue of more than 255 slots"},
      {"--set fabric.plain_round_robin=2", "fabric.plain_round_robin = 2: must be 0 .. 1"},
      {"--wave a.txt", "--wave"},
      {"--wave a.vcd --wave-tiles 0..9,0",
       "--wave-tiles = 0..9,0: must lie in the mesh of 8 x 8 tiles"},
      {"--wave a.vcd --wave-from 5 --wave-to 4", "--wave-to = 4: must not be before --wave-from"},
      {"--wave a.vcd --wave-trigger color=24", "must be a color 0 .. 23"},
      {"--wave a.vcd --engine flow", "--wave = given: needs --engine cycle"},
      {"--wave a.vcd --mesh 100x100", "--wave-tiles = all: must be at most 4096 routers"},
      {"--frobnicate", "usage"}};
  for (const auto& [arguments, message] : cases) {
    const CommandResult r = noc(arguments);
    EXPECT_EQ(r.status, 2) << arguments;
    EXPECT_EQ(r.out, "") << arguments;
    EXPECT_NE(r.err.find(message), std::string::npos) << arguments << "\n" << r.err;
  }
}

}  // namespace
}  // namespace wse
