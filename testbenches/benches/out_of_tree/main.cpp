// SPDX-License-Identifier: Apache-2.0
// A host and a monitor of one's own around the wafer of the installed package: the host injects the
// weights of one matrix product over all lanes, the monitor reads the wafer's power registers.
#include <tlm_utils/simple_initiator_socket.h>

#include <iostream>

#include "wse/model/parameters.h"
#include "wse/model/wafer.h"

using namespace sc_core;
using namespace wse;

struct OwnHost : sc_module {
  sc_vector<fabric::Fabric::LaneInitiator> lane_out_socket;  // towards the wafer
  sc_vector<fabric::Fabric::LaneTarget> lane_in_socket;
  const fabric::IoConfig io;
  base::WorkItem item;
  unsigned credits = 0;

  OwnHost(const sc_module_name& name, const fabric::IoConfig& config)
      : sc_module(name),
        lane_out_socket("lane_out_socket", config.lanes),
        lane_in_socket("lane_in_socket", config.lanes),
        io(config) {
    for (auto& lane : lane_in_socket) {
      lane.on_receive([this](fabric::LaneBlock& block) {
        if (block.kind == fabric::LaneBlock::Kind::kCredit) ++credits;
      });
    }
    item.operation = base::Operation::kGemmForward;
    item.inputs = item.outputs = 720;
    item.tokens = 36 * 64;
    item.weight_bytes = 2 * item.inputs * item.outputs;
    SC_HAS_PROCESS(OwnHost);
    SC_THREAD(run);
  }
  void run() {
    wait(100, SC_US);
    const base::Bytes share = item.weight_bytes / io.lanes;
    for (auto& lane : lane_out_socket) {
      fabric::LaneBlock block{fabric::LaneBlock::Kind::kShare, &item, share, base::now(),
                              base::now() + io.transfer_time(share)};
      lane.send(block);
    }
  }
};

struct OwnMonitor : sc_module {
  tlm_utils::simple_initiator_socket<OwnMonitor> register_socket{"register_socket"};

  SC_CTOR(OwnMonitor) { SC_THREAD(run); }
  void run() {
    for (wait(75, SC_US);; wait(50, SC_US)) {  // a window is closed half a window after its end
      std::uint64_t milliwatts = 0;
      tlm::tlm_generic_payload trans;
      trans.set_read();
      trans.set_address(power::registers::kWaferPowerMw);
      trans.set_data_ptr(reinterpret_cast<unsigned char*>(&milliwatts));
      trans.set_data_length(sizeof milliwatts);
      register_socket->transport_dbg(trans);
      std::cout << sc_time_stamp() << ": " << double(milliwatts) / 1e3 << " W\n";
    }
  }
};

int sc_main(int, char**) {
  model::Settings settings;
  model::Origins origins;
  base::ConfigErrors errors;
  model::read_settings(WSE_CONFIGS "/machines/tiny.yaml", settings, origins, errors);
  errors.throw_if_any();
  settings.machine.power.window_s = 50e-6;
  const auto energy = power::EnergyTable::read(WSE_CONFIGS "/energy/n7.csv");
  model::Wafer wafer("wafer", settings.machine, energy, {36, 36, 1}, tiles::Precision::kMixed);
  OwnHost host("host", settings.machine.io);
  OwnMonitor monitor("monitor");
  monitor.register_socket.bind(wafer.monitor().register_socket);
  host.lane_out_socket.bind(wafer.fabric().lane_in_socket);
  wafer.fabric().lane_out_socket.bind(host.lane_in_socket);
  sc_start(SC_ZERO_TIME);
  wafer.ticker().start();
  sc_start(800, SC_US);
  std::cout << host.credits << " of " << settings.machine.io.lanes << " credits came back\n";
  return host.credits == settings.machine.io.lanes ? 0 : 1;
}
