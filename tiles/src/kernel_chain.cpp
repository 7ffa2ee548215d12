// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/kernel_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "wse/tiles/kernels/kernel_job.h"

namespace wse::tiles {

base::Cycles load_cycles(const Kernel& kernel) {
  constexpr std::uint32_t kWordBytes = 4;
  const fabric::Mesh mesh = kernel.mesh();
  base::Cycles most = 0;
  for (std::uint32_t x = 0; x < mesh.columns; ++x) {
    std::set<std::uint16_t> programs;
    for (std::uint32_t y = 0; y < mesh.rows; ++y) {
      const std::uint16_t number = kernel.program_of[mesh.tile(x, y)];
      if (number != Kernel::kIdle) programs.insert(number);
    }
    base::Cycles words = 0;
    for (const std::uint16_t p : programs) words += kernel.programs[p].code_bytes() / kWordBytes;
    most = std::max(most, words);
  }
  return most + mesh.rows;
}

KernelChain::KernelChain(fabric::Mesh mesh, const MeshConfig& config, std::uint32_t threads)
    : config_(config),
      threads_(threads),
      memory_(mesh, static_cast<std::uint32_t>(config.sram.size_bytes)),
      hops_by_tile_(mesh.tiles()) {}

void KernelChain::run(const std::string& name, const Kernel& kernel, const ChainHooks& hooks) {
  const fabric::Mesh mesh = memory_.mesh();
  const fabric::Mesh part = kernel.mesh();
  if (part.columns != mesh.columns || part.rows > mesh.rows || part.rows + 1 < mesh.rows) {
    throw ProgramError(
        fmt::format("{}: a kernel of {}x{} tiles on a mesh of {}x{}, of which it may "
                    "leave out the first row",
                    name, part.columns, part.rows, mesh.columns, mesh.rows));
  }
  const std::uint32_t first_row = mesh.rows - part.rows;
  TileMesh tiles(kernel, config_, memory_.rows_from(first_row), threads_);
  tiles.fabric().count_by_tile(std::vector<std::uint32_t>(part.tiles()));
  if (hooks.before) hooks.before(name, tiles, first_row);
  tiles.run(hooks.every_some_cycles);
  if (hooks.after) hooks.after(tiles);
  tiles.take_memories();
  const EngineStats stats = tiles.stats();
  OperationCost& cost = cost_of(name);
  ++cost.runs;
  cost.cycles += tiles.cycles();
  cost.load_cycles += load_cycles(kernel);
  cost.busy_cycles += stats.busy_cycles;
  cost.flops += stats.flops;
  cost.wavelet_hops += tiles.fabric().counts().hops;
  cost.bank_conflict_cycles += stats.banks.conflict_cycles;
  const base::EventCounts events =
      events_of(stats, tiles.fabric().counts(), tiles.cycles() * part.tiles());
  for (std::size_t i = 0; i < events.size(); ++i) cost.events[i] += events[i];
  count_tiles(tiles, first_row, cost);
}

void KernelChain::count_tiles(TileMesh& mesh, std::uint32_t first_row, OperationCost& cost) {
  const std::uint32_t columns = memory_.mesh().columns;
  const std::uint32_t tiles = mesh.kernel().mesh().tiles();
  for (std::uint32_t tile = 0; tile < tiles; ++tile) {
    const std::uint32_t there = tile + first_row * columns;
    hops_by_tile_[there] += mesh.fabric().tile_counts()[tile].links;
    const ComputeEngines::TileTimes times = mesh.times(tile);
    if (there < columns || times.begin == EngineStats::kNever) continue;
    cost.active_cycles += times.end - times.begin;
    cost.issue_cycles += times.busy;
  }
}

OperationCost& KernelChain::cost_of(const std::string& name) {
  const auto found = std::find_if(costs_.begin(), costs_.end(),
                                  [&](const OperationCost& cost) { return cost.name == name; });
  if (found != costs_.end()) return *found;
  costs_.emplace_back();
  costs_.back().name = name;
  return costs_.back();
}

base::Cycles KernelChain::cycles() const {
  base::Cycles sum = 0;
  for (const OperationCost& cost : costs_) sum += cost.cycles;
  return sum;
}

base::Cycles KernelChain::all_load_cycles() const {
  base::Cycles sum = 0;
  for (const OperationCost& cost : costs_) sum += cost.load_cycles;
  return sum;
}

}  // namespace wse::tiles
