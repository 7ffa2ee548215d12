// SPDX-License-Identifier: Apache-2.0
#include "wse/report/run_diff.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>

#include "wse/model/parameters.h"

namespace wse::report {
namespace {

using json = nlohmann::ordered_json;

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr std::array<std::string_view, 4> kNotOfTheModel{"elaboration_seconds", "host_seconds",
                                                         "max_rss_bytes", "result_hash"};

using Pair = std::pair<json, json>;

/// The leaves of two documents beside each other, in the order of the first.
std::vector<std::pair<std::string, Pair>> side_by_side(const json& a, const json& b) {
  std::vector<std::pair<std::string, Pair>> all;
  std::map<std::string, std::size_t> index;
  for_each_leaf(a, "", [&](const std::string& path, const json& value) {
    index.emplace(path, all.size());
    all.push_back({path, {value, nullptr}});
  });
  for_each_leaf(b, "", [&](const std::string& path, const json& value) {
    const auto [it, is_new] = index.emplace(path, all.size());
    if (is_new) all.push_back({path, {nullptr, nullptr}});
    all[it->second].second.second = value;
  });
  return all;
}

double relative(const json& a, const json& b) {
  if (!a.is_number() || !b.is_number()) return kInfinite;
  const double x = a.get<double>();
  const double y = b.get<double>();
  if (x == y) return 0;
  return x == 0 ? std::copysign(kInfinite, y) : (y - x) / std::abs(x);
}

void add_parameters(const json& a, const json& b, std::vector<Change>& changes) {
  const auto values = [](const json& config) {
    const json parameters = at_path(config, "parameters");
    json plain = json::object();
    for (const auto& [path, entry] : parameters.items()) plain[path] = at_path(entry, "value");
    return plain;
  };
  for (const auto& [path, pair] : side_by_side(values(a), values(b))) {
    if (pair.first == pair.second) continue;
    const model::Parameter* parameter = model::find_parameter(path);
    changes.push_back({path, pair.first, pair.second, parameter == nullptr ? "" : parameter->unit,
                       relative(pair.first, pair.second)});
  }
}

std::vector<Change> configuration_changes(const json& a, const json& b) {
  std::vector<Change> changes;
  const auto add = [&](const std::string& prefix, const json& x, const json& y) {
    for (const auto& [path, pair] : side_by_side(x, y)) {
      if (pair.first != pair.second)
        changes.push_back({path.empty() ? prefix : prefix + "." + path, pair.first, pair.second, "",
                           relative(pair.first, pair.second)});
    }
  };
  add("model.name", at_path(a, "model.name"), at_path(b, "model.name"));
  add("model", at_path(a, "model.document"), at_path(b, "model.document"));
  add("machine", at_path(a, "machine"), at_path(b, "machine"));
  add_parameters(a, b, changes);
  add("options", at_path(a, "options"), at_path(b, "options"));
  return changes;
}

}  // namespace

std::size_t RunDiff::beyond(double tolerance) const {
  const auto is_beyond = [tolerance](const Change& change) {
    return std::abs(change.relative) > tolerance;
  };
  return one_sided.size() +
         static_cast<std::size_t>(std::count_if(numbers.begin(), numbers.end(), is_beyond));
}

RunDiff diff_runs(const RunFolder& a, const RunFolder& b) {
  RunDiff diff;
  diff.hash_a = a.stats.at("result_hash").get<std::string>();
  diff.hash_b = b.stats.at("result_hash").get<std::string>();
  diff.configurations = a.config.is_object() && b.config.is_object();
  if (diff.configurations) diff.configuration = configuration_changes(a.config, b.config);
  for (const auto& [path, pair] : side_by_side(a.stats, b.stats)) {
    const std::string leaf = path.substr(path.rfind('.') + 1);
    if (std::find(kNotOfTheModel.begin(), kNotOfTheModel.end(), leaf) != kNotOfTheModel.end())
      continue;
    const auto& [x, y] = pair;
    const bool is_number = x.is_number() || y.is_number();
    diff.compared += is_number ? 1 : 0;
    if (x == y) continue;
    const Change change{path, x, y, "", relative(x, y)};
    if (!is_number) {
      diff.words.push_back(change);
    } else if (x.is_number() && y.is_number()) {
      diff.numbers.push_back(change);
    } else {
      diff.one_sided.push_back(change);
    }
  }
  std::stable_sort(diff.numbers.begin(), diff.numbers.end(), [](const Change& p, const Change& q) {
    return std::abs(p.relative) > std::abs(q.relative);
  });
  return diff;
}

}  // namespace wse::report
