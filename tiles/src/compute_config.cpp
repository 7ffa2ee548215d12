// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/compute_config.h"

#include <algorithm>

namespace wse::tiles {

std::uint32_t ComputeConfig::lanes(VectorOp op, DataType type) const {
  const bool multiplies = op == VectorOp::kMul || op == VectorOp::kFma;
  const bool converts = op == VectorOp::kFromInt || op == VectorOp::kToInt;
  if (op == VectorOp::kUnpack) return 1;
  switch (type) {
    case DataType::kFp16:
    case DataType::kInt16:
      return lanes_fp16;
    case DataType::kMixed:
      return lanes_mixed;
    case DataType::kFp32:
    case DataType::kInt32:
      return multiplies || converts ? lanes_fp32 : std::max(lanes_fp32, add_lanes_fp32);
  }
  return 1;
}

void ComputeConfig::validate(base::ConfigErrors& errors) const {
  const auto range = [&errors](const std::string& path, std::uint64_t v, std::uint64_t low,
                               std::uint64_t high) {
    errors.require(v >= low && v <= high, path, v, fmt::format("must be {} .. {}", low, high));
  };
  // With the pipeline of the ramp a queue holds up to 16 wavelets.
  for (std::size_t q = 0; q < input_depths.size(); ++q) {
    range(fmt::format("tile.engine.input_depths.q{}", q), input_depths[q], 1, 12);
  }
  for (std::size_t q = 0; q < output_depths.size(); ++q) {
    range(fmt::format("tile.engine.output_depths.q{}", q), output_depths[q], 1, 16);
  }
  range("tile.engine.task_start_cycles", task_start_cycles, 0, 1000);
  range("tile.engine.vector_start_cycles", vector_start_cycles, 0, 1000);
  range("tile.engine.scalar_cycles", scalar_cycles, 1, 1000);
  range("tile.engine.add_lanes_fp32", add_lanes_fp32, 1, 64);
  range("tile.engine.write_delay_steps", write_delay_steps, 0, 64);
}

}  // namespace wse::tiles
