// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "wse/model/gpu_cluster.h"

namespace wse::cli {

/// The cluster that `--versus` names: CARD:N, a preset of configs/clusters/, or a file. Throws
/// ConfigError.
model::GpuCluster read_versus(const std::string& given);

/// One line a cluster, for `wse list clusters`.
std::string cluster_list();

}  // namespace wse::cli
