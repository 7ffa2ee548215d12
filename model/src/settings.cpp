// SPDX-License-Identifier: Apache-2.0
#include "wse/model/settings.h"

#include <cmath>

namespace wse::model {

tiles::ComputeConfig MachineConfig::compute_engine() const {
  tiles::ComputeConfig config = compute;
  config.cache_bytes = tile.cache_bytes;
  config.lanes_fp16 = tile.lanes_fp16;
  config.lanes_mixed = tile.lanes_mixed;
  config.lanes_fp32 = tile.lanes_fp32;
  return config;
}

void MachineConfig::validate(base::ConfigErrors& errors) const {
  geometry.validate(errors);
  fabric.validate(errors);
  io.validate(errors);
  tile.validate(errors);
  compute.validate(errors);
  sram.validate("tile.sram", errors);
  memoryx.validate(errors);
  swarmx.validate(errors);
  power.validate(errors);
  thermal.validate(errors);
  errors.require(core_hz >= 1'000'000 && core_hz <= 100'000'000'000ULL, "clock.core_hz", core_hz,
                 "must be 1e6 .. 1e11");
  errors.require(cores_rated >= 1 && cores_rated <= 1'000'000'000'000ULL, "wafer.cores_rated",
                 cores_rated, "must be 1 .. 1e12");
  errors.require(lane_latency_ps >= 1'000 && lane_latency_ps <= 1'000'000'000'000ULL,
                 "io.lane.latency_s", static_cast<double>(lane_latency_ps) * 1e-12,
                 "must be 1e-9 .. 1");
  errors.require(
      (region_columns == 0) == (region_rows == 0) && region_columns <= geometry.user_columns &&
          region_rows <= geometry.user_rows,
      "wafer.regions.columns", region_columns,
      "must be zero together with wafer.regions.rows, or both at most the user rectangle");
  errors.require(std::uint64_t{region_columns} * region_rows <= 4096, "wafer.regions.rows",
                 region_rows, "makes more than 4096 regions");
}

tiles::Precision RunConfig::precision_kind() const {
  if (precision == "fp16") return tiles::Precision::kFp16;
  return precision == "fp32" ? tiles::Precision::kFp32 : tiles::Precision::kMixed;
}

std::uint32_t RunConfig::density_ppm() const {
  return static_cast<std::uint32_t>(std::lround((1.0 - sparsity) * 1e6));
}

host::RoutingConfig RunConfig::routing() const {
  const auto ppm = [](double share) {
    return static_cast<std::uint32_t>(std::lround(share * 1e6));
  };
  return {ppm(capacity_factor), ppm(expert_imbalance), seed};
}

void RunConfig::validate(base::ConfigErrors& errors) const {
  const auto one_of = [&](const std::string& value, const char* path,
                          std::initializer_list<const char*> allowed) {
    std::string rule;
    for (const char* name : allowed) {
      if (value == name) return;
      rule += (rule.empty() ? "must be " : " or ") + std::string(name);
    }
    errors.add(path, value, rule);
  };
  one_of(precision, "run.precision", {"fp16", "mixed", "fp32"});
  one_of(recompute, "run.recompute", {"auto", "full", "none"});
  one_of(mode, "run.mode", {"auto", "stream", "pipeline"});
  errors.require(sparsity >= 0.0 && sparsity <= 0.999999, "run.sparsity", sparsity,
                 "must be in [0, 1)");
  errors.require(batch <= 1'000'000, "run.batch", batch, "must be at most 1000000 sequences");
  errors.require(sequence <= 1'000'000, "run.sequence", sequence, "must be at most 1000000 tokens");
  errors.require(systems >= 1 && systems <= host::SwarmX::kMostSystems, "run.systems", systems,
                 "must be 1 .. 192, what SwarmX reaches");
  errors.require(copies <= 64, "run.copies", copies, "must be at most 64");
  errors.require(kept_layers <= 100'000, "run.kept_layers", kept_layers, "must be at most 100000");
  errors.require(block_bytes == 0 || (block_bytes >= 65'536 && block_bytes <= (1ULL << 34)),
                 "run.block_bytes", block_bytes, "must be 0 or 65536 .. 17179869184");
  errors.require(capacity_factor > 0 && capacity_factor <= 1000, "run.capacity_factor",
                 capacity_factor, "must be positive, at most 1000");
  errors.require(expert_imbalance >= 0 && expert_imbalance < 1, "run.expert_imbalance",
                 expert_imbalance, "must be in [0, 1)");
}

}  // namespace wse::model
