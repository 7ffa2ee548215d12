// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wse/tiles/kernels/collective_job.h"

namespace wse::tiles {

inline CollectiveShape shape(std::uint32_t columns, std::uint32_t rows, std::uint32_t words,
                             DataType type = DataType::kFp32) {
  CollectiveShape s;
  s.mesh = fabric::Mesh{columns, rows};
  s.words = words;
  s.type = type;
  return s;
}

inline KernelResult run(const Collective& collective, std::uint32_t threads = 1) {
  return run_kernel(CollectiveJob(collective, 1), MeshConfig(), threads);
}

/// Cycles over those predicted, less one.
inline double deviation(const KernelResult& result, const Collective& collective) {
  return static_cast<double>(result.cycles) / static_cast<double>(collective.predicted) - 1;
}

}  // namespace wse::tiles
