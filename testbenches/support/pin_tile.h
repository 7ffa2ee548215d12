// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

#include "wse/cosim/ramp_pins.h"
#include "wse/tiles/compute_engines.h"
#include "wse/tiles/tile_mesh.h"

namespace wse::testing_support {

/// A tile as a user would write it: a clocked module with signals, which stands behind a
/// RampPinBridge. Inside are the compute engines of one tile.
class PinTile final : public sc_core::sc_module {
 public:
  sc_core::sc_in<bool> clk{"clk"};
  sc_core::sc_in<bool> start{"start"};
  sc_core::sc_in<std::uint64_t> cycle{"cycle"};
  sc_core::sc_out<bool> busy{"busy"};
  cosim::RampPorts<sc_core::sc_in> from_router{"from_router"};
  cosim::RampPorts<sc_core::sc_out> to_router{"to_router"};

  /// `always_busy`: without an idea of when it is done.
  PinTile(const sc_core::sc_module_name& name, const tiles::Kernel& kernel, base::Coordinate tile,
          const tiles::MeshConfig& config, std::uint8_t* memory, bool always_busy)
      : sc_core::sc_module(name),
        engines_(kernel, {{tile.x, tile.x + 1}, {tile.y, tile.y + 1}}, config.compute, config.sram,
                 config.fabric.ramp_slots(), config.fabric.ramp_cycles, {memory}),
        always_busy_(always_busy) {
    SC_HAS_PROCESS(PinTile);
    SC_METHOD(edge);
    sensitive << clk.pos();
    dont_initialize();
    busy.initialize(always_busy);
  }

  const tiles::ComputeEngines& engines() const { return engines_; }

 private:
  void edge() {
    if (cycle.read() > engines_.now()) engines_.skip_to(cycle.read());
    if (start.read()) engines_.launch();
    const tiles::RampPins in = from_router.read();
    if (in.link.valid) engines_.receive(0, in.link.wavelet);
    for (std::uint8_t color = 0; color < fabric::kNumColors; ++color) {
      if ((in.credits >> color & 1) != 0) engines_.receive_credit(0, color);
    }
    frame_.clear();
    engines_.step(frame_);
    tiles::RampPins out;
    for (const fabric::RampWavelet& w : frame_.wavelets) out.link = {true, w.wavelet};
    for (const fabric::RampCredit& c : frame_.credits) out.credits |= 1U << c.color;
    to_router.write(out);
    busy.write(always_busy_ || engines_.can_act());
  }

  tiles::ComputeEngines engines_;
  const bool always_busy_;
  fabric::RampFrame frame_;
};

}  // namespace wse::testing_support
