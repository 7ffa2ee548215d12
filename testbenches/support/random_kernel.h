// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wse/tiles/kernel.h"
#include "wse/tiles/tile_mesh.h"

namespace wse::testing {

/// A kernel that passes check(), a configuration, and what the memories hold: all from a seed. It
/// may complete, run into a deadlock, stop with a fault, or never end.
struct KernelCase {
  explicit KernelCase(fabric::Mesh mesh) : kernel(mesh) {}

  std::uint64_t seed = 0;
  tiles::Kernel kernel;
  tiles::MeshConfig config;

  std::uint32_t tiles() const { return kernel.mesh().tiles(); }
  /// Bytes of every tile that hold arrays of some program.
  std::uint32_t array_bytes() const;
  /// Bytes of every tile that the kernel can change.
  std::uint32_t reachable_bytes() const;
  /// What the arrays of a tile hold at launch.
  std::vector<std::uint8_t> initial_memory(std::uint32_t tile) const;
  /// That of the fabric, with the queues of the compute engines behind the ramps.
  fabric::EngineConfig fabric_config() const;
};

KernelCase random_kernel(std::uint64_t seed);

}  // namespace wse::testing
