// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>

#include "wse/model/sweep_file.h"
#include "yaml_text.h"

namespace wse::model {
namespace {

constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

/// The value as the machine takes it, to tell equal ones; as written where it breaks a rule.
std::string canonical(const Assignment& a) {
  Settings scratch;
  base::ConfigErrors broken;
  set_parameter(scratch, a.path, a.value, a.place, broken);
  return broken.empty() ? value_of(scratch, *find_parameter(a.path)) : a.value;
}

/// True if the parameter is kept as a whole number of its unit.
bool is_whole(const Parameter& parameter) {
  Settings scratch;
  const ParameterSlot slot = parameter.slot(scratch);
  return parameter.scale == 1 && !std::holds_alternative<double*>(slot);
}

class SweepReader {
 public:
  SweepReader(const std::string& file, const std::vector<std::string>& results,
              base::ConfigErrors& errors)
      : results_(results), errors_(errors) {
    sweep_.file = file;
    sweep_.name = std::filesystem::path(file).stem().string();
  }

  SweepFile read() {
    YAML::Node root;
    try {
      root = YAML::Load(read_yaml_text(sweep_.file));
    } catch (const YAML::Exception& error) {
      errors_.add("file", sweep_.file, "is not valid YAML: " + error.msg, place(error.mark));
      return sweep_;
    }
    entries(root, "", [this](const std::string& key, const YAML::Node& node) { top(key, node); });
    check_paths();
    check_whole();
    columns();
    return sweep_;
  }

 private:
  using Use = std::function<void(const std::string&, const YAML::Node&)>;

  std::string place(const YAML::Mark& mark) const {
    return fmt::format("{}:{}", sweep_.file, mark.line + 1);
  }
  std::string place(const YAML::Node& node) const { return place(node.Mark()); }

  /// Calls `use` for every entry of a map; keys are plain and given once.
  void entries(const YAML::Node& map, const std::string& what, const Use& use) {
    const std::string name = what.empty() ? "sweep" : what;
    if (!map.IsMap() || map.size() == 0) {
      errors_.add(name, "", "must be a map with at least one entry", place(map));
      return;
    }
    std::map<std::string, int> given;
    for (const auto& entry : map) {
      if (!entry.first.IsScalar()) {
        errors_.add(name, "", "keys must be plain names", place(entry.first));
        continue;
      }
      const std::string key = entry.first.Scalar();
      const auto [first, is_new] = given.emplace(key, entry.first.Mark().line + 1);
      if (!is_new) {
        errors_.add(what.empty() ? key : what + "." + key, "",
                    fmt::format("is given twice, first in line {}", first->second),
                    place(entry.first));
      } else {
        use(key, entry.second);
      }
    }
  }

  void top(const std::string& key, const YAML::Node& node) {
    using Member = void (SweepReader::*)(const YAML::Node&);
    static const std::map<std::string, Member> kKeys{{"name", &SweepReader::name},
                                                     {"model", &SweepReader::models},
                                                     {"machine", &SweepReader::machine},
                                                     {"run", &SweepReader::run},
                                                     {"set", &SweepReader::fixed},
                                                     {"grid", &SweepReader::grid},
                                                     {"list", &SweepReader::list},
                                                     {"objectives", &SweepReader::objectives},
                                                     {"metrics", &SweepReader::metrics},
                                                     {"steps", &SweepReader::steps},
                                                     {"cold_start", &SweepReader::cold_start}};
    const auto it = kKeys.find(key);
    if (it != kKeys.end()) {
      (this->*it->second)(node);
      return;
    }
    std::vector<std::string> known;
    for (const auto& entry : kKeys) known.push_back(entry.first);
    errors_.add(key, "", "is no key of a sweep file" + suggestion(key, known), place(node));
  }

  static std::string suggestion(const std::string& name, const std::vector<std::string>& known) {
    const std::string near = base::nearest_name(name, known);
    return near.empty() ? "" : "; did you mean " + near + "?";
  }

  /// A plain value; reports and returns nothing otherwise.
  std::optional<std::string> scalar(const std::string& what, const YAML::Node& node) {
    if (node.IsScalar() && !node.Scalar().empty()) return node.Scalar();
    errors_.add(what, "", "must be a single value", place(node));
    return std::nullopt;
  }
  /// The plain values of a sequence, each given once.
  std::vector<Assignment> sequence(const std::string& what, const YAML::Node& node) {
    std::vector<Assignment> all;
    if (!node.IsSequence() || node.size() == 0) {
      errors_.add(what, "", "must be a list with at least one value", place(node));
      return all;
    }
    std::map<std::string, std::string> given;
    for (const YAML::Node& item : node) {
      const auto text = scalar(what, item);
      if (!text) continue;
      all.push_back({what, *text, place(item)});
      const std::string value = find_parameter(what) == nullptr ? *text : canonical(all.back());
      const auto [first, is_new] = given.emplace(value, all.back().place);
      if (!is_new)
        errors_.add(what, *text, "is given twice, first in " + first->second, place(item));
    }
    return all;
  }

  void name(const YAML::Node& node) {
    const auto text = scalar("name", node);
    if (!text) return;
    const bool plain = std::all_of(text->begin(), text->end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
    });
    if (!plain || text->front() == '.' || text->front() == '-' || text->size() > 100) {
      errors_.add("name", *text, "must be letters, digits, '-', '_' and '.' to name a folder",
                  place(node));
    } else {
      sweep_.name = *text;
    }
  }
  void models(const YAML::Node& node) {
    if (node.IsSequence()) {
      sweep_.models = sequence("model", node);
    } else if (const auto text = scalar("model", node)) {
      sweep_.models = {{"model", *text, place(node)}};
    }
    models_given_ = true;
  }
  void machine(const YAML::Node& node) {
    if (const auto text = scalar("machine", node)) sweep_.machine = {"machine", *text, place(node)};
  }
  void run(const YAML::Node& node) {
    if (const auto text = scalar("run", node)) sweep_.run = {"run", *text, place(node)};
  }
  void steps(const YAML::Node& node) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    try {
      const auto steps = node.as<std::uint32_t>();
      if (steps >= 1 && steps <= 1'000'000) {
        sweep_.options.steps = steps;
        return;
      }
    } catch (const YAML::Exception&) {
      // reported below
    }
    errors_.add("steps", text, "must be 1 .. 1000000", place(node));
  }
  void cold_start(const YAML::Node& node) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    if (text != "true" && text != "false")
      errors_.add("cold_start", text, "must be true or false", place(node));
    sweep_.options.cold_start = text == "true";
  }

  /// Reports and returns false if there is no such parameter.
  bool is_parameter(const std::string& path, const std::string& at) {
    if (find_parameter(path) != nullptr) return true;
    Settings scratch;
    set_parameter(scratch, path, "", at, errors_);  // says which name is near
    return false;
  }
  std::vector<Assignment> assignments(const std::string& what, const YAML::Node& node) {
    std::vector<Assignment> all;
    if (node.IsMap() && node.size() == 0) return all;
    entries(node, what, [&](const std::string& path, const YAML::Node& value) {
      const bool known = is_parameter(path, place(value));
      const auto text = scalar(path, value);
      if (known && text) all.push_back({path, *text, place(value)});
    });
    return all;
  }
  void fixed(const YAML::Node& node) { sweep_.fixed = assignments("set", node); }

  void list(const YAML::Node& node) {
    varied_ = true;
    if (!node.IsSequence() || node.size() == 0) {
      errors_.add("list", "", "must be a list with at least one point", place(node));
      return;
    }
    std::map<std::vector<std::pair<std::string, std::string>>, std::string> given;
    for (const YAML::Node& item : node) {
      sweep_.list.push_back(assignments("list", item));
      std::vector<std::pair<std::string, std::string>> point;
      for (const Assignment& a : sweep_.list.back()) point.emplace_back(a.path, canonical(a));
      std::sort(point.begin(), point.end());
      const auto [first, is_new] = given.emplace(point, place(item));
      if (!is_new && item.IsMap())
        errors_.add("list", "", "holds the point of " + first->second + " again", place(item));
    }
  }

  void grid(const YAML::Node& node) {
    varied_ = true;
    entries(node, "grid", [this](const std::string& path, const YAML::Node& values) {
      SweepAxis axis{path, place(values), {}, std::nullopt};
      const bool known = is_parameter(path, axis.place);
      if (values.IsMap()) {
        axis.range = read_range(path, values);
      } else {
        axis.list = sequence(path, values);
      }
      if (known && axis.count() > 0) sweep_.grid.push_back(axis);
    });
  }

  std::optional<SweepRange> read_range(const std::string& path, const YAML::Node& node) {
    const std::size_t before = errors_.violations().size();
    std::map<std::string, double> numbers;
    SweepRange range;
    entries(node, path, [&](const std::string& key, const YAML::Node& value) {
      const std::string what = path + "." + key;
      if (key == "scale") {
        const std::string text = value.IsScalar() ? value.Scalar() : "";
        range.logarithmic = text == "log";
        if (text != "log" && text != "linear")
          errors_.add(what, text, "must be linear or log", place(value));
      } else if (key == "from" || key == "to" || key == "step" || key == "points") {
        numbers[key] = number(what, value);
      } else {
        errors_.add(what, "", "must be from, to, step, points or scale", place(value));
      }
    });
    if (errors_.violations().size() == before) complete(path, node, numbers, range);
    if (errors_.violations().size() != before) return std::nullopt;
    const Parameter* parameter = find_parameter(path);
    range.whole = parameter != nullptr && is_whole(*parameter);
    return range;
  }
  double number(const std::string& what, const YAML::Node& node) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !std::isfinite(value)) {
      errors_.add(what, text, "must be a finite number", place(node));
    }
    return value;
  }
  /// The rules of a range whose entries are well-formed.
  void complete(const std::string& path, const YAML::Node& node,
                std::map<std::string, double>& given, SweepRange& range) {
    const auto rule = [&](bool holds, const char* text) {
      if (!holds) errors_.add(path, "", text, place(node));
      return holds;
    };
    if (!rule(given.count("from") != 0 && given.count("to") != 0, "a range needs from and to") ||
        !rule(given.count("step") + given.count("points") == 1, "a range needs step or points"))
      return;
    range.from = given["from"];
    range.to = given["to"];
    if (!rule(range.from < range.to, "from must be less than to")) return;
    if (!rule(std::isfinite(range.to - range.from), "the range is too wide")) return;
    if (given.count("points") != 0) {
      const double points = given["points"];
      rule(points >= 2 && points == std::floor(points) && points < 1e15,
           "points must be a whole number of at least 2");
      rule(!range.logarithmic || range.from > 0, "from must be positive on a logarithmic scale");
      range.points = points >= 2 && points < 1e15 ? static_cast<std::uint64_t>(points) : 0;
    } else {
      rule(!range.logarithmic, "a logarithmic scale needs points");
      if (!rule(given["step"] > 0, "step must be positive")) return;
      range.step = given["step"];
      const double last = std::floor((range.to - range.from) / range.step + 1e-9);
      range.points = last < 1.8e19 ? static_cast<std::uint64_t>(last) + 1 : kNoLimit;
    }
  }

  bool is_result(const std::string& what, const std::string& key, const std::string& at) {
    if (std::find(results_.begin(), results_.end(), key) != results_.end()) return true;
    errors_.add(what, key, "is no result of a run" + suggestion(key, results_), at);
    return false;
  }
  void objectives(const YAML::Node& node) {
    entries(node, "objectives", [this](const std::string& key, const YAML::Node& better) {
      const std::string text = better.IsScalar() ? better.Scalar() : "";
      if (text != "higher" && text != "lower")
        errors_.add("objectives." + key, text, "must be higher or lower", place(better));
      if (is_result("objectives", key, place(better)))
        sweep_.objectives.push_back({key, text == "higher"});
    });
  }
  void metrics(const YAML::Node& node) {
    for (const Assignment& metric : sequence("metrics", node)) {
      if (is_result("metrics", metric.value, metric.place)) metrics_.push_back(metric.value);
    }
    metrics_given_ = true;
  }

  /// A parameter is set in one part of the file only.
  void check_paths() {
    std::map<std::string, std::pair<std::string, std::string>> given;  // path: part, place
    const auto note = [&](const std::string& path, const std::string& part, const std::string& at) {
      const auto [first, is_new] = given.emplace(path, std::make_pair(part, at));
      if (!is_new && first->second.first != part)
        errors_.add(path, "",
                    fmt::format("is in {} too, {}", first->second.first, first->second.second), at);
    };
    for (const Assignment& a : sweep_.fixed) note(a.path, "set", a.place);
    for (const auto& entry : sweep_.list) {
      for (const Assignment& a : entry) note(a.path, "list", a.place);
    }
    for (const SweepAxis& axis : sweep_.grid) note(axis.path, "grid", axis.place);
  }
  void check_whole() {
    if (!models_given_) errors_.add("model", "", "is missing", sweep_.file);
    if (!varied_ && sweep_.models.size() < 2)
      errors_.add("grid", "", "is missing; a sweep needs grid, list or several models",
                  sweep_.file);
  }
  /// Objectives first, then the other metrics.
  void columns() {
    if (sweep_.objectives.empty())
      sweep_.objectives = {{"tokens_per_second", true}, {"energy_per_token_j", false}};
    if (!metrics_given_)
      metrics_ = {"step_seconds",       "utilization",        "wafer_power_w.mean",
                  "temperature_c.peak", "throttled_fraction", "bound.by"};
    for (const Objective& objective : sweep_.objectives) sweep_.metrics.push_back(objective.key);
    for (const std::string& key : metrics_) {
      if (std::find(sweep_.metrics.begin(), sweep_.metrics.end(), key) == sweep_.metrics.end())
        sweep_.metrics.push_back(key);
    }
  }

  const std::vector<std::string>& results_;
  base::ConfigErrors& errors_;
  SweepFile sweep_;
  std::vector<std::string> metrics_;
  bool metrics_given_ = false;
  bool models_given_ = false;
  bool varied_ = false;
};

}  // namespace

SweepFile read_sweep(const std::string& file, const std::vector<std::string>& result_keys,
                     base::ConfigErrors& errors) {
  return SweepReader(file, result_keys, errors).read();
}

}  // namespace wse::model
