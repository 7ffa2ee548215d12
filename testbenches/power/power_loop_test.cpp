// SPDX-License-Identifier: Apache-2.0
// The monitor in a loop with a whole wafer of cores that do as much as its clock lets them.
#include <gtest/gtest.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <cmath>

#include "support/systemc_test.h"
#include "wse/power/power_monitor.h"

namespace wse::power {
namespace {

using base::ActivityRecord;
using base::EventCounts;
using base::EventKind;

constexpr base::Picoseconds kWindow = 1'000'000'000;  // 1 ms
constexpr std::uint64_t kHz = 1'100'000'000;

struct Load : sc_core::sc_module {
  explicit Load(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    registers.register_nb_transport_bw(this, &Load::answer);
  }
  tlm::tlm_sync_enum answer(tlm::tlm_generic_payload&, tlm::tlm_phase& phase, sc_core::sc_time&) {
    if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;
    ++answers;
    phase = tlm::END_RESP;
    return tlm::TLM_COMPLETED;
  }
  int answers = 0;
  tlm_utils::simple_initiator_socket<Load> activity{"activity"};
  tlm_utils::simple_initiator_socket<Load> registers{"registers"};
};

/// A thousand cycles of a core: dense fp16 AXPY, with as many wavelets a cycle.
EventCounts dense(std::uint64_t wavelets) {
  EventCounts n{};
  at(n, EventKind::kFmacFp16) = 4000;
  at(n, EventKind::kSramRead64) = 2000;
  at(n, EventKind::kSramWrite64) = 1000;
  at(n, EventKind::kLocalCache) = 2000;
  at(n, EventKind::kControlCycle) = at(n, EventKind::kClockRunning) = 1000;
  at(n, EventKind::kRouterTraversal) = wavelets * 5 / 4;
  at(n, EventKind::kLinkHop) = wavelets;
  at(n, EventKind::kRamp) = wavelets / 4;
  return n;
}

class PowerLoopTest : public testing_support::SystemCTest {
 protected:
  struct Machine {
    Machine(const PowerConfig& config, const ThermalConfig& thermal)
        : monitor("monitor", config, thermal, table, geometry, epochs, kHz, ticker) {
      load.activity.bind(monitor.activity_socket);
      load.registers.bind(monitor.register_socket);
      sc_core::sc_start(sc_core::SC_ZERO_TIME);
      ticker.start();
    }
    /// Windows in which the cores of a die do `work(die)`, as many thousand cycles as the clock makes.
    template <class Work>
    void run(int windows, Work&& work) {
      for (int i = 0; i < windows; ++i) {
        const base::Picoseconds begin = base::now();
        sc_core::sc_start(base::to_sc_time(kWindow));
        const std::uint64_t cycles =
            epochs.cycle_at_or_after(base::now()) - epochs.cycle_at_or_after(begin);
        for (std::uint32_t die = 0; die < geometry.dies(); ++die) post(die, cycles, work(die));
      }
      sc_core::sc_start(base::to_sc_time(kWindow / 2 + 1));  // the last one is closed
      sc_core::sc_start(base::to_sc_time(kWindow / 2 - 1));
    }
    void post(std::uint32_t die, std::uint64_t cycles, const EventCounts& per_thousand) {
      ActivityRecord record;
      record.die = die;
      record.phase = base::Phase::kForward;
      record.window = base::now() / kWindow - 1;
      record.phase_cycles = 1;
      for (std::size_t k = 0; k < base::kNumEventKinds; ++k) {
        record.counts[k] = per_thousand[k] * geometry.tiles_per_die() * cycles / 1000;
      }
      tlm::tlm_generic_payload trans;
      trans.set_command(tlm::TLM_WRITE_COMMAND);
      trans.set_address(die * sizeof record);
      trans.set_data_ptr(reinterpret_cast<unsigned char*>(&record));
      trans.set_data_length(sizeof record);
      trans.set_streaming_width(sizeof record);
      sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
      load.activity->b_transport(trans, delay);
      ASSERT_EQ(trans.get_response_status(), tlm::TLM_OK_RESPONSE);
    }
    /// Windows between two changes of the clock, the shortest.
    std::uint64_t shortest_dwell() const {
      std::uint64_t shortest = ~std::uint64_t{0};
      std::uint64_t last = 0;
      const auto& trace = monitor.samples();
      for (std::size_t i = 1; i < trace.size(); ++i) {
        if (trace[i].state == trace[i - 1].state) continue;
        if (last != 0) shortest = std::min(shortest, trace[i].window - last);
        last = trace[i].window;
      }
      return shortest;
    }
    int changes() const {
      int n = 0;
      const auto& trace = monitor.samples();
      for (std::size_t i = 1; i < trace.size(); ++i) n += trace[i].state != trace[i - 1].state;
      return n;
    }

    const base::WaferGeometry geometry{base::GeometryConfig()};
    base::ClockEpochs epochs{kHz};
    base::WindowTicker ticker{"ticker", kWindow};
    const EnergyTable table = EnergyTable::read(WSE_SOURCE_DIR "/configs/energy/n7.csv");
    PowerMonitor monitor;
    Load load{"load"};
  };
};

TEST_F(PowerLoopTest, APowerVirusIsHeldAtFifteenKilowattsWithoutOscillation) {
  Machine m({}, ThermalConfig());
  m.run(1500, [](std::uint32_t) { return dense(4000); });
  const auto& trace = m.monitor.samples();
  EXPECT_GT(trace.front().wafer_w, 19'000);  // before anybody knows
  for (std::size_t i = 60; i < trace.size(); ++i) EXPECT_LT(trace[i].wafer_w, 15'000) << i;
  EXPECT_GE(m.shortest_dwell(), 10u);
  EXPECT_LE(m.changes(), 5);
  EXPECT_EQ(trace[trace.size() - 500].state, trace.back().state);
  // As near as a state allows: the next faster one would be too much.
  EXPECT_GT(trace.back().wafer_w, 10'000);
}

TEST_F(PowerLoopTest, HalfTheCoolantFlowWarmsAndChangesNoClock) {
  ThermalConfig slow;
  slow.flow_kg_s = 0.25;
  PowerConfig config;
  config.cap_w = 17'000;
  Machine m(config, slow);
  m.run(8000, [](std::uint32_t) { return dense(333); });
  const WindowSample& end = m.monitor.samples().back();
  EXPECT_EQ(end.state, 0u);
  // 2 x 7.175 K for 15 kW, and what leaks more for it.
  EXPECT_NEAR(end.coolant_out_c - 25, 14.35 * end.wafer_w / 15'000, 0.15);
  EXPECT_NEAR(end.mean_c, 25 + (24.06 + 7.175) * end.wafer_w / 15'000, 0.5);
}

TEST_F(PowerLoopTest, OneHotDieIsThrottledAndReleasedBelowTheHysteresis) {
  PowerConfig config;
  config.throttle_c = 48;
  config.release_c = 44;
  Machine m(config, ThermalConfig());
  const auto one_hot = [](std::uint32_t die) { return die == 40 ? dense(4000) : dense(0); };
  m.run(1500, one_hot);
  const auto& trace = m.monitor.samples();
  const auto hottest = [](const WindowSample& s) {
    return std::max_element(s.die_c.begin(), s.die_c.end()) - s.die_c.begin();
  };
  EXPECT_EQ(hottest(trace.back()), 40);
  EXPECT_GT(trace.back().state, 0u) << trace.back().hottest_c;
  int above = 0;
  for (const WindowSample& s : trace) above += s.hottest_c > 48 + 2 ? 1 : 0;
  EXPECT_LT(above, 50);  // windows of a millisecond
  EXPECT_GE(m.shortest_dwell(), 10u);
  m.run(3000, [](std::uint32_t) { return EventCounts{}; });
  EXPECT_EQ(m.monitor.samples().back().state, 0u);
}

TEST_F(PowerLoopTest, AColdStartFollowsTheTimeConstants) {
  Machine m({}, ThermalConfig());
  m.run(4000, [](std::uint32_t) { return dense(100); });
  const auto& trace = m.monitor.samples();
  EXPECT_NEAR(trace.front().mean_c, 25, 3);
  for (std::size_t i = 1; i < trace.size(); ++i) {
    EXPECT_GE(trace[i].mean_c, trace[i - 1].mean_c - 1e-6) << i;
  }
  // 63 % of the way after about 0.7 s: what stores heat, times the way out.
  const double end = trace.back().mean_c;
  std::size_t at = 0;
  while (trace[at].mean_c < 25 + (end - 25) * 0.632) ++at;
  EXPECT_NEAR(static_cast<double>(at), 650, 250);
}

TEST_F(PowerLoopTest, ADieThatReachesTheLimitEndsTheRun) {
  ThermalConfig dry;
  dry.convection_w_m2k = 2'500;
  PowerConfig config;
  config.cap_w = 100'000;
  config.throttle_c = 85;
  config.shutdown_c = 86;
  Machine m(config, dry);
  try {
    m.run(20'000, [](std::uint32_t) { return dense(4000); });
    FAIL() << "no shutdown";
  } catch (const std::exception& error) {
    const std::string text = error.what();
    for (const char* part : {"thermal shutdown: die (", "power.shutdown_c is 86.0 C", "kW"})
      EXPECT_NE(text.find(part), std::string::npos) << text;
  }
}

struct Payloads final : tlm::tlm_mm_interface {
  void free(tlm::tlm_generic_payload*) override {}
};

/// The same registers by the phases of the base protocol.
TEST_F(PowerLoopTest, RegistersAnswerApproximatelyTimedInitiators) {
  Machine m({}, ThermalConfig());
  m.run(2, [](std::uint32_t) { return dense(333); });
  Payloads payloads;
  std::uint64_t value = 0;
  tlm::tlm_generic_payload trans(&payloads);
  trans.acquire();
  trans.set_read();
  trans.set_address(registers::kEnergyUj);
  trans.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
  trans.set_data_length(8);
  trans.set_streaming_width(8);
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  EXPECT_NE(m.load.registers->nb_transport_fw(trans, phase, delay), tlm::TLM_COMPLETED);
  sc_core::sc_start(sc_core::sc_time(10, sc_core::SC_NS));
  EXPECT_EQ(m.load.answers, 1);
  EXPECT_EQ(trans.get_response_status(), tlm::TLM_OK_RESPONSE);
  EXPECT_NEAR(static_cast<double>(value), m.monitor.accounts().total() * 1e6, 1);
}

}  // namespace
}  // namespace wse::power
