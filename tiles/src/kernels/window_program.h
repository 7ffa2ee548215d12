// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include "axpy_layout.h"
#include "line.h"
#include "wse/tiles/compute_config.h"
#include "wse/tiles/kernels/window_gemm.h"
#include "wse/tiles/program_builder.h"

namespace wse::tiles {

inline constexpr std::uint8_t kWindowWeightColor = 0;
inline constexpr std::uint8_t kWindowRingColors = 1;  // four

/// The ring of a row, by its columns.
LineRing window_ring(const WindowGemmShape& shape);

/// What a column of the mesh has around it: its neighbours in the ring, or their adapters.
struct WindowPlace {
  std::uint32_t rank = 0;
  bool hears = true;  ///< the rank before is in the mesh; else sums lie in y
  bool sends = true;  ///< the rank behind is in the mesh; else sums stay in y
  bool keeps_all() const { return !hears || !sends; }
};

/// What a tile is to an output.
enum class WindowRole : std::uint8_t {
  kBegin,   ///< the first on the way around the ring
  kPass,    ///< adds its sums
  kEnd,     ///< adds its sums and keeps them
  kAlone,   ///< keeps its sums
  kInject,  ///< adds its sums to those in y, and sends
  kHold,    ///< adds its sums to those in y
};
WindowRole window_role(const WindowGemmShape& shape, const WindowPlace& place,
                       std::uint32_t output);
/// Place in y of an output that a tile keeps or gets from y.
bool has_place(const WindowGemmShape& shape, const WindowPlace& place, std::uint32_t output);

/// The program of the tiles of a column.
Program window_tile_program(const WindowGemmShape& shape, const ComputeConfig& config,
                            const LineRing& ring, const WindowPlace& place, std::uint32_t inputs);

/// What brings the weights of a column waits for a time, then sends some words, and so on.
inline constexpr std::uint32_t kWordsATime = 32;
Program window_weight_program(std::uint32_t words);

}  // namespace wse::tiles
