// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "wse/base/work_item.h"

namespace wse::model {

/// Bytes that cross the lanes, by phase and by what they are; samples are not among them.
struct StreamedBytes {
  using ByTensor = std::array<base::Bytes, base::kNumTensors>;
  std::array<ByTensor, base::kNumPhases> in{};   ///< weights
  std::array<ByTensor, base::kNumPhases> out{};  ///< gradients

  void add(const base::WorkItem& item) {
    const auto phase = static_cast<std::size_t>(item.phase);
    const auto tensor = static_cast<std::size_t>(item.tensor);
    in[phase][tensor] += item.weight_bytes;
    out[phase][tensor] += item.gradient_bytes;
  }
};

}  // namespace wse::model
