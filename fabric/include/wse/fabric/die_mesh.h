// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "wse/base/geometry.h"
#include "wse/base/units.h"

namespace wse::fabric {

/// Direction in which a wavelet leaves a die.
enum class Direction : std::uint32_t { kNorth, kEast, kSouth, kWest };

/// The links between dies as resources. All links that leave a die on one side are one bundle that
/// carries one wavelet a link and cycle.
///
/// Contention (docs/timing.md): n wavelets hold a bundle of c links for ceil(n / c) cycles; a
/// stream enters when its head has come and the bundle is free; first come, first served in the
/// order of the calls.
class DieMesh {
 public:
  explicit DieMesh(const base::WaferGeometry& geometry);

  /// Reserves the bundle for n wavelets whose head arrives at `head`. Returns the cycle in which
  /// the head enters.
  base::Cycles reserve(std::uint32_t die, Direction direction, std::uint64_t wavelets,
                       base::Cycles head);
  /// First cycle in which the bundle is free again.
  base::Cycles free_at(std::uint32_t die, Direction direction) const {
    return free_at_[slot(die, direction)];
  }
  std::uint32_t links(std::uint32_t die, Direction direction) const;
  /// Cycles that streams have waited for busy bundles, summed.
  base::Cycles contention_cycles() const { return contention_cycles_; }

 private:
  static std::size_t slot(std::uint32_t die, Direction direction) {
    return std::size_t{die} * 4 + static_cast<std::size_t>(direction);
  }
  const base::WaferGeometry& geometry_;
  std::vector<base::Cycles> free_at_;
  base::Cycles contention_cycles_ = 0;
};

}  // namespace wse::fabric
