// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wse/base/activity.h"
#include "wse/tiles/tile_config.h"

namespace wse::tiles {

inline base::EventKind fmac_kind(Precision precision) {
  switch (precision) {
    case Precision::kFp16:
      return base::EventKind::kFmacFp16;
    case Precision::kMixed:
      return base::EventKind::kFmacMixed;
    case Precision::kFp32:
      return base::EventKind::kFmacFp32;
  }
  return base::EventKind::kFmacFp32;
}

/// A vector step reads its operands, and reads and writes accumulators that do not fit the near
/// buffer. Each of its three descriptors steps its address and its remaining length.
inline void add_vector_steps(base::EventCounts& n, std::uint64_t steps, Precision precision,
                             bool cached) {
  using base::EventKind;
  const bool wide_input = precision == Precision::kFp16;  // four fp16 a step; else 32 bit
  at(n, wide_input ? EventKind::kSramRead64 : EventKind::kSramRead32) += steps;
  if (cached) {
    at(n, EventKind::kLocalCache) += 2 * steps;
  } else {
    const bool wide = precision != Precision::kFp32;
    at(n, wide ? EventKind::kSramRead64 : EventKind::kSramRead32) += steps;
    at(n, wide ? EventKind::kSramWrite64 : EventKind::kSramWrite32) += steps;
  }
  at(n, EventKind::kLocalCache) += 2 * steps;
  at(n, EventKind::kIntAlu) += 6 * steps;
}

}  // namespace wse::tiles
