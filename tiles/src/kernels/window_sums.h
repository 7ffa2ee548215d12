// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "window_program.h"

namespace wse::tiles {

/// Data of the whole row of columns, as StreamedGemm has them.
class WindowData {
 public:
  WindowData(const WindowGemmShape& shape, std::uint64_t seed);

  /// The first input of a rank, and how many it has; beyond the matrix weights are zero.
  std::uint32_t first_input(std::uint32_t rank) const { return first_[rank]; }
  std::uint32_t inputs(std::uint32_t rank) const { return first_[rank + 1] - first_[rank]; }
  double activation(std::uint32_t input, std::uint32_t token) const;
  double weight(std::uint32_t input, std::uint32_t output) const;

 private:
  const WindowGemmShape shape_;
  const std::uint64_t seed_;
  std::vector<std::uint32_t> first_;  ///< by rank, and behind the last
};

/// Sums that go around the ring: by place in y of a column, what comes from outside, or what is there in
/// the end by double precision. `places` are those of the mesh; by place, then by row, place in y, token.
std::vector<std::vector<double>> window_sums(const WindowGemmShape& shape, const WindowData& data,
                                             const std::vector<WindowPlace>& places);

}  // namespace wse::tiles
