// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "wse/base/mapping.h"
#include "wse/base/work_item.h"

namespace wse::fabric {

/// Wavelets of a block whose weights are streamed, by location.
struct GemmTraffic {
  std::uint64_t weights = 0;   ///< down the columns of the rectangle, each once
  std::uint64_t row_sums = 0;  ///< along a row, past each of its tiles
};
/// In a rectangle of user tiles, for partial sums of so many bits.
GemmTraffic gemm_traffic(const base::WorkItem& item, const base::Mapping& mapping,
                         const base::Rectangle& tiles, std::uint32_t sum_bits);

/// Events that the wavelets cost in the rectangle, but for scribe lines: each row takes a weight once, each
/// tile a sum from one neighbour for another.
base::EventCounts gemm_events(const GemmTraffic& traffic, const base::Rectangle& tiles);

}  // namespace wse::fabric
