// SPDX-License-Identifier: Apache-2.0
// A bench to copy: the power monitor of a wafer, fed with activity window by window. The driver
// plays all cores idle, at full load and idle again, and reads the registers as a host would.
#include <tlm_utils/simple_initiator_socket.h>

#include "waves.h"
#include "wse/base/activity_port.h"
#include "wse/power/power_monitor.h"

using namespace sc_core;
using namespace wse;

struct Driver : sc_module {
  tlm_utils::simple_initiator_socket<Driver> activity_socket{"activity_socket"};
  tlm_utils::simple_initiator_socket<Driver> register_socket{"register_socket"};
  const base::WaferGeometry geometry{base::GeometryConfig{}};
  base::ClockEpochs epochs{1'100'000'000};             // the monitor changes the clock here
  base::WindowTicker ticker{"ticker", 1'000'000'000};  // windows of 1 ms
  std::uint64_t load = 0, state = 0, slowest = 0;
  double power_kw = 0, hottest_c = 25;

  SC_CTOR(Driver) { SC_THREAD(run); }
  void run() {
    ticker.start();
    play(200, 0);
    play(1500, 1);
    play(800, 0);
    ticker.stop();
  }
  void play(int windows, std::uint64_t steps) {  // vector steps a core and cycle
    for (load = steps; windows > 0; --windows) {
      wait(ticker.tick());  // at its end the activity of a window is posted, a record a die ..
      base::ActivityRecord record;
      record.window = ticker.ended();
      record.phase_cycles = geometry.tiles_per_die() * epochs.hz_at(cycle() - 1) / 1000;
      using Kind = base::EventKind;
      const std::uint64_t all = steps * record.phase_cycles;
      const auto add = [&](Kind k, std::uint64_t n) { at(record.counts, k) = n * all; };
      add(Kind::kFmacFp16, 4), add(Kind::kSramRead64, 2), add(Kind::kSramWrite64, 1);
      add(Kind::kClockRunning, 1), add(Kind::kControlCycle, 1), add(Kind::kLinkHop, 5);
      for (record.die = 0; record.die < geometry.dies(); ++record.die)
        base::post_activity(activity_socket, record, "/bench/power/refused");
      wait(base::to_sc_time(ticker.window()) * 0.75);  // .. and closed half a window later
      power_kw = double(read(power::registers::kWaferPowerMw)) * 1e-6;
      hottest_c = double(read(power::registers::kHottestDeciC)) * 0.1;
      slowest = std::max(slowest, state = read(power::registers::kClockState));
    }
    std::printf("load %d: %.2f kW, clock %d, %.1f C\n", int(load), power_kw, int(state), hottest_c);
  }
  base::Cycles cycle() const { return epochs.cycle_at_or_after(base::now()); }
  std::uint64_t read(std::uint64_t address) {
    std::uint64_t value = 0;
    tlm::tlm_generic_payload trans;
    trans.set_read();
    trans.set_address(address);
    trans.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    trans.set_data_length(sizeof value);
    register_socket->transport_dbg(trans);
    return value;
  }
};

int sc_main(int argc, char** argv) {
  benches::Waves waves(argc, argv, "power");
  Driver driver("driver");
  const auto energy = power::EnergyTable::read(WSE_CONFIGS "/energy/n7.csv");
  power::PowerMonitor monitor("monitor", {}, {}, energy, driver.geometry, driver.epochs,
                              1'100'000'000, driver.ticker);
  driver.activity_socket.bind(monitor.activity_socket);
  driver.register_socket.bind(monitor.register_socket);
  sc_trace(waves.vcd, driver.load, "load");
  sc_trace(waves.vcd, driver.power_kw, "power_kw");
  sc_trace(waves.vcd, monitor.over_cap, "over_cap");
  sc_trace(waves.vcd, driver.state, "clock_state");
  sc_trace(waves.vcd, driver.hottest_c, "hottest_c");
  sc_start();
  waves.close({"-Budget", "load", "power_kw", "over_cap", "clock_state", "-Heat", "hottest_c"});
  return driver.slowest > 0 && driver.state == 0 ? 0 : 1;
}
