// SPDX-License-Identifier: Apache-2.0
// The fabric behind its sockets does what its core does, however the mesh is cut into regions.
#include "wse/fabric/cycle_fabric.h"

#include <gtest/gtest.h>
#include <tlm_utils/simple_target_socket.h>

#include <memory>

#include "support/ramp_checker.h"
#include "support/systemc_test.h"
#include "wse/fabric/noc_run.h"
#include "wse/fabric/reference_fabric.h"
#include "wse/fabric/traffic_region.h"

namespace wse::fabric {
namespace {

using testing_support::WaveletRampChecker;

/// Takes activity and adds it up by die.
struct ActivitySink : sc_core::sc_module {
  tlm_utils::simple_target_socket<ActivitySink> socket{"socket"};
  std::map<std::uint32_t, base::EventCounts> by_die;
  std::uint64_t records = 0;

  explicit ActivitySink(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    socket.register_b_transport(this, &ActivitySink::b_transport);
  }
  void b_transport(tlm::tlm_generic_payload& trans, sc_core::sc_time&) {
    const auto* record = reinterpret_cast<const base::ActivityRecord*>(trans.get_data_ptr());
    for (std::size_t k = 0; k < base::kNumEventKinds; ++k) {
      by_die[record->die][k] += record->counts[k];
    }
    ++records;
    trans.set_response_status(tlm::TLM_OK_RESPONSE);
  }
};

/// A mesh cut into columns x rows regions of traffic, checkers on every ramp.
struct Machine {
  Machine(const TrafficConfig& config, std::uint32_t columns, std::uint32_t rows,
          std::uint32_t receiver_depth, std::uint64_t window_cycles)
      : traffic(config), ticker("ticker", window_cycles * 1000) {
    const Mesh mesh = config.mesh;
    if (receiver_depth > 0) {
      engine.receiver_depth.assign(mesh.tiles() * kNumColors,
                                   static_cast<std::uint8_t>(receiver_depth));
    }
    layout.mesh = mesh;
    for (std::uint32_t j = 0; j < rows; ++j) {
      for (std::uint32_t i = 0; i < columns; ++i) {
        layout.regions.push_back(
            {base::split(mesh.columns, columns, i), base::split(mesh.rows, rows, j)});
      }
    }
    // Two dies, west and east.
    layout.dies = 2;
    for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
      layout.die_of_tile.push_back(mesh.at(tile).x < mesh.columns / 2 ? 0 : 1);
    }
    fabric =
        std::make_unique<CycleFabric>("fabric", traffic.routes(), engine, layout, epochs, ticker);
    fabric->activity_socket.bind(activity.socket);
    for (std::uint32_t r = 0; r < layout.regions.size(); ++r) {
      regions.push_back(std::make_unique<TrafficRegion>(
          sc_core::sc_gen_unique_name("region"), traffic, layout.regions[r], engine, epochs));
      checkers.push_back(std::make_unique<WaveletRampChecker>(
          sc_core::sc_gen_unique_name("checker"), engine, receiver_depth, epochs));
      regions[r]->ramp_out_socket.bind(checkers[r]->from_region);
      checkers[r]->to_fabric.bind(fabric->ramp_in_socket[r]);
      fabric->ramp_out_socket[r].bind(checkers[r]->from_fabric);
      checkers[r]->to_region.bind(regions[r]->ramp_in_socket);
    }
  }

  /// Runs to the end and compares with the core alone.
  void check() {
    NocConfig alone;
    alone.traffic = traffic.config();
    alone.engine = engine;
    alone.engine.receiver_depth.clear();  // what is read at once never fills a queue
    const NocResult expected = run_noc(alone);
    ticker.start();
    sc_core::sc_start(sc_core::sc_time::from_value((expected.cycles + 500) * 1000));
    fabric->report_window(ticker.ended() + 1, base::now());
    LatencyStats sum;
    std::uint64_t injected = 0, refused = 0;
    for (std::uint32_t r = 0; r < regions.size(); ++r) {
      sum.add(regions[r]->stats());
      injected += regions[r]->injected();
      refused += regions[r]->refused();
      EXPECT_EQ(checkers[r]->violations(), std::vector<std::string>{});
      EXPECT_GT(checkers[r]->wavelets(), 0u);
    }
    EXPECT_EQ(injected, expected.injected);
    EXPECT_EQ(refused, expected.refused);
    EXPECT_EQ(sum.delivered(), expected.delivered);
    EXPECT_EQ(sum.last_cycle() + 1, expected.cycles);
    base::ResultHash hash;
    for (const std::uint64_t value : {expected.offered, injected, refused,
                                      fabric->core().counts().hops, sum.last_cycle() + 1}) {
      hash.add(value);
    }
    sum.add_to(hash);
    EXPECT_EQ(hash.text(), expected.result_hash);
    EXPECT_EQ(fabric->core().held(), 0u);
    std::uint64_t hops = 0, ramps = 0;
    for (const auto& [die, counts] : activity.by_die) {
      hops += at(counts, base::EventKind::kLinkHop);
      ramps += at(counts, base::EventKind::kRamp);
    }
    EXPECT_EQ(hops, expected.hops);
    EXPECT_EQ(ramps, expected.delivered);
  }

  const Traffic traffic;
  EngineConfig engine;
  FabricLayout layout;
  base::ClockEpochs epochs{1'000'000'000};
  base::WindowTicker ticker;
  ActivitySink activity{"activity"};
  std::unique_ptr<CycleFabric> fabric;
  std::vector<std::unique_ptr<TrafficRegion>> regions;
  std::vector<std::unique_ptr<WaveletRampChecker>> checkers;
};

TrafficConfig halo(double rate) {
  TrafficConfig config;
  config.mesh = {12, 9};
  config.pattern = Pattern::kHalo;
  config.rate = rate;
  config.radius = 2;
  config.cycles = 300;
  return config;
}

class CycleFabricTest : public testing_support::SystemCTest {};

TEST_F(CycleFabricTest, OneRegion) { Machine(halo(0.2), 1, 1, 4, 100).check(); }
TEST_F(CycleFabricTest, ManyRegions) { Machine(halo(0.2), 4, 3, 4, 100).check(); }
TEST_F(CycleFabricTest, ARegionATile) { Machine(halo(0.2), 12, 9, 4, 64).check(); }
TEST_F(CycleFabricTest, SparseTraffic) { Machine(halo(0.0005), 3, 2, 4, 1000).check(); }
TEST_F(CycleFabricTest, ComputeEnginesThatTakeEverything) {
  Machine(halo(0.2), 2, 2, 0, 100).check();
}
TEST_F(CycleFabricTest, RoutersThatAreSimulatedElsewhere) {
  Machine machine(halo(0.02), 3, 2, 4, 100);
  for (const std::uint32_t tile : {0U, 1U, 50U, 62U, 107U}) {
    machine.fabric->set_twin(tile, make_router(machine.traffic.routes(), tile, machine.engine));
  }
  machine.check();
}
TEST_F(CycleFabricTest, SourcesThatAreRefused) {
  TrafficConfig config = halo(0.3);
  config.pattern = Pattern::kHotspot;
  config.packet = 3;
  Machine(config, 3, 3, 4, 100).check();
}

}  // namespace
}  // namespace wse::fabric
