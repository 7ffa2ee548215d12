// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wse/base/units.h"
#include "wse/host/model_spec.h"

namespace wse::model {

/// A graphics card, its node and its network.
struct GpuCard {
  std::string name;
  base::Bytes memory_bytes = 0;
  double peak_flops = 0;                ///< of matrices in fp16
  std::uint64_t cards_per_node = 8;     ///< joined by links
  double link_bytes_per_second = 0;     ///< of a card, each way
  double link_efficiency = 0.65;        ///< [isaev2023]
  double network_bytes_per_second = 0;  ///< between nodes, of a card, each way
  double network_efficiency = 0.9;      ///< [isaev2023]
  double efficiency = 0.57;             ///< of the peak while a card computes: calibrated, A-061

  double link_rate() const { return link_bytes_per_second * link_efficiency; }
  double network_rate() const { return network_bytes_per_second * network_efficiency; }
};

/// The cards that have a name, sorted.
const std::vector<GpuCard>& gpu_cards();

/// How a model is cut over cards.
struct GpuPartition {
  std::uint64_t tensor = 1;       ///< cards that share each matrix, within a node
  std::uint64_t pipeline = 1;     ///< stages of layers
  std::uint64_t data = 1;         ///< copies of the model
  std::uint64_t micro_batch = 1;  ///< sequences
  std::uint64_t chunks = 1;       ///< of layers a stage, interleaved

  std::uint64_t cards() const { return tensor * pipeline * data; }
};

/// A rate that was published for a cluster, and the shape of the model that ran on it.
struct PublishedGpuRate {
  double tflops_per_gpu = 0;     ///< with recomputation and full attention, as Megatron counts
  double tokens_per_second = 0;  ///< of the cluster, by the length of the whole run; 0: not told
  std::string basis;             ///< calibrated, fit or validation
  std::uint64_t layers = 0;
  std::uint64_t width = 0;
  std::uint64_t heads = 0;
  std::uint64_t vocabulary = 0;
  std::uint64_t sequence = 0;
  bool tied_head = true;  ///< the head is the embedding

  /// A GPT of that shape.
  host::ModelSpec model() const;
};

struct GpuCluster {
  std::string name;
  std::string source;
  GpuCard card;
  std::uint64_t count = 0;
  std::uint64_t batch = 0;       ///< sequences a step; 0: that of the run, or the usual one (A-062)
  bool recompute = true;         ///< the layers' forward pass once more, as the published runs do
  bool shard_optimizer = false;  ///< its state is spread over the copies [rajbhandari2020]
  std::optional<GpuPartition> pinned;  ///< else the cheapest is searched
  std::optional<PublishedGpuRate> published;
};

/// What a model asks of a cluster, for one sequence where nothing else is said.
struct GpuWork {
  std::uint64_t layers = 0;
  std::uint64_t width = 0;
  std::uint64_t heads = 0;
  std::uint64_t key_value_heads = 0;
  std::uint64_t feed_forward = 0;
  std::uint64_t sequence = 0;
  std::uint64_t batch = 0;  ///< sequences a step
  double parameters = 0;
  double layer_weights = 0;         ///< in the matrices of the layers
  double layers_multiply_adds = 0;  ///< forward; causal attention in full, as cards compute it
  double tail_multiply_adds = 0;
  double tensor_sums = 0;         ///< over the cards that share matrices: of all layers, a pass
  double intermediate_bytes = 0;  ///< of one layer and token, fp16, without attention matrices
  double useful_flops = 0;        ///< by the convention of a CS-2's run
};

/// Throws ConfigError for models with experts: their exchange of tokens has no cost here.
GpuWork gpu_work(const host::ModelSpec& model, std::uint64_t sequence, std::uint64_t batch);

/// Sequences a step: of the cluster, else of the run (0: not given), else those nearest to 1,536 of
/// 2,048 tokens that every card can share.
std::uint64_t gpu_batch(const GpuCluster& cluster, std::uint64_t sequence, std::uint64_t run_batch);

/// Seconds of a step by cause, and what a card holds.
struct GpuCost {
  double compute = 0;
  double tensor = 0;    ///< sums over the cards that share a matrix
  double bubble = 0;    ///< stages that wait for the first and the last micro-batch
  double pipeline = 0;  ///< activations from stage to stage
  double data = 0;      ///< sums of gradients over the copies
  double flops = 0;     ///< of a step, with recomputation
  double state_bytes = 0;
  double activation_bytes = 0;

  double seconds() const { return compute + tensor + bubble + pipeline + data; }
  double memory_bytes() const { return state_bytes + activation_bytes; }
};

/// The cost of a partition that keeps the rules:
///   T = C + TP + bubble + PP + DP, the times of Megatron's schedules [narayanan2021, A-061].
/// Within one node the links carry what goes over the network elsewhere.
GpuCost gpu_cost(const GpuWork& work, const GpuCluster& cluster, const GpuPartition& partition);

/// The first rule that a partition breaks, as text; empty if it keeps all. Memory is not among them.
std::string broken_rule(const GpuWork& work, const GpuCluster& cluster,
                        const GpuPartition& partition);

/// The partition of least time that fits into the cards; nothing if none does.
std::optional<GpuPartition> cheapest_partition(const GpuWork& work, const GpuCluster& cluster);

/// The least number of cards, `from` or more, that some partition fits on. The batch of the work
/// must be one that the run or the cluster gives, or zero: then it grows with the cards.
std::optional<std::uint64_t> least_cards(const GpuWork& work, const GpuCluster& cluster,
                                         std::uint64_t from);

}  // namespace wse::model
