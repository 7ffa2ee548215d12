// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "wse/model/gpu_cluster.h"

namespace wse::model {

/// One training step on a cluster of graphics cards.
struct GpuRun {
  GpuCluster cluster;
  GpuWork work;
  std::optional<GpuPartition> partition;     ///< nothing if the model does not fit
  GpuCost cost;                              ///< of the partition
  std::optional<std::uint64_t> least_count;  ///< cards that would do, where it does not fit

  std::uint64_t micro_batches() const {
    return work.batch / (partition->data * partition->micro_batch);
  }
  double tokens_per_second() const {
    return static_cast<double>(work.batch * work.sequence) / cost.seconds();
  }
  /// As Megatron counts: with recomputation and full attention.
  double tflops_per_gpu() const;
  /// As the useful FLOPs of a CS-2's run are counted.
  double useful_tflops_per_gpu() const;
};

/// Places a model on a cluster: by its pinned partition, or by the cheapest that fits. `run_batch` is
/// the run's sequences a step, 0 if none is given. Throws ConfigError for a pinned partition that does
/// not suit the model, and for models with experts.
GpuRun place_on_gpus(const host::ModelSpec& model, std::uint64_t sequence, std::uint64_t run_batch,
                     const GpuCluster& cluster);

/// Cards of the cluster that do the useful work of one CS-2. The run must have a partition.
double gpus_of_one_cs2(const GpuRun& run, double cs2_tokens_per_second);

/// The same by the length of the run that was published for the cluster; nothing where none was, or for
/// another model.
std::optional<double> published_gpus_of_one_cs2(const GpuRun& run, double cs2_tokens_per_second);

/// What a CS-2 of that rate equals, in one sentence.
std::string versus_sentence(const GpuRun& run, double cs2_tokens_per_second);

}  // namespace wse::model
