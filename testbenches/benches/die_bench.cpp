// SPDX-License-Identifier: Apache-2.0
// A bench to copy: the compute engines of a WSE-2 die with their SRAM and the power monitor. The
// driver plays the fabric: it brings work items and their weights, and says when sums are in place.
#include "waves.h"
#include "wse/memory/sram_array.h"
#include "wse/power/power_monitor.h"
#include "wse/tiles/tile_region.h"

using namespace sc_core;
using namespace wse;
using base::Operation;
base::ClockEpochs epochs(1'100'000'000);  // turns core cycles into time

struct Driver : sc_module {
  fabric::Fabric::RampInitiator ramp_out_socket{"ramp_out_socket"};
  fabric::Fabric::RampTarget ramp_in_socket{"ramp_in_socket"};
  tlm_utils::simple_initiator_socket<Driver> register_socket{"register_socket"};
  base::WindowTicker ticker{"ticker", 1'000'000'000};  // activity windows of 1 ms
  base::WorkItem items[4];                             // the die keeps pointers to them
  fabric::RampStream done;                             // its answer: start and finish of an item
  unsigned item = 0;
  bool busy = false;

  SC_CTOR(Driver) {
    ramp_in_socket.on_receive([this](fabric::RampFrame& frame) { done = frame.streams.front(); });
    SC_THREAD(run);
  }
  void run() {
    ticker.start();
    for (const Operation operation : {Operation::kLayerChange, Operation::kGemmForward,
                                      Operation::kGemmForward, Operation::kLayerChange}) {
      base::WorkItem& w = items[item];
      w.id = item;
      w.operation = operation;
      w.phase = item < 3 ? base::Phase::kForward : base::Phase::kBackward;
      w.inputs = 63 * 16, w.tokens = 142 * 64, w.outputs = 4096;  // 16 features, 64 tokens a tile
      w.begins_operation = w.ends_operation = true;
      send(fabric::StreamKind::kWeights, 100, item == 2 ? 4'000'000 : 0);  // the third comes slowly
      std::cout << name_of(operation) << " " << done.first_cycle << ".." << done.last_cycle << "\n";
      wait(base::to_sc_time(epochs.time_of(done.first_cycle)) - sc_time_stamp());
      busy = true;
      wait(base::to_sc_time(epochs.time_of(done.last_cycle)) - sc_time_stamp());
      busy = false;
      send(fabric::StreamKind::kResultsReady, 500'000);
      ++item;
    }
  }
  void send(fabric::StreamKind kind, base::Cycles after, base::Cycles length = 0) {
    const base::Cycles now = epochs.cycle_at_or_after(base::now()), first = now + after;
    fabric::RampFrame frame{now, {}, {}, {{kind, 0, 0, &items[item], 0, first, first + length}}};
    ramp_out_socket.send(frame);
  }
};

int sc_main(int argc, char** argv) {
  benches::Waves waves(argc, argv, "die");
  Driver driver("driver");
  const base::WaferGeometry die({1, 1, 66, 154, 63, 142, 63, 142, 0, 0, 1, 1});
  const auto energy = power::EnergyTable::read(WSE_CONFIGS "/energy/n7.csv");
  memory::SramArena arena(1, 66 * 154 * 48 * 1024, 1 << 30);
  memory::SramArray sram("sram", {}, 0, 66 * 154, arena.view(0), sc_time(909, SC_PS));
  power::PowerMonitor monitor("monitor", {}, {}, energy, die, epochs, 1'100'000'000, driver.ticker);
  tiles::TileRegion region("region", base::RegionLayout(die, 0, 0).parts(), die, {63, 142, 1}, {},
                           48 * 1024, {}, epochs, driver.ticker);
  driver.ramp_out_socket.bind(region.ramp_in_socket);
  region.ramp_out_socket.bind(driver.ramp_in_socket);
  region.memory_socket[0].bind(sram.target_socket);
  region.activity_socket.bind(monitor.activity_socket);
  sram.activity_socket.bind(monitor.activity_socket);
  driver.register_socket.bind(monitor.register_socket);
  sc_trace(waves.vcd, driver.item, "item");
  sc_trace(waves.vcd, driver.busy, "busy");
  double power_w = 220;  // at rest
  sc_trace(waves.vcd, power_w, "power_w");
  for (sc_start(0.75, SC_MS); driver.item < 4; power_w = monitor.samples().back().wafer_w)
    sc_start(1, SC_MS);  // the monitor closes a window half a window after its end
  waves.close({"-Work items", "item", "busy", "-Monitor", "power_w"});
  return sram.stats().reads == 1 && sram.stats().writes == 1 ? 0 : 1;
}
