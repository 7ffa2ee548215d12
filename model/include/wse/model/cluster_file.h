// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "wse/base/config_errors.h"
#include "wse/model/gpu_cluster.h"

namespace wse::model {

/// Reads a cluster for `wse train --versus`. What a card of that name has can be set anew; a card of
/// another name needs all of it. Every violation is added with its place. Example:
///
///     source: black2022
///     card: {name: a100-40gb, efficiency: 0.43, network_bytes_per_s: 12.5e9}
///     count: 96
///     batch: 1536            # sequences; not needed
///     recompute: true
///     shard_optimizer: true
///     partition: {tensor: 2, pipeline: 4, data: 12, micro_batch: 4, chunks: 1}  # not needed
///     published:             # not needed
///       {tflops_per_gpu: 117, basis: fit, layers: 44, width: 6144, heads: 64, vocabulary: 50432,
///        sequence: 2048, tied_head: false}
void read_cluster(const std::string& file, GpuCluster& cluster, base::ConfigErrors& errors);

/// The largest count of cards.
inline constexpr std::uint64_t kMostGpus = 1'000'000;

}  // namespace wse::model
