// SPDX-License-Identifier: Apache-2.0
#include "wse/report/versus_report.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace wse::report {
namespace {

using json = nlohmann::ordered_json;

std::uint64_t rounded(double bytes) { return static_cast<std::uint64_t>(std::llround(bytes)); }

/// A card by its catalogue is calibrated; a cluster may have a fit of its own.
std::string efficiency_basis(const model::GpuCluster& c) {
  if (c.published && c.published->basis == "fit") return "fit";
  for (const model::GpuCard& card : model::gpu_cards()) {
    if (card.name == c.card.name && card.efficiency == c.card.efficiency) return "calibrated";
  }
  return "given";
}

/// Narrow matrices reach less of the peak; the constant was checked down to this width.
constexpr std::uint64_t kNarrowestChecked = 4096;
std::string caution(const model::GpuRun& run) {
  if (!run.partition || run.work.width >= kNarrowestChecked) return "";
  return fmt::format(
      "the efficiency of a card is checked on models {} wide and wider; this one is {} wide: cards "
      "will be slower than told here",
      kNarrowestChecked, run.work.width);
}

json published_json(const model::GpuRun& run, const Cs2Rate& cs2) {
  if (!run.cluster.published) return nullptr;
  const model::PublishedGpuRate& rate = *run.cluster.published;
  const auto equal = model::published_gpus_of_one_cs2(run, cs2.tokens_per_second);
  return {{"tflops_per_gpu", rate.tflops_per_gpu},
          {"tokens_per_second",
           rate.tokens_per_second > 0 ? json(rate.tokens_per_second) : json(nullptr)},
          {"basis", rate.basis},
          {"one_cs2_equals_gpus", equal ? json(*equal) : json(nullptr)}};
}

json shares_json(const model::GpuCost& cost) {
  const double all = cost.seconds();
  return {{"compute", cost.compute / all},
          {"tensor", cost.tensor / all},
          {"bubble", cost.bubble / all},
          {"pipeline", cost.pipeline / all},
          {"data", cost.data / all}};
}

void add_partition(const model::GpuRun& run, const Cs2Rate& cs2, json& j) {
  const model::GpuPartition& p = *run.partition;
  j.update({{"tensor", p.tensor},
            {"pipeline", p.pipeline},
            {"data", p.data},
            {"micro_batch", p.micro_batch},
            {"micro_batches", run.micro_batches()},
            {"chunks", p.chunks},
            {"memory_per_gpu_bytes", rounded(run.cost.memory_bytes())},
            {"state_per_gpu_bytes", rounded(run.cost.state_bytes)},
            {"activations_per_gpu_bytes", rounded(run.cost.activation_bytes)},
            {"step_seconds", run.cost.seconds()},
            {"tflops_per_gpu", run.tflops_per_gpu()},
            {"useful_tflops_per_gpu", run.useful_tflops_per_gpu()},
            {"tokens_per_second", run.tokens_per_second()},
            {"shares", shares_json(run.cost)},
            {"least_count", nullptr},
            {"one_cs2_equals_gpus", model::gpus_of_one_cs2(run, cs2.tokens_per_second)}});
}

void add_no_partition(const model::GpuRun& run, json& j) {
  for (const char* key :
       {"tensor", "pipeline", "data", "micro_batch", "micro_batches", "chunks",
        "memory_per_gpu_bytes", "state_per_gpu_bytes", "activations_per_gpu_bytes", "step_seconds",
        "tflops_per_gpu", "useful_tflops_per_gpu", "tokens_per_second", "shares"}) {
    j[key] = nullptr;
  }
  j["least_count"] = run.least_count ? json(*run.least_count) : json(nullptr);
  j["one_cs2_equals_gpus"] = nullptr;
}

double gigabytes(double bytes) { return bytes / 1e9; }

std::string partition_line(const model::GpuRun& run, const Cs2Rate& cs2) {
  const model::GpuCluster& c = run.cluster;
  const std::string ours = cs2.systems == 1
                               ? "one CS-2: none"
                               : fmt::format("{} CS-2: data {}", cs2.systems, cs2.systems);
  if (!run.partition) return fmt::format("{}; {} {}: none fits", ours, c.count, c.card.name);
  const model::GpuPartition& p = *run.partition;
  return fmt::format("{}; {} {}: tensor {} x pipeline {} x data {}, {:.3g} GB a card", ours,
                     c.count, c.card.name, p.tensor, p.pipeline, p.data,
                     gigabytes(run.cost.memory_bytes()));
}

std::string memory_line(const model::GpuRun& run) {
  return fmt::format("{:.3g} GB state, {:.3g} GB activations {}, of {:.3g} GB{}",
                     gigabytes(run.cost.state_bytes), gigabytes(run.cost.activation_bytes),
                     run.cluster.recompute ? "(recomputed)" : "(kept)",
                     gigabytes(static_cast<double>(run.cluster.card.memory_bytes)),
                     run.cluster.shard_optimizer ? "; optimizer spread over the copies" : "");
}

std::string rate_line(const model::GpuRun& run) {
  return fmt::format(
      "{:.1f} TFLOP/s, {:.1f} of them useful; {:.0f} tokens/s together; {:g} of the peak while it "
      "computes ({})",
      run.tflops_per_gpu(), run.useful_tflops_per_gpu(), run.tokens_per_second(),
      run.cluster.card.efficiency, efficiency_basis(run.cluster));
}

std::string published_line(const model::GpuRun& run, const Cs2Rate& cs2) {
  const model::PublishedGpuRate& rate = *run.cluster.published;
  std::string line = fmt::format("{:g} TFLOP/s ({}", rate.tflops_per_gpu, rate.basis);
  line +=
      rate.layers == run.work.layers && rate.width == run.work.width ? ")" : ", for another model)";
  if (const auto equal = model::published_gpus_of_one_cs2(run, cs2.tokens_per_second)) {
    line += fmt::format("; {:.0f} tokens/s by the length of the run: one CS-2 equals {:.3g}",
                        rate.tokens_per_second, *equal);
  }
  return line;
}

std::string shares_line(const model::GpuCost& cost) {
  const double percent = 100 / cost.seconds();
  return fmt::format(
      "compute {:.1f} %, tensor {:.1f} %, bubble {:.1f} %, pipeline {:.1f} %, data {:.1f} %",
      cost.compute * percent, cost.tensor * percent, cost.bubble * percent, cost.pipeline * percent,
      cost.data * percent);
}

}  // namespace

json versus_json(const model::GpuRun& run, const Cs2Rate& cs2) {
  const model::GpuCluster& c = run.cluster;
  json j{{"cluster", c.name},
         {"gpu", c.card.name},
         {"count", c.count},
         {"batch", run.work.batch},
         {"sequence", run.work.sequence},
         {"recompute", c.recompute},
         {"optimizer_spread", c.shard_optimizer},
         {"pinned", c.pinned.has_value()},
         {"memory_limit_bytes", c.card.memory_bytes},
         {"efficiency", c.card.efficiency},
         {"efficiency_basis", efficiency_basis(c)},
         {"published", published_json(run, cs2)},
         {"fit", run.partition.has_value()}};
  if (run.partition) {
    add_partition(run, cs2, j);
  } else {
    add_no_partition(run, j);
  }
  j["caution"] = caution(run);
  j["sentence"] = model::versus_sentence(run, cs2.tokens_per_second);
  return j;
}

std::string versus_text(const model::GpuRun& run, const Cs2Rate& cs2) {
  std::string s = fmt::format("  versus {}\n", run.cluster.name);
  const auto line = [&s](const std::string& name, const std::string& value) {
    s += fmt::format("    {:<20} {}\n", name, value);
  };
  line("partition", partition_line(run, cs2));
  if (run.partition) {
    const model::GpuPartition& p = *run.partition;
    line("batch", fmt::format("{} sequences in {} micro-batches of {} a copy, {} chunk{} a stage",
                              run.work.batch, run.micro_batches(), p.micro_batch, p.chunks,
                              p.chunks == 1 ? "" : "s"));
    line("memory of a card", memory_line(run));
    line("rate of a card", rate_line(run));
    if (run.cluster.published) line("published", published_line(run, cs2));
    line("time of a card", shares_line(run.cost));
  }
  if (const std::string text = caution(run); !text.empty()) line("caution", text);
  line("in short", model::versus_sentence(run, cs2.tokens_per_second));
  return s;
}

}  // namespace wse::report
