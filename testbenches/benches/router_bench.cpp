// SPDX-License-Identifier: Apache-2.0
// A bench to copy: the fabric of 2 x 2 dies between a driver of a lane and a monitor of its ramps.
// Transaction level: the first and last cycle of a block at each die, not yet wavelets and queues.
#include <tlm_utils/simple_target_socket.h>

#include "waves.h"
#include "wse/fabric/fabric.h"

using namespace sc_core;
using namespace wse;

struct Bench : sc_module {
  fabric::Fabric::LaneInitiator lane_out_socket{"lane_out_socket"};
  fabric::Fabric::LaneTarget lane_in_socket{"lane_in_socket"};
  sc_vector<fabric::Fabric::RampTarget> ramp_in_socket{"ramp_in_socket", 4};
  sc_vector<fabric::Fabric::RampInitiator> ramp_out_socket{"ramp_out_socket", 4};
  tlm_utils::simple_target_socket<Bench> activity_socket{"activity_socket"};  // no window ends here
  const base::ClockEpochs epochs{1'100'000'000};  // core cycles to time and back
  base::WorkItem block;
  base::Cycles cycle = 0, credit = 0, first[4] = {}, last[4] = {}, results[4] = {};
  bool arriving[4] = {};

  SC_CTOR(Bench) {
    block.operation = base::Operation::kGemmForward;
    block.inputs = block.outputs = block.tokens = 32;
    block.ends_operation = true;  // the dies are told when its sums are in place
    lane_in_socket.on_receive([this](fabric::LaneBlock&) { credit = cycle; });
    for (unsigned die = 0; die < 4; ++die)
      ramp_in_socket[die].on_receive([=](fabric::RampFrame& frame) { take(die, frame); });
    SC_THREAD(run);
  }
  void take(unsigned die, fabric::RampFrame& frame) {
    fabric::RampStream stream = frame.streams.front();
    if (stream.kind == fabric::StreamKind::kResultsReady) results[die] = stream.first_cycle;
    if (stream.kind != fabric::StreamKind::kWeights) return;
    first[die] = stream.first_cycle;  // stamps: the frame comes ahead of them
    last[die] = stream.last_cycle;
    stream.kind = fabric::StreamKind::kPartialSums;  // answers as tiles would that need no time
    fabric::RampFrame answer{cycle, {}, {}, {stream}};
    ramp_out_socket[die].send(answer);
  }
  void run() {
    fabric::LaneBlock share{{}, &block, 2048, 100'000, 300'000};  // 2 KB from 100 ns to 300 ns
    lane_out_socket.send(share);
    for (; cycle < 700; ++cycle) {
      for (int die = 0; die < 4; ++die) arriving[die] = first[die] <= cycle && cycle < last[die];
      wait(base::to_sc_time(epochs.time_of(cycle + 1)) - sc_time_stamp());
    }
  }
};

int sc_main(int argc, char** argv) {
  benches::Waves waves(argc, argv, "router");
  fabric::IoConfig io;
  io.lanes = 1;  // enters at the south-west die
  const base::WaferGeometry geometry({2, 2, 20, 20, 38, 38, 36, 36, 1, 1, 3, 1});
  const base::RegionLayout layout(geometry, 0, 0);  // a region a die
  const base::WindowTicker ticker("ticker", 1'000'000'000);
  Bench bench("bench");
  fabric::Fabric fabric("fabric", {}, io, geometry, layout, {36, 36, 1}, 32, bench.epochs, ticker);
  bench.lane_out_socket.bind(fabric.lane_in_socket[0]);
  fabric.lane_out_socket[0].bind(bench.lane_in_socket);
  bench.ramp_out_socket.bind(fabric.ramp_in_socket);
  fabric.ramp_out_socket.bind(bench.ramp_in_socket);
  fabric.activity_socket.bind(bench.activity_socket);
  const char* names[] = {"die_0_0", "die_1_0", "die_0_1", "die_1_1"};
  for (int die = 0; die < 4; ++die) sc_trace(waves.vcd, bench.arriving[die], names[die]);
  sc_trace(waves.vcd, bench.cycle, "cycle");
  sc_trace(waves.vcd, bench.credit, "credit");
  sc_start();
  bool passed = bench.credit > 0;
  for (unsigned die = 0; die < 4; ++die) {
    passed &= bench.first[die] == bench.first[2] + 19 * (die % 2 + 1 - die / 2);  // tiles and hops
    std::printf("%s: weights in cycles %d to %d, sums in place in %d\n", names[die],
                int(bench.first[die]), int(bench.last[die]), int(bench.results[die]));
  }
  waves.close({"-Lane", "cycle", "credit", "-Weights", "die_0_1", "die_1_1", "die_0_0", "die_1_0"});
  return passed ? 0 : 1;
}
