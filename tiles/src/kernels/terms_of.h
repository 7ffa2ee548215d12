// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wse/tiles/compute_config.h"
#include "wse/tiles/cost_terms.h"

namespace wse::tiles {

/// The compute engine of a kernel, as the cost terms know it.
inline TileConfig tile_config_of(const ComputeConfig& config) {
  TileConfig tile;
  tile.lanes_fp16 = config.lanes_fp16;
  tile.lanes_mixed = config.lanes_mixed;
  tile.lanes_fp32 = config.lanes_fp32;
  tile.vector_start_cycles = config.scalar_cycles;  // a weight is received by a scalar instruction
  return tile;
}
inline Precision precision_of(DataType type) {
  return type == DataType::kFp16    ? Precision::kFp16
         : type == DataType::kMixed ? Precision::kMixed
                                    : Precision::kFp32;
}

}  // namespace wse::tiles
