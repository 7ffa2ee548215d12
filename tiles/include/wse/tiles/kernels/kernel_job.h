// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "wse/base/result_hash.h"
#include "wse/tiles/tile_mesh.h"

namespace wse::tiles {

/// What a run of a kernel took and how right it was.
struct KernelResult {
  base::Cycles cycles = 0;           ///< from the first issue to the cycle after the last one
  base::Cycles measured_cycles = 0;  ///< what the counters of the tiles say, if they are asked
  double busy_fraction = 0;          ///< of the cycles of the working tiles
  std::uint64_t busy_cycles = 0;     ///< of all tiles
  std::uint64_t wavelet_hops = 0;
  std::uint64_t delivered = 0;  ///< wavelets at compute engines
  std::uint64_t flops = 0;
  memory::BankCounts banks;
  base::EventCounts events{};   ///< of all tiles, from their first issue to the kernel's end
  double max_abs_error = 0;     ///< against double precision from the rounded inputs
  double max_rel_error = 0;     ///< the same over the largest reference
  std::size_t state_bytes = 0;  ///< of the compute engines, without their SRAM
  std::string result_hash;      ///< of cycles, counts and results
};

/// What engines, banks and fabric have counted in a run of so many cycles of tiles, as the energy table
/// names it.
base::EventCounts events_of(const EngineStats& stats, const fabric::EngineCounts& counts,
                            std::uint64_t tile_cycles);

/// A number in -1 .. 1 that depends on all three.
float random_number(std::uint64_t seed, std::uint64_t stream, std::uint64_t element);
/// The number as an element of so many bytes holds it: fp32, or rounded to fp16.
double rounded(double value, std::uint8_t element_bytes);
/// Its bits.
std::uint32_t bits_of_number(double value, std::uint8_t element_bytes);

/// Writes numbers to elements of an array, from number `first` on.
void write_numbers(TileMesh& mesh, std::uint32_t tile, const Array& array,
                   const std::vector<double>& numbers, std::uint32_t first = 0);

/// How far results are from what they should be, and what they are.
class Comparison {
 public:
  explicit Comparison(const TileMesh& mesh) : mesh_(mesh) {}

  /// Elements of a tile from number `first` of the array on.
  void add(std::uint32_t tile, const Array& array, const std::vector<double>& reference,
           std::uint32_t first = 0);
  double max_abs_error() const { return error_; }
  double max_rel_error() const { return largest_ > 0 ? error_ / largest_ : error_; }
  base::ResultHash& hash() { return hash_; }

 private:
  const TileMesh& mesh_;
  double error_ = 0;
  double largest_ = 0;
  base::ResultHash hash_;
};

/// A kernel that can be run and judged.
class KernelJob {
 public:
  virtual ~KernelJob() = default;
  virtual const Kernel& kernel() const = 0;
  /// Cycles by the closed form of the kernel's header; 0: there is none.
  virtual base::Cycles predicted() const = 0;
  /// Writes the inputs.
  virtual void fill(TileMesh& mesh) const = 0;
  /// Adds all results.
  virtual void compare(Comparison& comparison) const = 0;
  /// Tiles whose share of busy cycles counts: all, unless some only bring data.
  virtual base::Rectangle working_tiles() const {
    return {{0, kernel().mesh().columns}, {0, kernel().mesh().rows}};
  }
  /// Changes what the counts of the mesh do not say.
  virtual void finish(const TileMesh&, KernelResult&) const {}
};

/// Fills the memory, runs and compares. Throws ProgramError, KernelFailure, and what
/// `every_some_cycles` throws.
KernelResult run_kernel(const KernelJob& job, const MeshConfig& config, std::uint32_t threads = 1,
                        const std::function<void(TileMesh&)>& before = {},
                        const std::function<void()>& every_some_cycles = {});

}  // namespace wse::tiles
