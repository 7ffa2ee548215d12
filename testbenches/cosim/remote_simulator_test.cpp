// SPDX-License-Identifier: Apache-2.0
// The reference router in simulators of other processes: one with DPI-C and one with VPI alone,
// which stand in for commercial ones, do in every cycle what the model does.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>

#include "support/fabric_case.h"
#include "support/run_command.h"
#include "wse/cosim/remote_listener.h"
#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/reference_fabric.h"

namespace wse::cosim {
namespace {

using nlohmann::json;
using testing::FabricCase;
using testing::FabricDriver;
using testing::FabricLog;
using testing_support::CommandResult;

/// More than twenty thousand cycles of traffic in a mesh of 3 x 3: forks, merges, filters and
/// receivers that stall, of the two lowest colors.
FabricCase long_case(std::uint64_t seed) {
  base::Random random(seed);
  FabricCase c;
  c.seed = seed;
  c.limit = 27'000;  // compute engines give until three quarters of it
  const fabric::Mesh mesh{3, 3};
  const fabric::RouteTable drawn = testing::RandomRoutes(mesh, random).make(2, false, true);
  c.routes = fabric::RouteTable(mesh);
  std::array<std::vector<std::uint8_t>, 9> sends;
  for (std::uint8_t from = 0, color = 0; from < fabric::kNumColors; ++from) {
    bool used = false;
    for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
      const fabric::ColorRoute* route = drawn.find(tile, from);
      if (route == nullptr) continue;
      used = true;
      c.routes.set(tile, color, *route);
      if (route->inputs().contains(fabric::Port::kRamp)) sends[tile].push_back(color);
    }
    if (used) ++color;
  }
  c.read_percent = 60;
  c.config.receiver_depth.assign(mesh.tiles() * fabric::kNumColors, 4);
  for (base::Cycles start = 0; start < c.limit; start += random.below(12)) {
    const auto tile = static_cast<std::uint32_t>(random.below(mesh.tiles()));
    if (sends[tile].empty()) continue;
    const std::uint8_t color = sends[tile][random.below(sends[tile].size())];
    testing::Stream stream{tile, start, {}};
    for (std::uint64_t n = random.below(8) + 1; n > 0; --n) {
      stream.wavelets.push_back(
          {static_cast<std::uint32_t>(random.next()) & 0x7ffff, color, false, false});
    }
    c.streams.push_back(stream);
  }
  return c;
}

/// A tile by which both colors come and go.
std::uint32_t busy_tile(const FabricCase& c) {
  std::uint32_t best = 0;
  unsigned most = 0;
  for (std::uint32_t tile = 0; tile < c.routes.mesh().tiles(); ++tile) {
    unsigned ports = 0;
    for (std::uint8_t color = 0; color < 2; ++color) {
      const fabric::ColorRoute* route = c.routes.find(tile, color);
      if (route == nullptr) continue;
      for (const fabric::Port port : fabric::kPorts) {
        ports += (route->inputs().contains(port) ? 1U : 0U) +
                 (route->outputs().contains(port) ? 1U : 0U);
      }
    }
    if (ports > most) best = tile;
    most = std::max(most, ports);
  }
  return best;
}

class RemoteSimulatorTest : public ::testing::Test {
 protected:
  /// Runs a command in the folder while the test goes on.
  std::future<CommandResult> start(const std::string& command) {
    return std::async(std::launch::async, [=] {
      FILE* pipe = popen(("cd '" + folder_.path() + "' && exec " + command + " 2>&1").c_str(), "r");
      CommandResult result;
      char text[512];
      while (fgets(text, sizeof text, pipe) != nullptr) result.out += text;
      const int raw = pclose(pipe);
      result.status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
      return result;
    });
  }
  /// The log of a fabric with its busiest router in a simulator.
  FabricLog remote_log(const std::string& simulator, const FabricCase& c, std::uint32_t mutant) {
    const std::string path = folder_.file("s");
    auto ended = start(simulator + " +wse_remote=" + path);
    const std::uint32_t tile = busy_tile(c);
    FabricLog log;
    {
      RemoteListener listener(path, 1, {30, {}}, "test");
      fabric::RouterSetup setup = fabric::router_setup(c.routes, tile, c.config);
      setup.mutant = mutant;
      auto router = listener.accept("router", setup);
      const RemoteRouter& remote = *router;
      fabric::ChannelFabric fabric(c.routes, c.config);
      fabric.set_twin(tile, std::move(router));
      const auto begin = std::chrono::steady_clock::now();
      log = FabricDriver(c, fabric).run();
      const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
      EXPECT_GT(remote.clocks(), 20'000U);
      RecordProperty("clocks_per_second",
                     std::to_string(static_cast<double>(remote.clocks()) / passed.count()));
    }
    const CommandResult end = ended.get();
    EXPECT_EQ(end.status, 0) << end.out;
    return log;
  }
  void expect_equal(const std::string& simulator, const FabricCase& c) {
    fabric::ReferenceFabric reference(c.routes, c.config);
    const FabricLog expected = FabricDriver(c, reference).run();
    ASSERT_GT(expected.entries.size(), 20'000U);
    ASSERT_GT(expected.entries.back().cycle, 20'000U) << "traffic to the end";
    const FabricLog log = remote_log(simulator, c, 0);
    ASSERT_EQ(log.entries.size(), expected.entries.size());
    EXPECT_TRUE(log.entries == expected.entries);
    EXPECT_EQ(log.counts.hops, expected.counts.hops);
    EXPECT_EQ(log.injections, expected.injections);
    const FabricLog faulty = remote_log(simulator, c, 6);  // an arbiter that stays with the last
    EXPECT_FALSE(faulty.entries == expected.entries) << "a fault would not be seen";
  }
  /// A run of the program with `simulators` beside it; the status is the run's, `err` has both.
  CommandResult run(const std::string& arguments, unsigned simulators,
                    const std::string& simulator = WSE_DPI_SIMULATOR) {
    std::string command = "export WSE_REMOTE_TIMEOUT=5 WSE_REMOTE_CONNECT_TIMEOUT=5; ";
    for (unsigned i = 0; i < simulators; ++i) command += simulator + " +wse_remote=s >&2 & ";
    command +=
        std::string(WSE_CLI) + " cosim " + arguments + " --json --out out; s=$?; wait; exit $s";
    return run_command(command, folder_);
  }
  json model(const std::string& arguments) {
    const CommandResult r =
        run_command(std::string(WSE_CLI) + " " + arguments + " --json --out model", folder_);
    EXPECT_EQ(r.status, 0) << r.err;
    return json::parse(r.out);
  }
  testing_support::TemporaryFolder folder_;
};

/// Where its simulator was not built, a test is skipped.
#define WSE_NEED_DPI \
  if (std::string(WSE_DPI_SIMULATOR).empty()) GTEST_SKIP() << WSE_DPI_REASON

TEST_F(RemoteSimulatorTest, DpiDoesInEveryCycleWhatTheReferenceDoes) {
  WSE_NEED_DPI;
  for (const std::uint64_t seed : {7, 44}) expect_equal(WSE_DPI_SIMULATOR, long_case(seed));
}

TEST_F(RemoteSimulatorTest, VpiDoesInEveryCycleWhatTheReferenceDoes) {
  if (std::string(WSE_VPI_SIMULATOR).empty()) GTEST_SKIP() << WSE_VPI_REASON;
  expect_equal(WSE_VPI_SIMULATOR, long_case(7));
}

TEST_F(RemoteSimulatorTest, SeveralSimulatorsAtOnePathServeARectangle) {
  WSE_NEED_DPI;
  for (const char* traffic : {"noc --mesh 4x3 --pattern hotspot --rate 0.5 --cycles 1500",
                              "kernel gemm --mesh 4x3 --m 16 --k 16 --n 12"}) {
    const json expected = model(traffic);
    const CommandResult r =
        run(std::string(traffic) + " --lockstep --twin router@1..2,1=remote:unix:s", 2);
    ASSERT_EQ(r.status, 0) << r.err;
    const json got = json::parse(r.out);
    EXPECT_EQ(got["result_hash"], expected["result_hash"]) << traffic;
    EXPECT_EQ(got["cycles"], expected["cycles"]) << traffic;
    EXPECT_EQ(got["twin_routers"], 2);
    EXPECT_FALSE(std::filesystem::exists(folder_.file("s")));
  }
}

TEST_F(RemoteSimulatorTest, LockstepSeesAFaultAndTheSimulatorEndsToo) {
  WSE_NEED_DPI;
  const CommandResult r =
      run("noc --mesh 4x4 --pattern hotspot --rate 0.5 --cycles 500 --lockstep --mutant 6 --twin "
          "router@1..2,1..2=remote:unix:s",
          4);
  EXPECT_EQ(r.status, 3) << r.err;
  for (const char* part : {"remote:unix:s, differs from the model in clock",
                           "the model refuses: the run has failed elsewhere", "replay: "}) {
    EXPECT_NE(r.err.find(part), std::string::npos) << part << "\n" << r.err;
  }
}

TEST_F(RemoteSimulatorTest, AnOutputThatFollowsAnInputIsRefusedByTheSimulator) {
  WSE_NEED_DPI;
  const CommandResult r =
      run("noc --mesh 4x4 --rate 0.3 --mutant 14 --twin router@1,1=remote:unix:s", 1);
  EXPECT_EQ(r.status, 1) << r.err;
  EXPECT_NE(
      r.err.find("the simulator refuses: an output follows an input within the clock, in clock"),
      std::string::npos)
      << r.err;
}

TEST_F(RemoteSimulatorTest, ASimulatorThatIsKilledEndsTheRun) {
  WSE_NEED_DPI;
  const CommandResult r =
      run_command(std::string(WSE_DPI_SIMULATOR) +
                      " +wse_remote=s & c=$!; (sleep 1; kill -9 $c) & exec " + WSE_CLI +
                      " cosim noc --mesh 8x8 --rate 0.2 --cycles 100000000 --twin "
                      "router@1,1=remote:unix:s --out out",
                  folder_);
  EXPECT_EQ(r.status, 1) << r.err;
  EXPECT_NE(r.err.find("router (1,1), remote:unix:s, the simulator went away in clock "),
            std::string::npos)
      << r.err;
  EXPECT_FALSE(std::filesystem::exists(folder_.file("s")));
}

TEST_F(RemoteSimulatorTest, ASimulatorThatStopsEndsTheRun) {
  WSE_NEED_DPI;
  const CommandResult r =
      run_command(std::string(WSE_DPI_SIMULATOR) +
                      " +wse_remote=s & c=$!; (sleep 1; kill -STOP $c; sleep 2; "
                      "kill -9 $c) & exec " +
                      WSE_CLI +
                      " cosim noc --mesh 8x8 --rate 0.2 --cycles 100000000 --twin "
                      "router@1,1=remote:unix:s --remote-timeout 1 --out out",
                  folder_);
  EXPECT_EQ(r.status, 1) << r.err;
  EXPECT_NE(r.err.find("the simulator has not answered clock "), std::string::npos) << r.err;
}

TEST_F(RemoteSimulatorTest, WithoutASimulatorTheRunEndsInTime) {
  const CommandResult r =
      run("noc --mesh 4x4 --remote-timeout 0.3 --twin router@1,1=remote:unix:s", 0);
  EXPECT_EQ(r.status, 1) << r.err;
  EXPECT_NE(r.err.find("router (1,1), remote:unix:s, no simulator came in 0.3 s; start one with "
                       "+wse_remote=s"),
            std::string::npos)
      << r.err;
  EXPECT_FALSE(std::filesystem::exists(folder_.file("s")));
}

TEST_F(RemoteSimulatorTest, BadInputNamesTheRule) {
  const auto refused = [&](const std::string& arguments, const std::string& part) {
    const CommandResult r = run("noc --mesh 4x4 " + arguments, 0);
    EXPECT_EQ(r.status, 2) << arguments << "\n" << r.err;
    EXPECT_NE(r.err.find(part), std::string::npos) << arguments << "\n" << r.err;
  };
  refused("--twin router@1,1=remote:tcp:1", "must be rtl:NAME or remote:unix:PATH");
  refused("--twin router@1,1=remote:unix:", "must be a path of 1 .. 107 bytes");
  refused("--twin router@1,1=remote:unix:" + std::string(108, 'x'), "of 1 .. 107 bytes");
  refused("--twin router@1,1=remote:unix:none/s", "cannot be listened at: No such file");
  refused("--twin router@1,1=remote:unix:s --twin router@1,1=remote:unix:t", "a second time");
  refused("--twin router@1,1=remote:unix:s --mutant 32", "must be 0 .. 31 for remote:unix:s");
  refused("--twin router@1,1=remote:unix:s --remote-timeout 0", "must be above 0");
  refused("--twin router@1,1=remote:unix:s --rates 0.1..0.2/2", "a simulator serves one run");
  refused("--twin router@1,1=remote:unix:s --saturation", "a simulator serves one run");
  folder_.write("file", "text");
  refused("--twin router@1,1=remote:unix:file", "is there already and is no socket");
}

}  // namespace
}  // namespace wse::cosim
