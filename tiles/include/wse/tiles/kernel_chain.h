// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "wse/tiles/mesh_memory.h"
#include "wse/tiles/tile_mesh.h"

namespace wse::tiles {

/// What the runs of an operation took.
struct OperationCost {
  std::string name;
  std::uint64_t runs = 0;
  base::Cycles cycles = 0;       ///< from the first issue to the cycle after the last one
  base::Cycles load_cycles = 0;  ///< of its programs, see load_cycles()
  std::uint64_t busy_cycles = 0;
  std::uint64_t flops = 0;
  std::uint64_t wavelet_hops = 0;
  std::uint64_t bank_conflict_cycles = 0;
  base::EventCounts events{};  ///< of all tiles of the kernel, without loading
  /// Of the tiles behind row 0, summed: cycles from a tile's first issue to its last one, and of these
  /// those with an issue.
  std::uint64_t active_cycles = 0;
  std::uint64_t issue_cycles = 0;
};

/// What else happens in the runs of a chain.
struct ChainHooks {
  /// Before a kernel starts: twins of tiles and routers, watches. Tile (0, 0) of the kernel is tile
  /// (0, `first_row`) of the chain.
  std::function<void(const std::string& name, TileMesh& mesh, std::uint32_t first_row)> before;
  std::function<void()> every_some_cycles;  ///< what it throws ends the run
  /// When a kernel has run.
  std::function<void(const TileMesh& mesh)> after{};
};

/// Cycles to load the programs of a kernel: each program that a column of tiles runs comes down
/// the column once, a word of instructions a cycle, and needs a cycle a row to reach the last one.
base::Cycles load_cycles(const Kernel& kernel);

/// Kernels that run one after the other on the memory of one mesh. Row 0 stands for the lanes: the
/// host writes and reads there. Kernels span the mesh, or all rows but row 0.
class KernelChain {
 public:
  KernelChain(fabric::Mesh mesh, const MeshConfig& config, std::uint32_t threads = 1);

  MeshMemory& memory() { return memory_; }
  const MeshMemory& memory() const { return memory_; }

  /// Runs a kernel to its end and adds its cost to that of the operation `name`. Throws ProgramError,
  /// KernelFailure, and what the hooks throw.
  void run(const std::string& name, const Kernel& kernel, const ChainHooks& hooks = {});
  /// In the order of the first runs.
  const std::vector<OperationCost>& costs() const { return costs_; }
  /// Of all operations, without loading, and loading.
  base::Cycles cycles() const;
  base::Cycles all_load_cycles() const;
  /// Wavelets that left each tile for a neighbour, row by row.
  const std::vector<std::uint64_t>& hops_by_tile() const { return hops_by_tile_; }

 private:
  OperationCost& cost_of(const std::string& name);
  void count_tiles(TileMesh& mesh, std::uint32_t first_row, OperationCost& cost);

  const MeshConfig config_;
  const std::uint32_t threads_;
  MeshMemory memory_;
  std::vector<OperationCost> costs_;
  std::vector<std::uint64_t> hops_by_tile_;
};

}  // namespace wse::tiles
