// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include "wse/tiles/kernels/collective.h"
#include "wse/tiles/kernels/kernel_job.h"

namespace wse::tiles {

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

/// A collective with data from a seed.
class CollectiveJob final : public KernelJob {
 public:
  CollectiveJob(Collective collective, std::uint64_t seed)
      : collective_(std::move(collective)), data_(collective_, seed) {}

  CollectiveJob(const CollectiveJob&) = delete;
  CollectiveJob& operator=(const CollectiveJob&) = delete;

  const Kernel& kernel() const override { return collective_.kernel; }
  base::Cycles predicted() const override { return collective_.predicted; }
  void fill(TileMesh& mesh) const override;
  void compare(Comparison& comparison) const override;
  /// Of a measured one: the time between the stamps of its tiles.
  void finish(const TileMesh& mesh, KernelResult& result) const override;

 private:
  const Collective collective_;
  const CollectiveData data_;  // of the collective above
};

}  // namespace wse::tiles
