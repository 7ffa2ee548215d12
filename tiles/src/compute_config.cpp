// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/compute_config.h"

namespace wse::tiles {

std::uint32_t ComputeConfig::lanes(DataType type) const {
  switch (type) {
    case DataType::kFp16:
    case DataType::kInt16:
      return lanes_fp16;
    case DataType::kMixed:
      return lanes_mixed;
    case DataType::kFp32:
    case DataType::kInt32:
      return lanes_fp32;
  }
  return 1;
}

void ComputeConfig::validate(base::ConfigErrors& errors) const {
  const auto range = [&errors](const char* path, std::uint64_t v, std::uint64_t low,
                               std::uint64_t high) {
    errors.require(v >= low && v <= high, path, v, fmt::format("must be {} .. {}", low, high));
  };
  for (const std::uint8_t depth : input_depths) range("tile.input_queue_depths", depth, 1, 16);
  for (const std::uint8_t depth : output_depths) range("tile.output_queue_depths", depth, 1, 16);
  range("tile.task_start_cycles", task_start_cycles, 0, 1000);
  range("tile.vector_start_cycles", vector_start_cycles, 0, 1000);
  range("tile.scalar_cycles", scalar_cycles, 1, 1000);
  range("tile.write_delay_steps", write_delay_steps, 0, 64);
}

}  // namespace wse::tiles
