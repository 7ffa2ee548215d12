// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "support/pin_tile.h"
#include "wse/cosim/ramp_pin_bridge.h"
#include "wse/memory/sram_array.h"
#include "wse/tiles/cycle_region.h"

namespace wse::testing_support {

/// How a PinMachine is built.
struct PinMachineOptions {
  std::set<std::uint32_t> pin_tiles;
  bool always_busy = false;  ///< the tiles with pins
  bool reversed = false;     ///< order of construction
  std::uint64_t hz = 1'000'000'000;
  base::Picoseconds window = 1'000'000'000;
};

/// Everything that routers do, as text: cycle, tile, port, given or leaving, color, data, flags.
class TextWatch final : public fabric::RouterWatch {
 public:
  explicit TextWatch(fabric::Mesh mesh) : tiles_{{0, mesh.columns}, {0, mesh.rows}} {}
  base::Rectangle tiles() const override { return tiles_; }
  bool watches(base::Cycles) override { return true; }
  void see(base::Cycles cycle, const std::vector<fabric::QueueFill>&,
           const std::vector<fabric::LinkEvent>& events) override;
  std::string text;
  std::uint64_t deliveries = 0;

 private:
  const base::Rectangle tiles_;
};

/// A kernel on a fabric with a region a tile, some of which are modules with pins behind bridges.
class PinMachine final : public sc_core::sc_module {
 public:
  /// A tile with pins and what is between it and its bridge.
  struct PinPlace {
    explicit PinPlace(const std::string& name)
        : clk((name + "_clk").c_str()),
          start((name + "_start").c_str()),
          busy((name + "_busy").c_str()),
          cycle((name + "_cycle").c_str()),
          down(name + "_down"),
          up(name + "_up") {}
    sc_core::sc_signal<bool> clk, start, busy;
    sc_core::sc_signal<std::uint64_t> cycle;
    cosim::RampSignals down, up;
    std::unique_ptr<cosim::RampPinBridge> bridge;
    std::unique_ptr<PinTile> tile;
  };

  PinMachine(const sc_core::sc_module_name& name, const tiles::Kernel& kernel,
             const tiles::MeshConfig& config, const PinMachineOptions& options);

  std::uint8_t* memory(std::uint32_t tile) {
    return arena_.view(0).data + tile * config_.sram.size_bytes;
  }
  void launch(base::Cycles cycle);
  const tiles::ComputeEngines& engines(std::uint32_t tile) const;
  /// What routers did, counters, registers, faults and memories of all tiles.
  std::string results();
  base::Cycles cycles() const;

  TextWatch watch;
  base::ClockEpochs epochs;
  base::WindowTicker ticker;
  std::unique_ptr<fabric::CycleFabric> routers;
  std::map<std::uint32_t, std::unique_ptr<PinPlace>> places;  ///< by tile

 private:
  void make_fabric();
  base::Rectangle rectangle(std::uint32_t tile) const;
  void make_tile(std::uint32_t tile);
  static void connect(PinPlace& place);
  void bind();
  void take_activity(int id, tlm::tlm_generic_payload& trans, sc_core::sc_time& delay);

  const tiles::Kernel& kernel_;
  const tiles::MeshConfig config_;
  const PinMachineOptions options_;
  memory::SramArena arena_;
  std::unique_ptr<memory::SramArray> sram_;
  std::map<std::uint32_t, std::unique_ptr<tiles::CycleRegion>> regions_;
  tlm_utils::simple_initiator_socket<PinMachine> host_socket_{"host_socket"};
  tlm_utils::multi_passthrough_target_socket<PinMachine> activity_socket_{"activity_socket"};
};

}  // namespace wse::testing_support
