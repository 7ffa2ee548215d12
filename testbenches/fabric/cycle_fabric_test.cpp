// SPDX-License-Identifier: Apache-2.0
// The fabric behind its sockets does what its core does, however the mesh is cut into regions.
#include "wse/fabric/cycle_fabric.h"

#include <gtest/gtest.h>
#include <tlm_utils/simple_target_socket.h>

#include <cmath>
#include <memory>

#include "support/ramp_checker.h"
#include "support/systemc_test.h"
#include "wse/fabric/noc_run.h"
#include "wse/fabric/reference_fabric.h"
#include "wse/fabric/traffic_region.h"

namespace wse::fabric {
namespace {

using testing_support::WaveletLaneChecker;
using testing_support::WaveletRampChecker;

/// Makes a lane of a region of traffic, whose tiles become edge ports.
struct LaneOfRegion : sc_core::sc_module {
  CycleFabric::RampTarget from_region{"from_region"};
  CycleFabric::LaneInitiator to_fabric{"to_fabric"};
  CycleFabric::LaneTarget from_fabric{"from_fabric"};
  CycleFabric::RampInitiator to_region{"to_region"};

  explicit LaneOfRegion(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    from_region.on_receive([this](RampFrame& frame) {
      LaneBlock block;
      block.kind = LaneBlock::Kind::kWavelets;
      block.cycle = frame.cycle;
      block.wavelets = frame.wavelets;
      block.credits = frame.credits;
      to_fabric.send(block);
    });
    from_fabric.on_receive([this](LaneBlock& block) {
      RampFrame frame;
      frame.cycle = block.cycle;
      frame.wavelets = block.wavelets;
      frame.credits = block.credits;
      to_region.send(frame);
    });
  }
};

/// Takes activity and adds it up by die.
struct ActivitySink : sc_core::sc_module {
  tlm_utils::simple_target_socket<ActivitySink> socket{"socket"};
  std::map<std::uint32_t, base::EventCounts> by_die;
  std::map<std::uint64_t, std::uint64_t> hops_by_window;

  explicit ActivitySink(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    socket.register_b_transport(this, &ActivitySink::b_transport);
  }
  void b_transport(tlm::tlm_generic_payload& trans, sc_core::sc_time&) {
    const auto* record = reinterpret_cast<const base::ActivityRecord*>(trans.get_data_ptr());
    for (std::size_t k = 0; k < base::kNumEventKinds; ++k) {
      by_die[record->die][k] += record->counts[k];
    }
    hops_by_window[record->window] += at(record->counts, base::EventKind::kLinkHop);
    trans.set_response_status(tlm::TLM_OK_RESPONSE);
  }
};

/// Hops of every cycle.
class CycleHops final : public RouterWatch {
 public:
  explicit CycleHops(Mesh mesh) : tiles_{{0, mesh.columns}, {0, mesh.rows}} {}
  base::Rectangle tiles() const override { return tiles_; }
  bool watches(base::Cycles) override { return true; }
  void see(base::Cycles cycle, const std::vector<QueueFill>&,
           const std::vector<LinkEvent>& events) override {
    for (const LinkEvent& e : events) hops[cycle] += e.port != Port::kRamp ? 1 : 0;
  }
  std::map<base::Cycles, std::uint64_t> hops;

 private:
  const base::Rectangle tiles_;
};

/// A mesh cut into columns x rows regions of traffic, checkers on every ramp and lane. With lanes,
/// the column in the west belongs to edge ports, three rows a lane.
struct Machine {
  Machine(const TrafficConfig& config, std::uint32_t columns, std::uint32_t rows,
          std::uint32_t receiver_depth, double window_cycles, bool lanes = false)
      : traffic(config),
        ticker("ticker", static_cast<base::Picoseconds>(std::lround(window_cycles * 1000))) {
    const Mesh mesh = config.mesh;
    if (receiver_depth > 0) {
      engine.receiver_depth.assign(mesh.tiles() * kNumColors,
                                   static_cast<std::uint8_t>(receiver_depth));
    }
    layout.mesh = mesh;
    const std::uint32_t west = lanes ? 1 : 0;
    for (std::uint32_t j = 0; j < rows; ++j) {
      for (std::uint32_t i = 0; i < columns; ++i) {
        const base::Span x = base::split(mesh.columns - west, columns, i);
        layout.regions.push_back({{x.begin + west, x.end + west}, base::split(mesh.rows, rows, j)});
      }
    }
    std::vector<base::Rectangle> places = layout.regions;
    for (std::uint32_t y = 0; lanes && y < mesh.rows; y += 3) {
      places.push_back({{0, 1}, {y, y + 3}});
      layout.lanes.push_back({mesh.tile(0, y), mesh.tile(0, y + 1), mesh.tile(0, y + 2)});
    }
    // Two dies, west and east.
    layout.dies = 2;
    for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
      layout.die_of_tile.push_back(mesh.at(tile).x < mesh.columns / 2 ? 0 : 1);
    }
    fabric =
        std::make_unique<CycleFabric>("fabric", traffic.routes(), engine, layout, epochs, ticker);
    fabric->activity_socket.bind(activity.socket);
    for (const base::Rectangle& tiles : places) {
      regions.push_back(std::make_unique<TrafficRegion>(sc_core::sc_gen_unique_name("region"),
                                                        traffic, tiles, engine, epochs));
    }
    for (std::uint32_t r = 0; r < layout.regions.size(); ++r) {
      ramp_checkers.push_back(std::make_unique<WaveletRampChecker>(
          sc_core::sc_gen_unique_name("checker"), engine, receiver_depth, epochs));
      connect(*regions[r], *ramp_checkers[r], fabric->ramp_in_socket[r],
              fabric->ramp_out_socket[r]);
    }
    for (std::uint32_t l = 0; l < layout.lanes.size(); ++l) {
      lane_checkers.push_back(std::make_unique<WaveletLaneChecker>(
          sc_core::sc_gen_unique_name("checker"), engine, receiver_depth, epochs));
      adapters.push_back(std::make_unique<LaneOfRegion>(sc_core::sc_gen_unique_name("lane")));
      TrafficRegion& region = *regions[layout.regions.size() + l];
      region.ramp_out_socket.bind(adapters[l]->from_region);
      adapters[l]->to_region.bind(region.ramp_in_socket);
      adapters[l]->to_fabric.bind(lane_checkers[l]->from_region);
      lane_checkers[l]->to_region.bind(adapters[l]->from_fabric);
      lane_checkers[l]->to_fabric.bind(fabric->lane_in_socket[l]);
      fabric->lane_out_socket[l].bind(lane_checkers[l]->from_fabric);
    }
  }
  static void connect(TrafficRegion& region, WaveletRampChecker& checker,
                      CycleFabric::RampTarget& in, CycleFabric::RampInitiator& out) {
    region.ramp_out_socket.bind(checker.from_region);
    checker.to_fabric.bind(in);
    out.bind(checker.from_fabric);
    checker.to_region.bind(region.ramp_in_socket);
  }

  /// Runs to the end and compares with the core alone.
  void check() {
    NocConfig alone;
    alone.traffic = traffic.config();
    alone.engine = engine;
    alone.engine.receiver_depth.clear();  // what is read at once never fills a queue
    CycleHops watch(layout.mesh);
    alone.watch = &watch;
    const NocResult expected = run_noc(alone);
    ticker.start();
    sc_core::sc_start(sc_core::sc_time::from_value((expected.cycles + 500) * 1000));
    fabric->report_window(ticker.window_at(base::now()), base::now());
    LatencyStats sum;
    std::uint64_t injected = 0, refused = 0;
    for (const auto& region : regions) {
      sum.add(region->stats());
      injected += region->injected();
      refused += region->refused();
    }
    for (const auto& checker : ramp_checkers) expect_clean(*checker);
    for (const auto& checker : lane_checkers) expect_clean(*checker);
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
    EXPECT_EQ(ramps, injected + expected.delivered);
    // What happens from an edge on belongs to the window in which the edge lies.
    std::map<std::uint64_t, std::uint64_t> by_window;
    for (const auto& [cycle, count] : watch.hops) {
      if (count != 0) by_window[ticker.window_at(epochs.time_of(cycle))] += count;
    }
    EXPECT_EQ(activity.hops_by_window, by_window);
  }

  template <class Checker>
  static void expect_clean(const Checker& checker) {
    EXPECT_EQ(checker.violations(), std::vector<std::string>{});
    EXPECT_GT(checker.wavelets(), 0u);
  }

  const Traffic traffic;
  EngineConfig engine;
  FabricLayout layout;
  base::ClockEpochs epochs{1'000'000'000};
  base::WindowTicker ticker;
  ActivitySink activity{"activity"};
  std::unique_ptr<CycleFabric> fabric;
  std::vector<std::unique_ptr<TrafficRegion>> regions;
  std::vector<std::unique_ptr<WaveletRampChecker>> ramp_checkers;
  std::vector<std::unique_ptr<WaveletLaneChecker>> lane_checkers;
  std::vector<std::unique_ptr<LaneOfRegion>> adapters;
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
TEST_F(CycleFabricTest, WindowsThatEndBetweenEdges) { Machine(halo(0.2), 2, 2, 4, 7.3).check(); }
TEST_F(CycleFabricTest, LanesThatBroadcastAlongRows) {
  TrafficConfig config = halo(0.7);
  config.pattern = Pattern::kRowBroadcast;
  Machine(config, 2, 2, 4, 100, true).check();
}
TEST_F(CycleFabricTest, LanesThatTakeWhatTilesSend) {
  TrafficConfig config = halo(0.05);
  config.pattern = Pattern::kAllToEdge;
  Machine(config, 4, 3, 4, 100, true).check();
}
TEST_F(CycleFabricTest, LanesBothWays) { Machine(halo(0.2), 2, 2, 4, 64, true).check(); }
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
