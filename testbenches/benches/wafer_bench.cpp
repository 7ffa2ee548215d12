// SPDX-License-Identifier: Apache-2.0
// A bench to copy: a whole wafer and a host, bound lane by lane. One optimizer step of a tiny model
// on the machine of configs/machines/tiny.yaml, looked at every 20 us.
#include "waves.h"
#include "wse/host/host.h"
#include "wse/model/parameters.h"
#include "wse/model/plan.h"
#include "wse/model/wafer.h"

using namespace sc_core;
using namespace wse;

struct Probe : sc_module {
  model::Wafer& wafer;
  host::Host& host;
  double in_gb_s = 0, out_gb_s = 0, busy = 0, power_w = 220;  // at rest
  std::uint64_t items = 0;

  Probe(const sc_module_name& name, model::Wafer& w, host::Host& h)
      : sc_module(name), wafer(w), host(h) {
    SC_HAS_PROCESS(Probe);
    SC_THREAD(run);
  }
  void run() {
    base::WindowTicker& ticker = wafer.ticker();
    ticker.start();
    wafer.begin_step();
    bool running = true;
    host.start_step([&] { wafer.end_step(), running = false; });
    while (running) {
      wait(ticker.tick());                             // a window has ended; everyone reports ..
      wait(base::to_sc_time(ticker.window()) * 0.75);  // .. and the power monitor has closed it
      in_gb_s = out_gb_s = 0;
      for (std::uint32_t lane = 0; lane < host.lanes().size(); ++lane) {
        const auto moved = host.take_lane_bytes(lane, ticker.end_of(ticker.ended()));
        in_gb_s += double(moved.in) / double(ticker.window()) * 1e3;
        out_gb_s += double(moved.out) / double(ticker.window()) * 1e3;
      }
      base::Picoseconds waiting = 0;  // time of a tile of the first die by cause; waits come last
      for (auto cause = std::size_t(tiles::Cause::kWeightWait); cause < tiles::kNumCauses; ++cause)
        waiting += wafer.region(0).window_times(0)[cause];
      busy = 1 - double(waiting) / double(ticker.window());
      power_w = wafer.monitor().samples().back().wafer_w;
      items = host.items_done();
    }
    ticker.stop();
  }
};

int sc_main(int argc, char** argv) {
  model::Settings settings;
  model::Origins origins;
  base::ConfigErrors errors;
  model::read_settings(WSE_CONFIGS "/machines/tiny.yaml", settings, origins, errors);
  errors.throw_if_any();
  settings.machine.power.window_s = 20e-6;
  const auto model = host::read_model(WSE_CONFIGS "/models/tiny-gpt.json", "tiny-gpt");
  const auto energy = power::EnergyTable::read(WSE_CONFIGS "/energy/n7.csv");
  const model::TrainingPlan plan = model::make_plan(model, settings);
  const auto schedule = host::build_schedule(model, plan.schedule);
  const model::MachineConfig& machine = settings.machine;
  benches::Waves waves(argc, argv, "wafer");
  model::Wafer wafer("wafer", machine, energy, plan.mapping, tiles::Precision::kMixed);
  host::Host host("host", machine.io, machine.lane_latency_ps, machine.memoryx, schedule);
  Probe probe("probe", wafer, host);
  host.register_socket.bind(wafer.monitor().register_socket);
  host.lane_out_socket.bind(wafer.fabric().lane_in_socket);
  wafer.fabric().lane_out_socket.bind(host.lane_in_socket);
  sc_trace(waves.vcd, probe.in_gb_s, "in_gb_s");
  sc_trace(waves.vcd, probe.out_gb_s, "out_gb_s");
  sc_trace(waves.vcd, probe.items, "items_done");
  sc_trace(waves.vcd, probe.busy, "busy");
  sc_trace(waves.vcd, probe.power_w, "power_w");
  sc_start();
  std::cout << probe.items << " of " << schedule.size() << " work items in " << sc_time_stamp()
            << ", " << host.read_register(power::registers::kEnergyUj) << " uJ\n";
  waves.close({"-Lanes", "in_gb_s", "out_gb_s", "-Tiles", "items_done", "busy", "power_w"});
  return probe.items == schedule.size() ? 0 : 1;
}
