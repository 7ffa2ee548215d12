// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "wse/fabric/channel_fabric.h"
#include "wse/memory/sram_arena.h"
#include "wse/tiles/compute_engines.h"
#include "wse/tiles/tile_twin.h"

namespace wse::tiles {

/// Configuration of the cycle level.
struct MeshConfig {
  fabric::EngineConfig fabric;
  ComputeConfig compute;
  memory::SramConfig sram;

  /// What the parts together can hold.
  void validate(base::ConfigErrors& errors) const;
};

/// A run in which a tile stopped or nobody can go on; what() has a line for each of the first ones.
class KernelFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// From the first issue to the cycle after the last step or store.
base::Cycles cycles_of(const EngineStats& stats);

/// Faults, or who waits for what; empty if all have finished.
std::string explain_failure(const std::vector<const ComputeEngines*>& regions,
                            const fabric::ChannelFabric& fabric);

/// Depths of the queues behind the ramps, by leaf, for EngineConfig::receiver_depth.
std::vector<std::uint8_t> receiver_depths(const Kernel& kernel, const ComputeConfig& config);

/// A kernel on a mesh of tiles with its fabric, without SystemC: a cycle at a time.
class TileMesh {
 public:
  /// `kernel` outlives the mesh. Throws ProgramError.
  TileMesh(const Kernel& kernel, const MeshConfig& config, std::uint32_t threads = 1);
  /// On memories that outlive the mesh, sram.size_bytes of each tile: kernels that follow each other find
  /// what the one before has left.
  TileMesh(const Kernel& kernel, const MeshConfig& config, std::vector<std::uint8_t*> memory,
           std::uint32_t threads = 1);

  const Kernel& kernel() const { return kernel_; }
  /// Memory of a tile; bytes that lie in arrays of the programs.
  void write(std::uint32_t tile, std::uint32_t address, const void* data, std::size_t bytes);
  void read(std::uint32_t tile, std::uint32_t address, void* data, std::size_t bytes) const;

  /// The SRAM of a tile is simulated elsewhere; it gets what has been written so far.
  void set_sram(std::uint32_t tile, std::unique_ptr<memory::TileSram> sram);

  /// A tile is simulated elsewhere, with its memory; it gets what has been written so far.
  void set_tile(std::uint32_t tile, std::unique_ptr<TileTwin> twin);
  /// What such a tile is told.
  TileSetup setup_of(std::uint32_t tile) const;

  /// Takes what tiles and SRAMs that are simulated elsewhere hold into the memories of the mesh.
  void take_memories();

  /// Starts all programs and runs until all have finished and nothing is under way. Throws
  /// KernelFailure, and whatever `every_some_cycles` throws.
  void run(const std::function<void()>& every_some_cycles = {});

  /// From the first issue to the cycle after the last one.
  base::Cycles cycles() const { return cycles_of(stats()); }
  /// Of all tiles, wherever they are simulated.
  EngineStats stats() const;
  ComputeEngines::TileTimes times(std::uint32_t tile) const;
  base::Cycles now() const { return fabric_.now(); }
  const ComputeEngines& engines() const { return engines_; }
  ComputeEngines& engines() { return engines_; }
  const fabric::ChannelFabric& fabric() const { return fabric_; }
  fabric::ChannelFabric& fabric() { return fabric_; }

 private:
  /// What leaves the fabric, until it takes effect.
  struct Arrivals final : fabric::EngineSink {
    struct Due {
      std::vector<fabric::Delivery> wavelets;
      std::vector<std::uint32_t> credits;  ///< leaves
    };
    explicit Arrivals(std::uint32_t ramp) : ramp_cycles(ramp), due(ramp + 1) {}
    void deliver(base::Cycles cycle, const fabric::Delivery* begin,
                 const fabric::Delivery* end) override;
    void free_slots(base::Cycles cycle, const std::uint32_t* begin,
                    const std::uint32_t* end) override;
    Due& at(base::Cycles cycle) { return due[cycle % due.size()]; }

    const std::uint32_t ramp_cycles;
    std::vector<Due> due;  ///< by cycle
    std::uint64_t pending = 0;
  };
  /// A tile that is simulated elsewhere.
  struct Elsewhere {
    std::uint32_t tile = 0;
    std::unique_ptr<TileTwin> twin;
    RampPins arriving;  ///< in this cycle
  };
  Elsewhere* find(std::uint32_t tile);
  void write_twin(Elsewhere& there, std::uint32_t address, std::size_t bytes);
  void receive(std::uint32_t tile, const fabric::Wavelet& wavelet);
  void receive_credit(std::uint32_t tile, std::uint8_t color);
  void step_twins();
  bool twins_can_act() const;
  bool has_fault() const;
  std::string twin_failure() const;
  void step();
  void give();

  const Kernel& kernel_;
  const MeshConfig config_;
  const std::uint64_t reach_;                 ///< bytes of a tile that are there
  std::unique_ptr<memory::SramArena> arena_;  ///< none: the memories belong to somebody else
  const std::vector<std::uint8_t*> memory_;   ///< by tile
  fabric::ChannelFabric fabric_;
  ComputeEngines engines_;
  std::map<std::uint32_t, std::unique_ptr<memory::TileSram>> srams_;
  std::vector<Elsewhere> twins_;
  Arrivals arrivals_;
  fabric::RampFrame frame_;
  std::vector<std::uint32_t> sources_;  ///< of the wavelets of a cycle
};

}  // namespace wse::tiles
