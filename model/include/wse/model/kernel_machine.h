// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/multi_passthrough_target_socket.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <functional>
#include <memory>
#include <systemc>
#include <vector>

#include "wse/base/clock_epochs.h"
#include "wse/base/window_ticker.h"
#include "wse/fabric/cycle_fabric.h"
#include "wse/memory/sram_array.h"
#include "wse/tiles/cycle_region.h"

namespace wse::model {

/// How a mesh of tiles becomes modules.
struct KernelMachineConfig {
  tiles::MeshConfig mesh;
  std::uint64_t core_hz = 1'100'000'000ULL;
  std::uint32_t region_columns = 66;     ///< tiles of a region, each with an SRAM array of its own;
  std::uint32_t region_rows = 154;       ///< default: a die
  std::vector<base::Rectangle> regions;  ///< instead: all tiles of the mesh, none twice
  std::uint32_t threads = 1;
};

/// A kernel on modules: a fabric, regions of compute engines and their SRAM, bound to each other, and
/// the host's side of it: copies over the memory sockets, launch, wait, cycle counters.
///
/// Equal to tiles::TileMesh in every cycle and byte (kernel_machine_test).
class KernelMachine final : public sc_core::sc_module {
 public:
  KernelMachine(const sc_core::sc_module_name& name, const tiles::Kernel& kernel,
                const KernelMachineConfig& config);

  /// Copies `bytes` for each tile of the rectangle, tile after tile row by row, to or from an address
  /// in its memory, by b_transport. Throws std::out_of_range for what is not there,
  /// std::runtime_error with the response if a target refuses.
  void copy_to(const base::Rectangle& tiles, std::uint64_t address, const void* data,
               std::size_t bytes);
  void copy_from(const base::Rectangle& tiles, std::uint64_t address, void* data,
                 std::size_t bytes);

  /// The SRAM of a tile is simulated elsewhere: its array denies direct access to it. Before the first
  /// copy or launch; `sram` outlives the machine.
  void set_sram(base::Coordinate tile, memory::TileSram& sram);
  /// Before the first launch; the watches must outlive the machine.
  void set_watch(fabric::RouterWatch& watch) { fabric_->set_watch(watch); }
  void add_watch(tiles::EngineWatch& watch) { watches_.push_back(&watch); }

  /// Starts all programs at the next clock edge.
  void launch();
  /// The cycle in which they would begin now, and in which they have begun.
  base::Cycles next_launch() const { return epochs_.cycle_at_or_after(base::now()) + 1; }
  base::Cycles launched() const { return launched_; }
  /// Runs the simulation until nothing is under way. Throws tiles::KernelFailure, and what
  /// `every_some_cycles` throws.
  void wait_for_end(const std::function<void()>& every_some_cycles = {});

  /// From the first issue to the cycle after the last step or store.
  base::Cycles cycles() const;
  /// Cycle counters of a tile, from launch().
  tiles::ComputeEngines::TileTimes times(base::Coordinate tile) const;
  /// Over all regions, and of one of them.
  tiles::EngineStats stats() const;
  tiles::EngineStats stats(std::size_t region) const { return regions_[region]->engines().stats(); }
  const fabric::CycleFabric& fabric() const { return *fabric_; }
  /// Activity that the modules have reported, by region.
  const std::vector<base::EventCounts>& activity() const { return activity_; }

 private:
  void take_activity(int id, tlm::tlm_generic_payload& trans, sc_core::sc_time& delay);
  void elaborate();
  void copy(tlm::tlm_command command, const base::Rectangle& tiles, std::uint64_t address,
            std::uint8_t* data, std::size_t bytes);
  std::uint32_t region_of(base::Coordinate tile) const {
    return region_of_tile_[kernel_.mesh().tile(tile.x, tile.y)];
  }

  const tiles::Kernel& kernel_;
  const KernelMachineConfig config_;
  const base::ClockEpochs epochs_;
  base::WindowTicker ticker_;
  std::vector<base::Rectangle> layout_;
  std::vector<std::uint32_t> region_of_tile_;
  std::unique_ptr<memory::SramArena> arena_;
  std::unique_ptr<fabric::CycleFabric> fabric_;
  std::vector<std::unique_ptr<memory::SramArray>> srams_;
  std::vector<std::unique_ptr<tiles::CycleRegion>> regions_;
  sc_core::sc_vector<tlm_utils::simple_initiator_socket<KernelMachine>> host_socket_;
  tlm_utils::multi_passthrough_target_socket<KernelMachine> activity_socket_{"activity_socket"};
  std::vector<base::EventCounts> activity_;
  std::vector<tiles::EngineWatch*> watches_;  ///< not handed on yet
  base::Cycles launched_ = 0;
};

}  // namespace wse::model
