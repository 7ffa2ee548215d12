// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "wse/tiles/kernels/collective.h"
#include "wse/tiles/tile_mesh.h"

namespace wse::tiles {

/// What a run of a kernel took and how right it was.
struct KernelResult {
  base::Cycles cycles = 0;           ///< from the first issue to the cycle after the last one
  base::Cycles measured_cycles = 0;  ///< what the counters of the tiles say, if they are asked
  double busy_fraction = 0;          ///< of the cycles of all tiles
  std::uint64_t busy_cycles = 0;     ///< of all tiles
  std::uint64_t wavelet_hops = 0;
  std::uint64_t delivered = 0;  ///< wavelets at compute engines
  std::uint64_t flops = 0;
  memory::BankCounts banks;
  double max_abs_error = 0;     ///< against sums in double precision of the rounded inputs
  double max_rel_error = 0;     ///< the same over the largest reference
  std::size_t state_bytes = 0;  ///< of the compute engines, without their SRAM
  std::string result_hash;      ///< of cycles, counts and results
};

/// The elements of tile t: numbers in -1 .. 1 that depend on the seed, rounded to the type.
class CollectiveData {
 public:
  CollectiveData(const Collective& collective, std::uint64_t seed)
      : collective_(collective), seed_(seed) {}

  std::uint32_t inputs(std::uint32_t tile) const;  ///< elements that the tile has
  double input(std::uint32_t tile, std::uint32_t element) const;
  /// Tiles with a result, and how many elements.
  bool has_result(std::uint32_t tile) const;
  std::uint32_t results(std::uint32_t tile) const;
  /// Results of the tile, exact but for the rounding of double.
  std::vector<double> reference(std::uint32_t tile) const;

 private:
  const Collective& collective_;
  const std::uint64_t seed_;
  mutable std::vector<double> sums_;
};

/// Fills the memory, runs and compares. Throws ProgramError, KernelFailure, and what
/// `every_some_cycles` throws.
KernelResult run_collective(const Collective& collective, const MeshConfig& config,
                            std::uint64_t seed, std::uint32_t threads = 1,
                            const std::function<void(TileMesh&)>& before = {},
                            const std::function<void()>& every_some_cycles = {});

}  // namespace wse::tiles
