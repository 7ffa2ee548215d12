// SPDX-License-Identifier: Apache-2.0
#include "wse/model/gpu_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "wse/base/config_errors.h"

namespace wse::model {
namespace {

/// Bytes a parameter: weight and gradient in fp16; master, mean and variance in fp32.
constexpr double kWeightAndGradientBytes = 4;
constexpr double kOptimizerBytes = 12;
/// Sums over the cards of a tensor group: after each attention and each feed-forward block, in every
/// pass [shoeybi2019].
constexpr double kSumsOfALayer = 2;
constexpr std::uint64_t kUsualBatchTokens = 1536 * 2048;  ///< A-062
constexpr std::uint64_t kMostTensor = 8;

double real(std::uint64_t n) { return static_cast<double>(n); }

std::uint64_t micro_batches_of(const GpuWork& work, const GpuPartition& p) {
  return work.batch / (p.data * p.micro_batch);
}

/// Layers times micro-batches whose activations the first stage holds: it has begun so many before
/// the first comes back [narayanan2021].
double layers_in_flight(const GpuWork& work, const GpuPartition& p) {
  const std::uint64_t warm_up = p.chunks == 1 ? p.pipeline : p.pipeline * p.chunks + p.pipeline - 1;
  const std::uint64_t begun = std::min(warm_up, micro_batches_of(work, p) * p.chunks);
  return real(work.layers) / real(p.pipeline * p.chunks) * real(begun);
}

/// Intermediates of one layer and micro-batch with its attention matrices; 10 bytes a feature are on
/// every card of a tensor group [korthikanti2022].
double layer_bytes(const GpuWork& work, const GpuPartition& p) {
  const double everywhere = 10 * real(work.width);
  const double shared = work.intermediate_bytes - everywhere + 5 * real(work.heads * work.sequence);
  return real(work.sequence * p.micro_batch) * (everywhere + shared / real(p.tensor));
}

void add_memory(const GpuWork& work, const GpuCluster& cluster, const GpuPartition& p,
                GpuCost& cost) {
  const double copies = cluster.shard_optimizer ? real(p.data) : 1;
  cost.state_bytes = (kWeightAndGradientBytes + kOptimizerBytes / copies) * work.parameters /
                     real(p.tensor * p.pipeline);
  const double input = 2 * real(work.sequence * p.micro_batch * work.width);
  const double held = layers_in_flight(work, p);
  cost.activation_bytes =
      cluster.recompute ? held * input + layer_bytes(work, p) : held * layer_bytes(work, p);
}

/// Degrees of tensor parallelism that the model and a node allow.
bool shares_matrices(const GpuWork& work, const GpuCluster& cluster, std::uint64_t tensor) {
  return tensor >= 1 && tensor <= kMostTensor && cluster.card.cards_per_node % tensor == 0 &&
         work.heads % tensor == 0 && work.key_value_heads % tensor == 0 &&
         work.feed_forward % tensor == 0;
}

bool fits(const GpuWork& work, const GpuCluster& cluster, const GpuPartition& p) {
  GpuCost cost;
  add_memory(work, cluster, p, cost);
  return cost.memory_bytes() <= real(cluster.card.memory_bytes);
}

/// The search, degree by degree; the first of equals is kept, so the smaller degrees win.
class Search {
 public:
  Search(const GpuWork& work, const GpuCluster& cluster) : work_(work), cluster_(cluster) {}

  std::optional<GpuPartition> run() {
    for (std::uint64_t tensor = 1; tensor <= kMostTensor; ++tensor) {
      if (!shares_matrices(work_, cluster_, tensor) || cluster_.count % tensor != 0) continue;
      const std::uint64_t groups = cluster_.count / tensor;
      for (std::uint64_t pipeline = 1; pipeline <= std::min(groups, work_.layers); ++pipeline) {
        if (groups % pipeline != 0 || work_.layers % pipeline != 0) continue;
        try_stages({tensor, pipeline, groups / pipeline, 1, 1});
      }
    }
    return best_;
  }

 private:
  void try_stages(GpuPartition p) {
    if (work_.batch % p.data != 0) return;
    const std::uint64_t most_chunks = p.pipeline == 1 ? 1 : work_.layers / p.pipeline;
    for (p.chunks = 1; p.chunks <= most_chunks; ++p.chunks) {
      if (work_.layers % (p.pipeline * p.chunks) == 0) try_micro_batches(p);
    }
  }

  void try_micro_batches(GpuPartition p) {
    const std::uint64_t share = work_.batch / p.data;
    for (p.micro_batch = 1; p.micro_batch <= share; ++p.micro_batch) {
      if (share % p.micro_batch != 0) continue;
      if (!fits(work_, cluster_, p)) return;  // more sequences at once never need less memory
      if (broken_rule(work_, cluster_, p).empty()) try_one(p);
    }
  }

  void try_one(const GpuPartition& p) {
    const double seconds = gpu_cost(work_, cluster_, p).seconds();
    if (seconds >= least_) return;
    least_ = seconds;
    best_ = p;
  }

  const GpuWork& work_;
  const GpuCluster& cluster_;
  std::optional<GpuPartition> best_;
  double least_ = std::numeric_limits<double>::infinity();
};

}  // namespace

const std::vector<GpuCard>& gpu_cards() {
  // [a100-2021]; a card's share of a DGX A100's network [isaev2023].
  static const std::vector<GpuCard> cards = [] {
    GpuCard a100;
    a100.name = "a100";
    a100.memory_bytes = 80'000'000'000ULL;
    a100.peak_flops = 312e12;
    a100.link_bytes_per_second = 300e9;
    a100.network_bytes_per_second = 25e9;
    GpuCard small = a100;
    small.name = "a100-40gb";
    small.memory_bytes = 40'000'000'000ULL;
    return std::vector<GpuCard>{a100, small};
  }();
  return cards;
}

host::ModelSpec PublishedGpuRate::model() const {
  host::ModelSpec spec;
  spec.type = "gpt2";
  spec.layers = layers;
  spec.width = spec.attention_width = spec.key_value_width = width;
  spec.heads = heads;
  spec.feed_forward = 4 * width;
  spec.vocabulary = vocabulary;
  spec.positions = sequence;
  spec.learned_positions = true;
  spec.tied_head = tied_head;
  return spec;
}

GpuWork gpu_work(const host::ModelSpec& model, std::uint64_t sequence, std::uint64_t batch) {
  if (model.experts > 1) {
    throw base::ConfigError("--versus", model.name,
                            fmt::format("has {} experts: the exchange of tokens between cards that "
                                        "hold experts has no cost here",
                                        model.experts));
  }
  GpuWork work;
  work.layers = model.layers;
  work.width = model.width;
  work.heads = model.heads;
  work.key_value_heads = model.heads * model.key_value_width / model.attention_width;
  work.feed_forward = model.feed_forward;
  work.sequence = sequence;
  work.batch = batch;
  work.parameters = real(model.parameters());
  work.intermediate_bytes = real(model.largest_intermediate_bytes());
  const double tokens = real(sequence);
  for (std::uint64_t layer = 0; layer < model.layers; ++layer) {
    double keys = model.image_side > 0 ? real(model.pattern(layer, sequence).keys_before(sequence))
                                       : tokens * tokens;
    if (model.has_cross_attention(layer)) keys += tokens * tokens;
    work.tensor_sums += kSumsOfALayer + (model.has_cross_attention(layer) ? 1 : 0);
    const double weights = real(model.active_parameters(layer));
    work.layer_weights += weights;
    work.layers_multiply_adds += tokens * weights + 2 * keys * real(model.attention_width);
  }
  for (const host::TailMatrix& t : model.tail()) {
    work.tail_multiply_adds += real(t.matrix.weights()) * (t.per_sequence ? 1 : tokens);
  }
  work.useful_flops = 6 * real(model.forward_multiply_adds(1, sequence));
  return work;
}

std::uint64_t gpu_batch(const GpuCluster& cluster, std::uint64_t sequence,
                        std::uint64_t run_batch) {
  if (cluster.batch > 0) return cluster.batch;
  if (run_batch > 0) return run_batch;
  const double shares = real(kUsualBatchTokens) / real(sequence) / real(cluster.count);
  return cluster.count * static_cast<std::uint64_t>(std::max(1.0, std::round(shares)));
}

GpuCost gpu_cost(const GpuWork& work, const GpuCluster& cluster, const GpuPartition& p) {
  const GpuCard& card = cluster.card;
  const double network =
      cluster.count <= card.cards_per_node ? card.link_rate() : card.network_rate();
  const double t = real(p.tensor);
  const double m = real(micro_batches_of(work, p));
  const double activations = 2 * real(p.micro_batch * work.sequence * work.width);
  const double passes = cluster.recompute ? 4 : 3;  // a backward pass is two
  GpuCost cost;
  cost.flops =
      2 * real(work.batch) * (passes * work.layers_multiply_adds + 3 * work.tail_multiply_adds);
  cost.compute = cost.flops / (real(p.cards()) * card.peak_flops * card.efficiency);
  cost.tensor = (passes - 1) * work.tensor_sums / real(p.pipeline) * m * 2 * (t - 1) / t *
                activations / card.link_rate();
  cost.bubble = (cost.compute + cost.tensor) * real(p.pipeline - 1) / (real(p.chunks) * m);
  if (p.pipeline > 1) cost.pipeline = 2 * m * real(p.chunks) * activations / t / network;
  cost.data = 2 * real(p.data - 1) / real(p.data) * 2 * work.layer_weights /
              (t * real(p.pipeline)) / network;
  add_memory(work, cluster, p, cost);
  return cost;
}

std::string broken_rule(const GpuWork& work, const GpuCluster& cluster, const GpuPartition& p) {
  if (p.cards() != cluster.count) {
    return fmt::format("tensor x pipeline x data = {} must be the count, {}", p.cards(),
                       cluster.count);
  }
  if (!shares_matrices(work, cluster, p.tensor)) {
    return fmt::format(
        "tensor = {} must be 1 .. {} and divide the cards of a node ({}), the heads "
        "({}, keys and values {}) and the feed-forward features ({})",
        p.tensor, kMostTensor, cluster.card.cards_per_node, work.heads, work.key_value_heads,
        work.feed_forward);
  }
  if (work.layers % (p.pipeline * p.chunks) != 0) {
    return fmt::format("pipeline x chunks = {} x {} must divide the layers ({})", p.pipeline,
                       p.chunks, work.layers);
  }
  if (work.batch % (p.data * p.micro_batch) != 0) {
    return fmt::format("data x micro_batch = {} x {} must divide the batch ({})", p.data,
                       p.micro_batch, work.batch);
  }
  // The interleaved schedule takes micro-batches in groups of the stages [narayanan2021].
  if (p.chunks > 1 && (p.pipeline == 1 || micro_batches_of(work, p) % p.pipeline != 0)) {
    return fmt::format(
        "with chunks = {} the micro-batches ({}) must be a multiple of the pipeline "
        "({}), more than one",
        p.chunks, micro_batches_of(work, p), p.pipeline);
  }
  return "";
}

std::optional<GpuPartition> cheapest_partition(const GpuWork& work, const GpuCluster& cluster) {
  return Search(work, cluster).run();
}

std::optional<std::uint64_t> least_cards(const GpuWork& work, const GpuCluster& cluster,
                                         std::uint64_t from) {
  // Copies beyond the first change the memory only where the optimizer's state is spread over them.
  constexpr std::uint64_t kMostCopies = 4096;
  std::optional<std::uint64_t> least;
  for (std::uint64_t tensor = 1; tensor <= kMostTensor; ++tensor) {
    if (!shares_matrices(work, cluster, tensor)) continue;
    for (std::uint64_t pipeline = 1; pipeline <= work.layers; ++pipeline) {
      if (work.layers % pipeline != 0) continue;
      const std::uint64_t first =
          std::max<std::uint64_t>(1, base::ceil_div(from, tensor * pipeline));
      const std::uint64_t last = work.batch > 0 ? work.batch : first + kMostCopies;
      for (std::uint64_t data = first; data <= last; ++data) {
        const GpuPartition p{tensor, pipeline, data, 1, 1};
        if (least && p.cards() >= *least) break;
        GpuWork shared = work;
        GpuCluster larger = cluster;
        larger.count = p.cards();
        if (work.batch == 0) shared.batch = gpu_batch(larger, work.sequence, 0);
        if (shared.batch % data != 0 || !fits(shared, larger, p)) continue;
        least = p.cards();
      }
    }
  }
  return least;
}

}  // namespace wse::model
