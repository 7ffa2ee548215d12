// SPDX-License-Identifier: Apache-2.0
#include "wse/model/cluster_file.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "yaml_reader.h"

namespace wse::model {
namespace {

constexpr double kMostRate = 1e18;  ///< bytes or operations a second

class ClusterReader : private YamlReader {
 public:
  ClusterReader(const std::string& file, GpuCluster& cluster, base::ConfigErrors& errors)
      : YamlReader(file, errors), cluster_(cluster) {}

  void read() {
    const std::optional<YAML::Node> root = load();
    if (!root) return;
    cluster_.name = std::filesystem::path(file_).stem().string();
    entries(*root, "cluster",
            {{"source", text("source", cluster_.source)},
             {"card", [this](const YAML::Node& n) { card(n); }},
             {"count", whole("count", 1, kMostGpus, cluster_.count)},
             {"batch", whole("batch", 1, 100'000'000, cluster_.batch)},
             {"recompute", flag("recompute", cluster_.recompute)},
             {"shard_optimizer", flag("shard_optimizer", cluster_.shard_optimizer)},
             {"partition", [this](const YAML::Node& n) { partition(n); }},
             {"published", [this](const YAML::Node& n) { published(n); }}});
    if (!errors_.empty()) return;
    if (cluster_.count == 0) errors_.add("count", "", "is missing", file_);
    if (cluster_.card.name.empty()) errors_.add("card", "", "is missing", file_);
  }

 private:
  Use text(const std::string& what, std::string& to) {
    return [this, what, &to](const YAML::Node& node) {
      if (!node.IsScalar()) return add(node, what, "must be a text");
      to = node.Scalar();
    };
  }
  Use flag(const std::string& what, bool& to) {
    return [this, what, &to](const YAML::Node& node) {
      if (!node.IsScalar() || !YAML::convert<bool>::decode(node, to))
        add(node, what, "must be true or false");
    };
  }
  Use number(const std::string& what, double most, double& to) {
    return [this, what, most, &to](const YAML::Node& node) {
      double value = 0;
      const bool is_number = node.IsScalar() && YAML::convert<double>::decode(node, value);
      if (!is_number || !(value > 0 && value <= most)) {
        return add(node, what, fmt::format("must be a number above 0, at most {:g}", most));
      }
      to = value;
    };
  }
  /// 80e9 is as good as 80000000000.
  Use whole(const std::string& what, std::uint64_t least, std::uint64_t most, std::uint64_t& to) {
    return [this, what, least, most, &to](const YAML::Node& node) {
      double value = 0;
      const bool is_number = node.IsScalar() && YAML::convert<double>::decode(node, value);
      if (!is_number || value != std::floor(value) || value < static_cast<double>(least) ||
          value > static_cast<double>(most)) {
        return add(node, what, fmt::format("must be a whole number {} .. {}", least, most));
      }
      to = static_cast<std::uint64_t>(value);
    };
  }

  void card(const YAML::Node& map) {
    if (!map.IsMap() || !map["name"] || !map["name"].IsScalar())
      return add(map, "card", "must be a map with a name");
    GpuCard& c = cluster_.card;
    c.name = map["name"].Scalar();
    for (const GpuCard& known : gpu_cards()) {
      if (known.name == c.name) c = known;
    }
    entries(map, "card",
            {{"name", [](const YAML::Node&) {}},
             {"memory_bytes", whole("memory_bytes", 1, 1'000'000'000'000'000, c.memory_bytes)},
             {"peak_flops", number("peak_flops", kMostRate, c.peak_flops)},
             {"cards_per_node", whole("cards_per_node", 1, 1024, c.cards_per_node)},
             {"link_bytes_per_s", number("link_bytes_per_s", kMostRate, c.link_bytes_per_second)},
             {"link_efficiency", number("link_efficiency", 1, c.link_efficiency)},
             {"network_bytes_per_s",
              number("network_bytes_per_s", kMostRate, c.network_bytes_per_second)},
             {"network_efficiency", number("network_efficiency", 1, c.network_efficiency)},
             {"efficiency", number("efficiency", 1, c.efficiency)}});
    if (c.memory_bytes == 0 || c.peak_flops <= 0 || c.link_bytes_per_second <= 0 ||
        c.network_bytes_per_second <= 0) {
      add(map, "card",
          "of this name is not known: needs memory_bytes, peak_flops, link_bytes_per_s and "
          "network_bytes_per_s");
    }
  }

  void partition(const YAML::Node& map) {
    GpuPartition& p = cluster_.pinned.emplace();
    entries(map, "partition",
            {{"tensor", whole("tensor", 1, 8, p.tensor)},
             {"pipeline", whole("pipeline", 1, kMostGpus, p.pipeline)},
             {"data", whole("data", 1, kMostGpus, p.data)},
             {"micro_batch", whole("micro_batch", 1, kMostGpus, p.micro_batch)},
             {"chunks", whole("chunks", 1, kMostGpus, p.chunks)}});
  }

  void published(const YAML::Node& map) {
    PublishedGpuRate& r = cluster_.published.emplace();
    entries(map, "published",
            {{"tflops_per_gpu", number("tflops_per_gpu", 1e6, r.tflops_per_gpu)},
             {"tokens_per_second", number("tokens_per_second", 1e12, r.tokens_per_second)},
             {"basis", text("basis", r.basis)},
             {"layers", whole("layers", 1, 100'000, r.layers)},
             {"width", whole("width", 1, 1'000'000, r.width)},
             {"heads", whole("heads", 1, 100'000, r.heads)},
             {"vocabulary", whole("vocabulary", 1, 10'000'000, r.vocabulary)},
             {"sequence", whole("sequence", 1, 10'000'000, r.sequence)},
             {"tied_head", flag("tied_head", r.tied_head)}});
    if (!(r.tflops_per_gpu > 0) ||
        std::min({r.layers, r.width, r.heads, r.vocabulary, r.sequence}) == 0)
      add(map, "published", "needs tflops_per_gpu, layers, width, heads, vocabulary, sequence");
    if (r.basis != "calibrated" && r.basis != "fit" && r.basis != "validation")
      add(map, "published.basis", "must be calibrated, fit or validation");
  }

  GpuCluster& cluster_;
};

}  // namespace

void read_cluster(const std::string& file, GpuCluster& cluster, base::ConfigErrors& errors) {
  ClusterReader(file, cluster, errors).read();
}

}  // namespace wse::model
