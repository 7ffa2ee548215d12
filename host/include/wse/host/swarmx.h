// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "wse/base/config_errors.h"
#include "wse/base/units.h"
#include "wse/fabric/fabric_config.h"

namespace wse::host {

/// The tree between MemoryX and several systems: it broadcasts weights and sums gradients.
struct SwarmXConfig {
  std::uint32_t fan_out = 4;  ///< [cerebras-swarmx] a node serves four nodes or systems
  base::Picoseconds level_latency_ps = 3'000'000;             ///< A-050: through a node, each way
  std::uint64_t bits_per_second = 100'000'000'000ULL;         ///< [cerebras-swarmx] link of a lane
  std::uint64_t reduce_bits_per_second = 100'000'000'000ULL;  ///< [cerebras-swarmx] line rate

  void validate(base::ConfigErrors& errors) const;
};

/// Times of the tree, without SystemC. Every lane of a system has links of its own through it; a node
/// passes on what it receives without waiting for the end of a block.
class SwarmX {
 public:
  static constexpr std::uint64_t kMostSystems = 192;  ///< [cerebras-swarmx]

  /// A single system, bound to MemoryX without a tree.
  SwarmX() = default;
  SwarmX(const SwarmXConfig& config, std::uint64_t systems, const fabric::IoConfig& io);

  std::uint32_t levels() const { return levels_; }
  /// Nodes of all levels.
  std::uint64_t nodes() const { return nodes_; }
  /// From MemoryX to a system, or back.
  base::Picoseconds latency() const { return latency_; }
  /// The lanes as the broadcast feeds them: the slower of lane and link.
  fabric::IoConfig slowed(fabric::IoConfig io) const;
  /// Gradients of all systems that leave a lane in [first, last): when MemoryX has their sum. Calls come
  /// in the order of their times; where nodes add more slowly than lanes send, they queue.
  base::Picoseconds sum(std::uint32_t lane, base::Bytes bytes, base::Picoseconds first,
                        base::Picoseconds last);

 private:
  std::uint32_t levels_ = 0;
  std::uint64_t nodes_ = 0;
  base::Picoseconds latency_ = 0;
  SwarmXConfig config_;
  fabric::IoConfig upwards_;             ///< rate of the sums
  std::vector<base::Picoseconds> busy_;  ///< until when, by lane
};

}  // namespace wse::host
