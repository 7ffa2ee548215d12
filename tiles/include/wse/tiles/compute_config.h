// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "wse/base/config_errors.h"
#include "wse/tiles/program.h"

namespace wse::tiles {

/// A compute engine at the cycle level. Defaults describe the WSE-2; what they mean is in
/// docs/timing.md.
struct ComputeConfig {
  std::array<std::uint32_t, kNumInputQueues> input_depths{6, 6, 4, 4,
                                                          2, 2, 2, 2};          ///< [csl-examples]
  std::array<std::uint32_t, kNumOutputQueues> output_depths{2, 2, 6, 6, 2, 2};  ///< [csl-examples]
  std::uint32_t task_start_cycles = 3;    ///< A-035: from the choice of a task to its first issue
  std::uint32_t vector_start_cycles = 0;  ///< A-035: from the issue of a vector operation to its
                                          ///< first step
  std::uint32_t scalar_cycles = 1;        ///< A-035: of a scalar instruction, jump or load
  std::uint32_t write_delay_steps = 3;  ///< A-036: steps between the reads and the write of a step
  std::uint32_t cache_bytes = 256;      ///< [lie2022] buffer beside the datapath
  std::uint32_t lanes_fp16 = 4;         ///< elements a step, as in TileConfig
  std::uint32_t lanes_mixed = 2;
  std::uint32_t lanes_fp32 = 1;
  std::uint32_t add_lanes_fp32 = 2;  ///< A-039: moves, additions, comparisons and logic of 32 bits

  /// Elements of a step of an operation.
  std::uint32_t lanes(VectorOp op, DataType type) const;
  void validate(base::ConfigErrors& errors) const;
};

}  // namespace wse::tiles
