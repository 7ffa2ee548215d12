// SPDX-License-Identifier: Apache-2.0
#include "wse/power/power_monitor.h"

#include <gtest/gtest.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <numeric>

#include "support/systemc_test.h"
#include "support/tlm_protocol_checker.h"

namespace wse::power {
namespace {

using base::ActivityRecord;
using base::EventKind;
using base::Phase;

constexpr base::Picoseconds kWindow = 1'000'000'000;  // 1 ms

struct Driver : sc_core::sc_module {
  explicit Driver(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {}
  tlm_utils::simple_initiator_socket<Driver> activity{"activity"};
  tlm_utils::simple_initiator_socket<Driver> registers{"registers"};
};

/// The monitor of a 2 x 2 die wafer between a driver and protocol checkers.
class PowerMonitorTest : public testing_support::SystemCTest {
 protected:
  PowerMonitorTest() {
    driver_.activity.bind(activity_checker_.target_socket);
    activity_checker_.initiator_socket.bind(monitor_.activity_socket);
    driver_.registers.bind(register_checker_.target_socket);
    register_checker_.initiator_socket.bind(monitor_.register_socket);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    ticker_.start();
  }
  ~PowerMonitorTest() override {
    EXPECT_TRUE(activity_checker_.violations().empty()) << activity_checker_.violations().front();
    EXPECT_TRUE(register_checker_.violations().empty()) << register_checker_.violations().front();
  }
  static base::GeometryConfig small() {
    base::GeometryConfig g;
    g.die_columns = g.die_rows = 2;
    g.die_tiles_columns = g.die_tiles_rows = 100;
    g.fabric_columns = g.fabric_rows = g.user_columns = g.user_rows = 190;
    g.user_x = g.user_y = 0;
    g.defects = 0;
    return g;
  }
  static PowerConfig low_cap() {
    PowerConfig config;
    config.cap_w = 1'000;
    return config;
  }
  tlm::tlm_response_status post(ActivityRecord record, std::uint64_t address,
                                unsigned length = sizeof(ActivityRecord),
                                tlm::tlm_command command = tlm::TLM_WRITE_COMMAND) {
    tlm::tlm_generic_payload trans;
    trans.set_command(command);
    trans.set_address(address);
    trans.set_data_ptr(reinterpret_cast<unsigned char*>(&record));
    trans.set_data_length(length);
    trans.set_streaming_width(length);
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    driver_.activity->b_transport(trans, delay);
    return trans.get_response_status();
  }
  static ActivityRecord record(std::uint32_t die, std::uint64_t window, std::uint64_t hops) {
    ActivityRecord r;
    r.die = die;
    r.phase = die % 2 == 0 ? Phase::kForward : Phase::kBackward;
    r.window = window;
    r.phase_cycles = 1;
    at(r.counts, EventKind::kLinkHop) = hops;
    return r;
  }
  static void set_register(tlm::tlm_generic_payload& trans, std::uint64_t address,
                           std::uint64_t& value) {
    trans.set_read();
    trans.set_address(address);
    trans.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    trans.set_data_length(8);
    trans.set_streaming_width(8);
  }
  std::pair<tlm::tlm_response_status, std::uint64_t> access(
      std::uint64_t address, tlm::tlm_command command = tlm::TLM_READ_COMMAND,
      std::uint64_t value = 0) {
    tlm::tlm_generic_payload trans;
    set_register(trans, address, value);
    trans.set_command(command);
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    driver_.registers->b_transport(trans, delay);
    return {trans.get_response_status(), value};
  }
  std::uint64_t read(std::uint64_t address) {
    const auto [status, value] = access(address);
    EXPECT_EQ(status, tlm::TLM_OK_RESPONSE) << address;
    return value;
  }
  std::uint64_t debug(std::uint64_t address) {
    std::uint64_t value = 0;
    tlm::tlm_generic_payload trans;
    set_register(trans, address, value);
    EXPECT_EQ(driver_.registers->transport_dbg(trans), 8u);
    return value;
  }
  static std::uint64_t address_of(std::uint32_t die) { return die * sizeof(ActivityRecord); }
  void run_windows(int n, std::uint64_t hops) {
    for (int i = 0; i < n; ++i) {
      sc_core::sc_start(base::to_sc_time(kWindow));
      const std::uint64_t window = base::now() / kWindow - 1;
      for (std::uint32_t die = 0; die < 4; ++die) {
        ASSERT_EQ(post(record(die, window, hops), address_of(die)), tlm::TLM_OK_RESPONSE);
      }
    }
  }

  base::WaferGeometry geometry_{small()};
  base::ClockEpochs epochs_{1'100'000'000};
  base::WindowTicker ticker_{"ticker", kWindow};
  EnergyTable table_ = EnergyTable::read(WSE_SOURCE_DIR "/configs/energy/n7.csv");
  PowerMonitor monitor_{"monitor", low_cap(), ThermalConfig{}, table_,
                        geometry_, epochs_,   1'100'000'000,   ticker_};
  Driver driver_{"driver"};
  testing_support::TlmProtocolChecker activity_checker_{"activity_checker"};
  testing_support::TlmProtocolChecker register_checker_{"register_checker"};
};

TEST_F(PowerMonitorTest, EnergyByKindByDieByPhaseAndOfTheTraceAgree) {
  run_windows(20, 50'000'000'000);
  sc_core::sc_start(base::to_sc_time(kWindow / 3));
  for (std::uint32_t die = 0; die < 4; ++die) {
    ASSERT_EQ(post(record(die, 20, 1'000'000'007), address_of(die)), tlm::TLM_OK_RESPONSE);
  }
  monitor_.finish(base::now());
  const EnergyAccounts& accounts = monitor_.accounts();
  const auto sum = [](const std::vector<double>& v) {
    return std::accumulate(v.begin(), v.end(), 0.0);
  };
  double trace = 0;
  for (const WindowSample& s : monitor_.samples())
    trace += s.wafer_w * static_cast<double>(s.end - s.begin) * 1e-12;
  const double total = accounts.total();
  EXPECT_NEAR(sum(accounts.by_die()) / total, 1, 1e-9);
  EXPECT_NEAR(sum(accounts.by_phase()) / total, 1, 1e-9);
  EXPECT_NEAR(trace / total, 1, 1e-9);
  EXPECT_EQ(monitor_.samples().size(), 21u);
  EXPECT_EQ(accounts.count(EventKind::kLinkHop), 4u * (20 * 50'000'000'000 + 1'000'000'007));
  // Idle clocks: every core and cycle that no record called running.
  EXPECT_EQ(accounts.count(EventKind::kClockGated),
            40'000u * epochs_.cycle_at_or_after(20 * kWindow + kWindow / 3));
}

TEST_F(PowerMonitorTest, BadRecordsAreRefusedAndCostNothing) {
  run_windows(2, 1'000);
  sc_core::sc_start(base::to_sc_time(kWindow / 2 + 1));  // window 1 is closed now
  EXPECT_EQ(post(record(0, 1, 5), address_of(0)), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(post(record(0, 9, 5), address_of(0)), tlm::TLM_GENERIC_ERROR_RESPONSE);  // far ahead
  EXPECT_EQ(post(record(1, 2, 5), address_of(0)),
            tlm::TLM_GENERIC_ERROR_RESPONSE);  // die and address differ
  EXPECT_EQ(post(record(4, 2, 5), address_of(4)), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(post(record(0, 2, 5), 8), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(post(record(0, 2, 5), address_of(0), 8), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(post(record(0, 2, 5), address_of(0), sizeof(ActivityRecord), tlm::TLM_READ_COMMAND),
            tlm::TLM_COMMAND_ERROR_RESPONSE);
  ActivityRecord strange = record(0, 2, 5);
  strange.phase = static_cast<Phase>(99);
  EXPECT_EQ(post(strange, address_of(0)), tlm::TLM_GENERIC_ERROR_RESPONSE);
  monitor_.finish(base::now());
  EXPECT_EQ(monitor_.accounts().count(EventKind::kLinkHop), 8'000u);
}

TEST_F(PowerMonitorTest, TheBudgetSlowsTheClockAtTheBoundaryAfterTheNext) {
  run_windows(10, 2'000'000'000'000);  // 4 kW of links alone, the cap is 1 kW
  sc_core::sc_start(
      base::to_sc_time(kWindow / 2 + 1));  // window 9 is closed: the mean of ten is known
  ASSERT_EQ(epochs_.epochs().size(), 2u);
  EXPECT_EQ(epochs_.epochs()[1].time, epochs_.time_of(epochs_.epochs()[1].cycle));
  EXPECT_EQ(epochs_.epochs()[1].cycle, epochs_.cycle_at_or_after(11 * kWindow));
  EXPECT_EQ(epochs_.hz_at(epochs_.cycle_at_or_after(11 * kWindow) - 1), 1'100'000'000u);
  EXPECT_EQ(epochs_.hz_at(epochs_.cycle_at_or_after(11 * kWindow)), 990'000'000u);
}

TEST_F(PowerMonitorTest, RegistersTellWhatTheTraceHolds) {
  run_windows(3, 100'000'000'000);
  sc_core::sc_start(base::to_sc_time(kWindow / 2 + 1));
  const WindowSample& last = monitor_.samples().back();
  EXPECT_NEAR(static_cast<double>(read(registers::kWaferPowerMw)), last.wafer_w * 1000, 1);
  EXPECT_NEAR(static_cast<double>(read(registers::kDiePowerMw + 8)),
              static_cast<double>(last.die_w[1]) * 1000, 1);
  EXPECT_NEAR(static_cast<double>(read(registers::kDieDeciC + 16)),
              static_cast<double>(last.die_c[2]) * 10, 1);
  EXPECT_NEAR(static_cast<double>(read(registers::kDieEnergyUj)),
              monitor_.accounts().by_die()[0] * 1e6, 2);
  EXPECT_GE(read(registers::kDiePeakDeciC), read(registers::kDieDeciC));
  EXPECT_EQ(read(registers::kCapMw), 1'000'000u);
  EXPECT_EQ(read(registers::kWindows), 3u);
  EXPECT_EQ(read(registers::kThrottleDeciC), 850u);
  EXPECT_GT(read(registers::kWorstDroopUv), 0u);
  EXPECT_GE(read(registers::kCoolantOutDeciC), 250u);
  EXPECT_EQ(access(0x4000).first, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(access(4).first, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(access(registers::kDieDeciC + 8 * 4).first, tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

TEST_F(PowerMonitorTest, EnergyIsToldOnceAndDebugReadsTakeNothing) {
  run_windows(2, 100'000'000'000);
  sc_core::sc_start(base::to_sc_time(kWindow / 2 + 1));
  const std::uint64_t all = read(registers::kEnergyUj);
  EXPECT_EQ(debug(registers::kNewEnergyUj), all);
  EXPECT_EQ(debug(registers::kNewEnergyUj), all);
  EXPECT_EQ(read(registers::kNewEnergyUj), all);
  EXPECT_EQ(read(registers::kNewEnergyUj), 0u);
  sc_core::sc_start(base::to_sc_time(kWindow));
  EXPECT_EQ(read(registers::kNewEnergyUj), read(registers::kEnergyUj) - all);
}

TEST_F(PowerMonitorTest, LimitsAreWrittenIfTheyKeepTheRules) {
  const auto write = [this](std::uint64_t address, std::uint64_t value) {
    return access(address, tlm::TLM_WRITE_COMMAND, value).first;
  };
  EXPECT_EQ(write(registers::kCapMw, 2'000'000), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(read(registers::kCapMw), 2'000'000u);
  EXPECT_EQ(write(registers::kCapMw, 0), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(read(registers::kCapMw), 2'000'000u);
  EXPECT_EQ(write(registers::kThrottleDeciC, 770), tlm::TLM_GENERIC_ERROR_RESPONSE);  // release 78
  EXPECT_EQ(write(registers::kShutdownDeciC, 800), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(write(registers::kReleaseDeciC, 700), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(write(registers::kThrottleDeciC, 770), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(read(registers::kThrottleDeciC), 770u);
  EXPECT_EQ(write(registers::kWaferPowerMw, 1), tlm::TLM_COMMAND_ERROR_RESPONSE);
  EXPECT_EQ(write(registers::kInterruptEnable, 8), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(write(0x4000, 1), tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

TEST_F(PowerMonitorTest, TheInterruptStaysUntilItIsCleared) {
  access(registers::kInterruptEnable, tlm::TLM_WRITE_COMMAND, registers::kOverCap);
  run_windows(9, 2'000'000'000'000);  // 4 kW of links alone, the cap is 1 kW
  EXPECT_FALSE(monitor_.interrupt.read());
  run_windows(2, 0);
  EXPECT_TRUE(monitor_.interrupt.read());
  EXPECT_EQ(read(registers::kInterruptStatus) & registers::kOverCap, registers::kOverCap);
  run_windows(12, 0);
  EXPECT_TRUE(monitor_.interrupt.read());  // though nothing is above the cap now
  access(registers::kInterruptStatus, tlm::TLM_WRITE_COMMAND, registers::kAllInterrupts);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  EXPECT_FALSE(monitor_.interrupt.read());
}

}  // namespace
}  // namespace wse::power
