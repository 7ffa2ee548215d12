// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "wse/base/geometry.h"
#include "wse/fabric/fabric_config.h"
#include "wse/host/expert_routing.h"
#include "wse/host/memoryx.h"
#include "wse/host/swarmx.h"
#include "wse/memory/bank_core.h"
#include "wse/power/power_config.h"
#include "wse/power/thermal_grid.h"
#include "wse/tiles/compute_config.h"
#include "wse/tiles/tile_config.h"

namespace wse::model {

/// A machine. Defaults describe the CS-2; configs/machines/ holds the same values with their
/// sources.
struct MachineConfig {
  std::string name = "cs2";
  base::GeometryConfig geometry;
  std::uint64_t transistors = 2'600'000'000'000ULL;  ///< [anandtech2021]
  std::uint64_t cores_rated = 850'000;               ///< [anandtech2021]
  std::uint64_t core_hz = 1'100'000'000ULL;          ///< [lie2022]
  std::uint32_t region_columns = 0;                  ///< cut into regions; 0: one region a die
  std::uint32_t region_rows = 0;
  fabric::FabricConfig fabric;
  fabric::IoConfig io;
  base::Picoseconds lane_latency_ps = 1'000'000;  ///< A-019: 1 us from end to end of a lane
  tiles::TileConfig tile;
  tiles::ComputeConfig compute;  ///< of the cycle level; lanes are those of `tile`
  memory::SramConfig sram;
  base::Bytes memory_budget_bytes =
      2'000'000'000ULL;  ///< of this computer, for the contents of the SRAM
  host::MemoryXConfig memoryx;
  host::SwarmXConfig swarmx;
  power::PowerConfig power;
  power::ThermalConfig thermal;
  std::string energy_table = "configs/energy/n7.csv";

  base::Bytes sram_bytes_user() const {
    return std::uint64_t{geometry.user_columns} * geometry.user_rows * sram.size_bytes;
  }
  /// Compute engines of the cycle level.
  tiles::ComputeConfig compute_engine() const;
  void validate(base::ConfigErrors& errors) const;
};

/// A training run.
struct RunConfig {
  /// Sequences a step, over all systems; 0: the largest that is one micro-batch on each.
  std::uint64_t batch = 0;
  std::uint64_t sequence = 0;  ///< tokens; 0: the model's positions
  std::string precision = "mixed";
  std::string recompute = "auto";
  double sparsity = 0.0;
  std::string mode = "stream";
  std::uint64_t systems = 1;  ///< data parallel
  std::uint64_t seed = 1;
  std::uint64_t copies = 0;           ///< copies of the feature dimension; 0: the cheapest
  std::string layer_copies = "auto";  ///< of layers, like 0-11:2,12:1,head:4; others by `copies`
  std::uint64_t kept_layers = 0;      ///< at the end, not recomputed; 0: by `recompute`
  std::uint64_t micro_batches = 0;    ///< that the batch is cut into; 0: the cheapest
  base::Bytes block_bytes = 0;        ///< 0: 16 MiB, larger where a step would have too many
  double capacity_factor = 1.25;      ///< tokens an expert takes, of the mean
  double expert_imbalance = 0.2;      ///< popularity of experts is drawn from 1 -+ this

  host::RoutingConfig routing() const;
  tiles::Precision precision_kind() const;
  std::uint32_t density_ppm() const;
  void validate(base::ConfigErrors& errors) const;
};

struct Settings {
  MachineConfig machine;
  RunConfig run;
};

}  // namespace wse::model
