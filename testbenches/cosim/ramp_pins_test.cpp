// SPDX-License-Identifier: Apache-2.0
// A tile that is a module with pins does in every cycle what a region does in its place.
#include <gtest/gtest.h>

#include "support/fabric_case.h"
#include "support/pin_machine.h"
#include "support/random_kernel.h"
#include "support/systemc_test.h"
#include "wse/base/random.h"
#include "wse/tiles/kernels/collective_job.h"
#include "wse/tiles/kernels/streamed_gemm.h"
#include "wse/tiles/program_builder.h"

namespace wse::cosim {
namespace {

using testing_support::PinMachine;
using testing_support::PinMachineOptions;
using Machines = std::vector<std::unique_ptr<PinMachine>>;

constexpr base::Cycles kLaunch = 3;

/// Memories that a job fills and its mesh then runs on.
void fill(Machines& machines, const tiles::KernelJob& job, const tiles::MeshConfig& config,
          std::uint32_t bytes) {
  tiles::TileMesh mesh(job.kernel(), config);
  job.fill(mesh);
  std::vector<std::uint8_t> image(bytes);
  for (std::uint32_t tile = 0; tile < job.kernel().mesh().tiles(); ++tile) {
    mesh.read(tile, 0, image.data(), image.size());
    for (auto& machine : machines) std::copy(image.begin(), image.end(), machine->memory(tile));
  }
}

std::uint32_t most_memory(const tiles::Kernel& kernel) {
  std::uint32_t most = 0;
  for (const tiles::Program& p : kernel.programs) most = std::max(most, p.memory_bytes);
  return most;
}

class RampPinsTest : public testing_support::SystemCTest {
 protected:
  PinMachine& add(const tiles::Kernel& kernel, const tiles::MeshConfig& config,
                  const PinMachineOptions& options) {
    machines_.push_back(std::make_unique<PinMachine>(sc_core::sc_gen_unique_name("machine"), kernel,
                                                     config, options));
    return *machines_.back();
  }
  /// Machines without pins, with one, with several and with nothing but pins, the last one built
  /// backwards.
  void add_four(const tiles::Kernel& kernel, const tiles::MeshConfig& config,
                PinMachineOptions options) {
    std::set<std::uint32_t> all;
    for (std::uint32_t tile = 0; tile < kernel.mesh().tiles(); ++tile) all.insert(tile);
    const std::set<std::uint32_t> choices[] = {{}, {5}, {0, 1, 6, 11}, all};
    for (const std::set<std::uint32_t>& pins : choices) {
      options.pin_tiles = pins;
      options.reversed = pins.size() > 1;
      add(kernel, config, options);
    }
  }
  void run() {
    for (auto& machine : machines_) machine->launch(kLaunch);
    sc_core::sc_start();
  }
  /// All do what the first one does.
  void expect_equal() {
    const std::string expected = machines_.front()->results();
    ASSERT_GT(machines_.front()->watch.deliveries, 0u);
    for (std::size_t i = 1; i < machines_.size(); ++i) {
      EXPECT_EQ(machines_[i]->cycles(), machines_.front()->cycles()) << "machine " << i;
      EXPECT_EQ(machines_[i]->watch.text, machines_.front()->watch.text) << "machine " << i;
      EXPECT_TRUE(machines_[i]->results() == expected) << "machine " << i;
    }
  }
  void check_job(const tiles::KernelJob& job, const tiles::MeshConfig& config,
                 const PinMachineOptions& options = {}) {
    add_four(job.kernel(), config, options);
    fill(machines_, job, config, most_memory(job.kernel()));
    run();
    expect_equal();
    tiles::TileMesh plain(job.kernel(), config);
    job.fill(plain);
    plain.run();
    EXPECT_EQ(machines_.back()->cycles(), plain.cycles());
  }
  static tiles::CollectiveJob chain_reduce(std::uint32_t words) {
    tiles::CollectiveShape shape;
    shape.mesh = {4, 3};
    shape.words = words;
    return {tiles::reduce(shape, tiles::ReduceAlgorithm::kChain), 7};
  }
  static tiles::MeshConfig with_latencies(std::uint32_t hop, std::uint32_t ramp) {
    tiles::MeshConfig config;
    config.fabric.hop_cycles = hop;
    config.fabric.ramp_cycles = ramp;
    return config;
  }
  Machines machines_;
};

TEST_F(RampPinsTest, AChainReduceTakesTheSameCycles) {
  check_job(chain_reduce(40), tiles::MeshConfig());
}

TEST_F(RampPinsTest, AChainReduceOverOtherLatencies) {
  check_job(chain_reduce(25), with_latencies(2, 3));
}

TEST_F(RampPinsTest, ARampOfOneCycleGivesPinsTheirValueInTheMiddle) {
  check_job(chain_reduce(25), with_latencies(1, 1));
}

TEST_F(RampPinsTest, AStreamedGemmTakesTheSameCycles) {
  tiles::StreamedGemmShape shape;
  shape.mesh = {4, 2};
  shape.tokens = 16;
  shape.inputs = 16;
  shape.outputs = 12;
  shape.density = 0.6;
  const tiles::MeshConfig config;
  check_job(tiles::StreamedGemm(shape, config, 3), config);
}

/// Windows of 7.001 cycles: the first ends a picosecond behind an edge, others anywhere.
TEST_F(RampPinsTest, WindowsOfActivityMayEndRightBehindAnEdge) {
  PinMachineOptions options;
  options.window = 7001;
  const tiles::CollectiveJob job = chain_reduce(40);
  add_four(job.kernel(), tiles::MeshConfig(), options);
  fill(machines_, job, tiles::MeshConfig(), most_memory(job.kernel()));
  for (auto& machine : machines_) {
    machine->ticker.start();
    machine->launch(kLaunch);
  }
  sc_core::sc_start(300, sc_core::SC_NS);
  expect_equal();
}

TEST_F(RampPinsTest, TheClockMayChangeOnTheWay) {
  const tiles::CollectiveJob job = chain_reduce(40);
  PinMachineOptions options;
  options.hz = 1'100'000'000;
  add_four(job.kernel(), tiles::MeshConfig(), options);
  fill(machines_, job, tiles::MeshConfig(), most_memory(job.kernel()));
  for (auto& machine : machines_) machine->launch(kLaunch);
  sc_core::sc_start(30, sc_core::SC_NS);
  // All that is under way has been timed up to 60 ns at most.
  for (auto& machine : machines_) machine->epochs.change(60'000, 637'000'000);
  sc_core::sc_start();
  EXPECT_GT(base::now(), 100'000u);
  expect_equal();
}

TEST_F(RampPinsTest, RandomProgramsDoTheSame) {
  constexpr std::uint64_t kCases = testing::case_count(200, 40);
  std::vector<std::unique_ptr<testing::KernelCase>> cases;
  std::uint64_t deliveries = 0;
  for (std::uint64_t seed = 1; cases.size() < kCases; ++seed) {
    auto c = std::make_unique<testing::KernelCase>(testing::random_kernel(seed));
    if (c->tiles() > 24) continue;
    base::Random random(seed);
    PinMachineOptions options;
    for (std::uint32_t machine = 0; machine < 2; ++machine) {
      PinMachine& m = add(c->kernel, c->config, options);
      for (std::uint32_t tile = 0; tile < c->tiles(); ++tile) {
        const std::vector<std::uint8_t> memory = c->initial_memory(tile);
        std::copy(memory.begin(), memory.end(), m.memory(tile));
        if (random.below(2) == 0) options.pin_tiles.insert(tile);
      }
      options.reversed = random.below(2) == 0;
    }
    cases.push_back(std::move(c));
  }
  for (auto& machine : machines_) machine->launch(kLaunch);
  sc_core::sc_start(2000, sc_core::SC_NS);
  for (std::size_t i = 0; i < machines_.size(); i += 2) {
    const std::uint64_t seed = cases[i / 2]->seed;
    ASSERT_EQ(machines_[i]->watch.text, machines_[i + 1]->watch.text) << "seed " << seed;
    ASSERT_TRUE(machines_[i]->results() == machines_[i + 1]->results()) << "seed " << seed;
    deliveries += machines_[i]->watch.deliveries;
  }
  EXPECT_GT(deliveries, kCases * 5);
}

TEST_F(RampPinsTest, TheClockStandsStillWhereNothingIsDue) {
  const tiles::CollectiveJob job = chain_reduce(8);
  PinMachineOptions options;
  add(job.kernel(), tiles::MeshConfig(), options);
  options.pin_tiles = {0, 11};
  PinMachine& asleep = add(job.kernel(), tiles::MeshConfig(), options);
  options.always_busy = true;
  PinMachine& awake = add(job.kernel(), tiles::MeshConfig(), options);
  fill(machines_, job, tiles::MeshConfig(), most_memory(job.kernel()));
  for (auto& machine : machines_) machine->launch(kLaunch);
  sc_core::sc_start(1, sc_core::SC_US);
  expect_equal();
  for (const std::uint32_t tile : {0U, 11U}) {
    EXPECT_EQ(awake.places[tile]->bridge->edges(), 999u);  // 1 .. 999
    EXPECT_GT(asleep.places[tile]->bridge->edges(), 8u);
    EXPECT_LT(asleep.places[tile]->bridge->edges(), 60u);
  }
}

/// Rogue outputs behind a bridge whose router takes color 2 from the ramp and gives color 3 to it.
class RampPinErrorsTest : public testing_support::SystemCTest {
 protected:
  struct Bench : sc_core::sc_module {
    explicit Bench(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
      routes.set(0, 2, {fabric::Port::kRamp, fabric::Port::kEast});
      RampPinConfig config = RampPinConfig::of(routes, {0, 0}, engine);
      config.tile = {4, 7};
      bridge = std::make_unique<RampPinBridge>("bridge", config, epochs, ticker);
      bridge->clk(clk);
      bridge->start(start);
      bridge->cycle(cycle);
      bridge->busy(busy);
      bridge->to_tile.bind(down);
      bridge->to_router.bind(up);
      from_bridge.on_receive([this](fabric::RampFrame& frame) {
        wavelets += frame.wavelets.size();
        credits += frame.credits.size();
      });
      bridge->ramp_out_socket.bind(from_bridge);
      to_bridge.bind(bridge->ramp_in_socket);
    }
    fabric::RouteTable routes{fabric::Mesh{2, 1}};
    fabric::EngineConfig engine;
    base::ClockEpochs epochs{1'000'000'000};
    base::WindowTicker ticker{"ticker", 1'000'000'000};
    sc_core::sc_signal<bool> clk{"clk"}, start{"start"}, busy{"busy"};
    sc_core::sc_signal<std::uint64_t> cycle{"cycle"};
    RampSignals down{"down"}, up{"up"};
    fabric::CycleFabric::RampTarget from_bridge{"from_bridge"};
    fabric::CycleFabric::RampInitiator to_bridge{"to_bridge"};
    std::unique_ptr<RampPinBridge> bridge;
    std::size_t wavelets = 0, credits = 0;
  };

  RampPinErrorsTest() {
    seen_.clear();
    sc_core::sc_report_handler::set_actions(sc_core::SC_ERROR, sc_core::SC_DISPLAY);
    sc_core::sc_report_handler::set_handler(
        [](const sc_core::sc_report& r, const sc_core::sc_actions&) {
          seen_.push_back(std::string(r.get_msg_type()) + " " + r.get_msg());
        });
    bench_.busy.write(true);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  ~RampPinErrorsTest() override { sc_core::sc_report_handler::set_handler(nullptr); }
  /// Up to a tenth of a cycle behind edge n.
  static void run_to(std::uint64_t cycle) {
    sc_core::sc_start(sc_core::sc_time::from_value(cycle * 1000 + 100) - sc_core::sc_time_stamp());
  }
  void give(std::uint32_t color) {
    bench_.up.valid.write(true);
    bench_.up.color.write(color);
  }
  static std::string text(const std::string& id, std::uint64_t cycle, std::uint32_t color,
                          const std::string& what) {
    return "/wse/cosim/ramp_pins/" + id + " bench.bridge: tile (4,7), cycle " +
           std::to_string(cycle) + ", color " + std::to_string(color) + ": " + what;
  }

  static std::vector<std::string> seen_;
  Bench bench_{"bench"};
};
std::vector<std::string> RampPinErrorsTest::seen_;

TEST_F(RampPinErrorsTest, AWaveletWithoutACreditIsNamedAndGoesNowhere) {
  run_to(10);
  give(2);
  run_to(14);
  EXPECT_TRUE(seen_.empty()) << seen_.front();
  EXPECT_EQ(bench_.wavelets, 4u);  // cycles 10 .. 13: the slots behind the ramp
  // A credit that counts from cycle 15 on.
  fabric::RampFrame frame;
  frame.cycle = 13;
  frame.credits.push_back({0, 2, 1});
  bench_.to_bridge.send(frame);
  run_to(16);
  EXPECT_EQ(seen_, (std::vector<std::string>{
                       text("no_credit", 14, 2,
                            "gives a wavelet without a credit: all 4 slots behind the ramp are "
                            "taken")}));
  EXPECT_EQ(bench_.wavelets, 5u);
  run_to(17);
  EXPECT_EQ(seen_.size(), 2u);
  EXPECT_EQ(bench_.wavelets, 5u);
}

TEST_F(RampPinErrorsTest, ASlotIsFreedOnceForAWavelet) {
  run_to(5);
  fabric::RampFrame frame;
  frame.cycle = 5;
  frame.wavelets.push_back({0, {9, 3, true, false}});
  bench_.to_bridge.send(frame);
  run_to(6);
  EXPECT_FALSE(bench_.down.valid.read());
  bench_.up.credit.write(1U << 3);  // in cycle 6: the wavelet is there in 7
  sc_core::sc_start(400, sc_core::SC_PS);
  EXPECT_TRUE(bench_.down.valid.read());
  EXPECT_EQ(bench_.down.data.read(), 9u);
  EXPECT_EQ(bench_.down.color.read(), 3u);
  EXPECT_TRUE(bench_.down.control.read());
  EXPECT_EQ(bench_.cycle.read(), 7u);
  run_to(9);
  EXPECT_FALSE(bench_.down.valid.read());
  const std::string what = "frees a slot that no wavelet is in";
  EXPECT_EQ(seen_, (std::vector<std::string>{text("no_wavelet", 6, 3, what),
                                             text("no_wavelet", 8, 3, what)}));
  EXPECT_EQ(bench_.credits, 1u);  // in cycle 7
}

TEST_F(RampPinErrorsTest, ColorsThatTheRouterDoesNotTake) {
  run_to(1);
  give(3);
  run_to(2);
  give(300);
  bench_.up.credit.write(1U << 24);
  run_to(3);
  const std::string what = "gives a wavelet of a color that its router does not take";
  EXPECT_EQ(seen_, (std::vector<std::string>{
                       text("no_color", 1, 3, what), text("no_color", 2, 255, what),
                       text("no_color", 2, 24, "frees a slot of a color that there is not")}));
  EXPECT_EQ(bench_.wavelets + bench_.credits, 0u);
}

TEST_F(RampPinErrorsTest, OutputsThatMoveBetweenTheEdges) {
  run_to(1);
  sc_core::sc_start(200, sc_core::SC_PS);  // behind the falling edge
  give(2);
  run_to(2);
  EXPECT_EQ(seen_, (std::vector<std::string>{
                       text("late", 1, 2, "to_router changes at 1300 ps, between the edges")}));
}

TEST_F(RampPinErrorsTest, BusyWakesTheClockAtTheNextEdge) {
  run_to(3);
  bench_.busy.write(false);
  run_to(6);
  EXPECT_EQ(bench_.bridge->edges(), 3u);
  bench_.busy.write(true);
  run_to(7);
  EXPECT_EQ(bench_.bridge->edges(), 4u);
  EXPECT_TRUE(bench_.clk.read());
  bench_.busy.write(false);
  sc_core::sc_start();
  EXPECT_EQ(bench_.bridge->edges(), 4u);
  EXPECT_EQ(base::now(), 7250u);
  EXPECT_TRUE(seen_.empty());
}

TEST_F(RampPinErrorsTest, AfterSomethingIsGivenThereIsAnotherEdge) {
  bench_.busy.write(false);
  run_to(5);
  const std::uint64_t edges = bench_.bridge->edges();
  fabric::RampFrame frame;
  frame.cycle = 5;
  frame.wavelets.push_back({0, {9, 3, false, false}});
  bench_.to_bridge.send(frame);
  run_to(7);
  EXPECT_EQ(bench_.bridge->edges(), edges + 1);
  give(2);
  run_to(8);
  EXPECT_EQ(bench_.bridge->edges(), edges + 2);
  bench_.up.valid.write(false);
  bench_.up.credit.write(1U << 3);
  run_to(9);
  EXPECT_EQ(bench_.bridge->edges(), edges + 3);
  bench_.up.credit.write(0);
  sc_core::sc_start();
  EXPECT_EQ(bench_.bridge->edges(), edges + 3);
  EXPECT_FALSE(bench_.down.valid.read());
  EXPECT_EQ(bench_.wavelets, 1u);
  EXPECT_EQ(bench_.credits, 1u);
  frame.cycle = 9;  // a wavelet that the tile does nothing about
  bench_.to_bridge.send(frame);
  sc_core::sc_start();
  EXPECT_EQ(bench_.bridge->edges(), edges + 4);
  EXPECT_FALSE(bench_.down.valid.read());
  EXPECT_TRUE(seen_.empty());
}

}  // namespace
}  // namespace wse::cosim
