// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "wse/base/activity.h"
#include "wse/base/mapping.h"
#include "wse/base/work_item.h"

namespace wse::fabric {

/// Wavelets of a matrix product in a rectangle of tiles, those that enter at its edges included. Weights come
/// down the columns and sums go around the rows; of weight gradients the gradients of outputs come along
/// the rows and sums go up the columns.
struct GemmTraffic {
  std::uint64_t broadcast = 0;  ///< that tiles take and pass on, each once
  std::uint64_t sums = 0;       ///< that tiles send to the next one
  std::uint64_t sum_hops = 1;   ///< from tile to tile
  /// Of the hops, over the edge at which the broadcast enters, and over that which sums cross.
  std::uint64_t broadcast_at_edge = 0;
  std::uint64_t sums_at_edge = 0;

  base::EventCounts broadcast_events() const;
  base::EventCounts sum_events() const;
};

/// Of other work there is none. Partial sums have so many bits.
GemmTraffic gemm_traffic(const base::WorkItem& item, const base::Mapping& mapping,
                         const base::Rectangle& tiles, std::uint32_t sum_bits);

/// All events that it costs, but for scribe lines.
base::EventCounts gemm_events(const GemmTraffic& traffic);

}  // namespace wse::fabric
