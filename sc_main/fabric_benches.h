// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace wse::cli {

/// Measurements that no traffic pattern of wse noc makes: streams, walk, elaborate, sockets and core of the
/// fabric, compute of the tiles, an RTL router (twin_bench.h). Numbers of this process; throws ConfigError for another name.
nlohmann::ordered_json measure_fabric(const std::string& name);

}  // namespace wse::cli
