// SPDX-License-Identifier: Apache-2.0
#include "machine_json.h"

#include <nlohmann/json.hpp>

namespace wse::report {

nlohmann::ordered_json machine_json(const model::MachineConfig& m) {
  const base::GeometryConfig& g = m.geometry;
  const std::uint64_t dies = std::uint64_t{g.die_columns} * g.die_rows;
  const std::uint64_t built = dies * g.die_tiles_columns * g.die_tiles_rows;
  return {{"name", m.name},
          {"cores_built", built},
          {"cores_rated", m.cores_rated},
          {"cores_fabric", std::uint64_t{g.fabric_columns} * g.fabric_rows},
          {"cores_user", std::uint64_t{g.user_columns} * g.user_rows},
          {"sram_bytes", built * m.sram.size_bytes},
          {"transistors", m.transistors},
          {"dies", dies},
          {"fabric", {g.fabric_columns, g.fabric_rows}},
          {"core_hz", m.core_hz}};
}

}  // namespace wse::report
