// SPDX-License-Identifier: Apache-2.0
#include "wse/model/versus.h"

#include <fmt/format.h>

#include <algorithm>

#include "wse/base/config_errors.h"

namespace wse::model {
namespace {

[[noreturn]] void refuse_pinned(const GpuCluster& cluster, const std::string& rule) {
  throw base::ConfigError("--versus", cluster.name,
                          fmt::format("has a partition that does not suit this model: {}; {}:{} "
                                      "searches one",
                                      rule, cluster.card.name, cluster.count));
}

/// Tells the least count, or why there is none.
std::string what_would_fit(const GpuRun& run) {
  if (run.least_count) return fmt::format("{} would do", *run.least_count);
  return "no number of them would with this batch";
}

std::string sentence_without_fit(const GpuRun& run) {
  const GpuCluster& c = run.cluster;
  const double room = static_cast<double>(c.count) * static_cast<double>(c.card.memory_bytes);
  const double state = 16 * run.work.parameters;
  const std::string why =
      room < state ? "" : ": the degrees must divide cards, layers, heads and batch";
  return fmt::format(
      "{} {} hold {:.4g} GB together, and no partition of just so many cards takes the {:.4g} GB "
      "of "
      "weights, gradients and optimizer state with the activations{} ({}); one CS-2 trains the "
      "model "
      "without a partition, its state is in MemoryX.",
      c.count, c.card.name, room / 1e9, state / 1e9, why, what_would_fit(run));
}

}  // namespace

double GpuRun::tflops_per_gpu() const {
  return cost.flops / cost.seconds() / static_cast<double>(cluster.count) / 1e12;
}

double GpuRun::useful_tflops_per_gpu() const {
  return work.useful_flops * static_cast<double>(work.batch) / cost.seconds() /
         static_cast<double>(cluster.count) / 1e12;
}

GpuRun place_on_gpus(const host::ModelSpec& model, std::uint64_t sequence, std::uint64_t run_batch,
                     const GpuCluster& cluster) {
  GpuRun run;
  run.cluster = cluster;
  run.work = gpu_work(model, sequence, gpu_batch(cluster, sequence, run_batch));
  if (cluster.pinned) {
    const std::string rule = broken_rule(run.work, cluster, *cluster.pinned);
    if (!rule.empty()) refuse_pinned(cluster, rule);
    run.cost = gpu_cost(run.work, cluster, *cluster.pinned);
    const double limit = static_cast<double>(cluster.card.memory_bytes);
    if (run.cost.memory_bytes() > limit) {
      refuse_pinned(cluster, fmt::format("it takes {:.1f} GB of a card's {:.1f} GB",
                                         run.cost.memory_bytes() / 1e9, limit / 1e9));
    }
    run.partition = cluster.pinned;
    return run;
  }
  run.partition = cheapest_partition(run.work, cluster);
  if (run.partition) {
    run.cost = gpu_cost(run.work, cluster, *run.partition);
  } else {
    GpuWork work = run.work;
    if (cluster.batch == 0 && run_batch == 0) work.batch = 0;  // it would grow with the cards
    run.least_count = least_cards(work, cluster, cluster.count + 1);
  }
  return run;
}

double gpus_of_one_cs2(const GpuRun& run, double cs2_tokens_per_second) {
  return cs2_tokens_per_second * static_cast<double>(run.cluster.count) / run.tokens_per_second();
}

std::optional<double> published_gpus_of_one_cs2(const GpuRun& run, double cs2_tokens_per_second) {
  const auto& published = run.cluster.published;
  if (!published || !(published->tokens_per_second > 0) || published->layers != run.work.layers ||
      published->width != run.work.width || published->sequence != run.work.sequence) {
    return std::nullopt;
  }
  return cs2_tokens_per_second * static_cast<double>(run.cluster.count) /
         published->tokens_per_second;
}

std::string versus_sentence(const GpuRun& run, double cs2_tokens_per_second) {
  if (!run.partition) return sentence_without_fit(run);
  const GpuCluster& c = run.cluster;
  const double count = static_cast<double>(c.count);
  const double equal = gpus_of_one_cs2(run, cs2_tokens_per_second);
  const double useful =
      cs2_tokens_per_second * run.work.useful_flops / static_cast<double>(run.work.sequence) / 1e12;
  const std::string ratio =
      equal <= count ? fmt::format("the {} cards train {:.3g} times as fast as one CS-2", c.count,
                                   count / equal)
                     : fmt::format("one CS-2 trains {:.3g} times as fast as the {} cards",
                                   equal / count, c.count);
  return fmt::format(
      "In useful FLOPs one CS-2 equals {:.3g} {} of this cluster ({:.4g} against {:.4g} TFLOP/s a "
      "card, counted alike, recomputation left out), and {}.",
      equal, c.card.name, useful, run.useful_tflops_per_gpu(), ratio);
}

}  // namespace wse::model
