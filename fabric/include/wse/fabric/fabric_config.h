// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "wse/base/config_errors.h"
#include "wse/base/units.h"

namespace wse::fabric {

/// The mesh. Defaults describe the WSE-2.
struct FabricConfig {
  std::uint32_t hop_latency_cycles = 1;   ///< [luczynski2024]
  std::uint32_t ramp_latency_cycles = 2;  ///< [luczynski2024], one way
  std::uint32_t queue_depth = 2;          ///< A-003: least depth for full rate on links
  std::uint32_t plain_round_robin = 0;    ///< A-033: 1: pointers never return to their start
  std::uint32_t unpack_cycles = 1;        ///< A-004: cycles a packed wavelet takes to become two

  /// First word of a chain from tile to tile: two ramps, a hop, a cycle in the core (6 by default).
  base::Cycles chain_cycles() const {
    return 2 * base::Cycles{ramp_latency_cycles} + hop_latency_cycles + 1;
  }
  /// Sums around a ring of so many tiles: the first ones go around before a tile can go on, the last ones
  /// behind all work.
  base::Cycles ring_cycles(base::Cycles tiles) const { return 2 * chain_cycles() * tiles; }
  void validate(base::ConfigErrors& errors) const {
    const auto range = [&](std::uint32_t v, const char* path, std::uint32_t low,
                           std::uint32_t high) {
      errors.require(v >= low && v <= high, path, v, fmt::format("must be {} .. {}", low, high));
    };
    range(hop_latency_cycles, "fabric.hop_latency_cycles", 1, 1000);
    range(ramp_latency_cycles, "fabric.ramp_latency_cycles", 1, 1000);
    range(queue_depth, "fabric.queue_depth", 1, 255);
    range(unpack_cycles, "fabric.unpack_cycles", 0, 1000);
    range(plain_round_robin, "fabric.plain_round_robin", 0, 1);
  }
};

/// The I/O lanes at the west and the east edge, with a clock of their own.
struct IoConfig {
  std::uint32_t lanes = 12;                            ///< [anl-io] 12 x 100 GbE
  std::uint64_t bits_per_second = 100'000'000'000ULL;  ///< a lane, each way
  std::uint32_t efficiency_ppm = 900'000;              ///< A-005: payload share of the line rate
  std::uint32_t edge_ports_per_lane = 10;  ///< [sdk-digest] 60 channels an edge, 6 lanes an edge
  base::Bytes buffer_bytes = 32ULL
                             << 20;  ///< A-006: weights that wait on the wafer, all lanes together

  std::uint64_t payload_bits_per_second() const {
    return base::mul_div(bits_per_second, efficiency_ppm, 1'000'000);
  }
  /// Lanes at the west edge; the others are at the east edge.
  std::uint32_t west_lanes() const { return (lanes + 1) / 2; }
  base::Picoseconds transfer_time(base::Bytes bytes) const {
    return base::mul_div_up(bytes * 8, 1'000'000'000'000ULL, payload_bits_per_second());
  }
  void validate(base::ConfigErrors& errors) const {
    errors.require(lanes >= 1 && lanes <= 1024, "io.lanes", lanes, "must be 1 .. 1024");
    errors.require(bits_per_second >= 1'000'000 && bits_per_second <= 1'000'000'000'000'000ULL,
                   "io.lane.bits_per_second", bits_per_second, "must be 1e6 .. 1e15");
    errors.require(efficiency_ppm >= 1'000 && efficiency_ppm <= 1'000'000, "io.lane.efficiency",
                   static_cast<double>(efficiency_ppm) / 1e6, "must be 0.001 .. 1");
    errors.require(edge_ports_per_lane >= 1 && edge_ports_per_lane <= 1024, "io.lane.edge_ports",
                   edge_ports_per_lane, "must be 1 .. 1024");
    errors.require(buffer_bytes >= 4096, "io.buffer_bytes", buffer_bytes, "must be at least 4096");
  }
};

}  // namespace wse::fabric
