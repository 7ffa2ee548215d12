// SPDX-License-Identifier: Apache-2.0
#include "versus_option.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <optional>
#include <vector>

#include "commands.h"
#include "wse/model/cluster_file.h"

namespace wse::cli {
namespace {

constexpr const char* kOption = "--versus";

std::vector<std::string> card_names() {
  std::vector<std::string> names;
  for (const model::GpuCard& card : model::gpu_cards()) names.push_back(card.name);
  return names;
}

std::optional<model::GpuCard> find_card(const std::string& name) {
  for (const model::GpuCard& card : model::gpu_cards()) {
    if (card.name == name) return card;
  }
  return std::nullopt;
}

std::uint64_t count_of(const std::string& given, const std::string& text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 1 ||
      count > model::kMostGpus) {
    throw base::ConfigError(
        kOption, given, fmt::format("needs a whole number of cards, 1 .. {}", model::kMostGpus));
  }
  return count;
}

model::GpuCluster cards(const std::string& given, std::size_t colon) {
  const std::string name = given.substr(0, colon);
  const std::optional<model::GpuCard> card = find_card(name);
  if (!card) {
    const std::string near = base::nearest_name(name, card_names());
    throw base::ConfigError(
        kOption, given,
        fmt::format(
            "no card has that name: {}{}; others by a file like configs/clusters/neox-96.yaml",
            fmt::join(card_names(), ", "), near.empty() ? "" : "; did you mean " + near + "?"));
  }
  model::GpuCluster cluster;
  cluster.name = given;
  cluster.source = "A-062";
  cluster.card = *card;
  cluster.count = count_of(given, given.substr(colon + 1));
  return cluster;
}

model::GpuCluster read_file(const std::string& file) {
  model::GpuCluster cluster;
  base::ConfigErrors errors;
  model::read_cluster(file, cluster, errors);
  errors.throw_if_any();
  return cluster;
}

}  // namespace

model::GpuCluster read_versus(const std::string& given) {
  if (given.empty()) throw base::ConfigError(kOption, given, "needs a cluster, such as a100:96");
  const std::size_t colon = given.rfind(':');
  if (colon != std::string::npos && given.find('/') == std::string::npos) {
    return cards(given, colon);
  }
  if (find_card(given)) {
    throw base::ConfigError(kOption, given, "needs a number of cards, such as " + given + ":96");
  }
  return read_file(preset_file(kOption, given, "clusters", ".yaml"));
}

std::string cluster_list() {
  std::string list;
  for (const std::string& name : preset_names("clusters", ".yaml")) {
    const model::GpuCluster c = read_file(preset_file(kOption, name, "clusters", ".yaml"));
    list += fmt::format("{:<19} {:>5} x {:<10} [{}]\n", name, c.count, c.card.name, c.source);
  }
  for (const model::GpuCard& card : model::gpu_cards()) {
    list += fmt::format("{:<19} {:>5} x {:<10} {} GB, {:g} TFLOP/s\n", card.name + ":N", "N",
                        card.name, card.memory_bytes / 1'000'000'000, card.peak_flops / 1e12);
  }
  return list;
}

}  // namespace wse::cli
