// SPDX-License-Identifier: Apache-2.0
#include "wse/model/sweep_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_set>

#include "wse/base/result_hash.h"

namespace wse::model {
namespace {

void add(base::ResultHash& hash, std::string_view text) {
  hash.add(text.size());
  for (const char c : text) hash.add(static_cast<unsigned char>(c));
}

void add(base::ResultHash& hash, const ParameterSlot& slot) {
  if (const auto* text = std::get_if<std::string*>(&slot)) {
    add(hash, **text);
  } else if (const auto* real = std::get_if<double*>(&slot)) {
    const double value = **real + 0.0;  // one zero
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    hash.add(bits);
  } else if (const auto* small = std::get_if<std::uint32_t*>(&slot)) {
    hash.add(**small);
  } else {
    hash.add(*std::get<std::uint64_t*>(slot));
  }
}

std::uint64_t digest(const std::string& text) {
  base::ResultHash hash;
  add(hash, text);
  return hash.value();
}

/// run_key with the documents already digested.
std::string key_of(Settings settings, const std::string& model, std::uint64_t model_digest,
                   std::uint64_t energy_digest, const RunOptions& options) {
  base::ResultHash hash;
  hash.add(kResultVersion);
  for (const Parameter& parameter : parameters()) {
    if (parameter.unit == "file") continue;  // its text counts, not its name
    add(hash, parameter.path);
    add(hash, parameter.slot(settings));
  }
  add(hash, model);
  hash.add(model_digest);
  hash.add(energy_digest);
  hash.add(options.steps);
  hash.add(options.cold_start ? 1 : 0);
  return hash.text();
}

void set_all(Settings& settings, const std::vector<Assignment>& assignments,
             base::ConfigErrors& errors) {
  for (const Assignment& a : assignments) set_parameter(settings, a.path, a.value, a.place, errors);
}

/// Each violation once, however many points break the rule; the first of them is named where the
/// value is not its own.
class Collector {
 public:
  explicit Collector(base::ConfigErrors& errors) : errors_(errors) {}
  void add(const base::Violation& v, const std::vector<Assignment>& set) {
    if (!seen_.emplace(v.path, v.value, v.rule, v.place).second) return;
    const bool own =
        std::any_of(set.begin(), set.end(), [&v](const Assignment& a) { return a.path == v.path; });
    std::string with;
    for (const Assignment& a : set) {
      if (!own) with += fmt::format("{}{} = {}", with.empty() ? " (with " : ", ", a.path, a.value);
    }
    errors_.add(v.path, v.value, v.rule + with + (with.empty() ? "" : ")"), v.place);
  }

 private:
  base::ConfigErrors& errors_;
  std::set<std::tuple<std::string, std::string, std::string, std::string>> seen_;
};

}  // namespace

std::string run_key(const RunInputs& in) {
  return key_of(in.settings, in.model.name, digest(in.model.document), digest(in.energy_table),
                in.options);
}

SweepPlan::SweepPlan(SweepFile file, Settings base, const Origins& origins,
                     std::vector<SweepModel> models)
    : file_(std::move(file)), base_(std::move(base)), models_(std::move(models)) {
  for (const auto& [path, origin] : origins) places_[path] = origin.place;
}

std::vector<Assignment> SweepPlan::assignments(std::uint64_t point) const {
  std::vector<Assignment> all = file_.fixed;
  for (Assignment& a : file_.assignments(point)) all.push_back(std::move(a));
  return all;
}

Settings SweepPlan::settings(const SweepRun& run) const {
  Settings settings = base_;
  base::ConfigErrors errors;
  set_all(settings, assignments(run.point), errors);
  errors.throw_if_any();
  return settings;
}

Settings SweepPlan::validated(std::uint64_t point, base::ConfigErrors& errors) const {
  const std::vector<Assignment> set = assignments(point);
  Settings settings = base_;
  set_all(settings, set, errors);
  base::ConfigErrors broken;
  settings.machine.validate(broken);
  settings.run.validate(broken);
  for (base::Violation& v : broken.violations()) {
    v.place = place_of(v, set);
    errors.violations().push_back(v);
  }
  return settings;
}

std::string SweepPlan::place_of(const base::Violation& violation,
                                const std::vector<Assignment>& assignments) const {
  for (const Assignment& a : assignments) {
    if (a.path == violation.path) return a.place;
  }
  const auto it = places_.find(violation.path);
  return it == places_.end() ? file_.file : it->second;
}

void SweepPlan::expand(const ReadTable& read_table, base::ConfigErrors& errors) {
  std::vector<std::uint64_t> documents;
  for (const SweepModel& model : models_) documents.push_back(digest(model.document));
  std::map<std::string, std::uint64_t> tables;
  const auto table = [&](const std::string& name) {
    const auto known = tables.find(name);
    return known != tables.end() ? known->second
                                 : tables.emplace(name, digest(read_table(name))).first->second;
  };
  Collector collector(errors);
  std::unordered_set<std::string> ids;
  for (std::uint64_t point = 0; point < file_.count(); ++point) {
    base::ConfigErrors broken;
    const Settings settings = validated(point, broken);
    std::uint64_t energy = 0;
    try {
      energy = table(settings.machine.energy_table);
    } catch (const base::ConfigError& error) {
      for (const base::Violation& v : error.violations()) broken.violations().push_back(v);
    }
    for (const base::Violation& v : broken.violations()) collector.add(v, assignments(point));
    if (!broken.empty()) continue;
    const std::size_t model = file_.model_of(point);
    std::string id = key_of(settings, models_[model].name, documents[model], energy, file_.options);
    if (ids.insert(id).second) runs_.push_back({std::move(id), point});
  }
}

}  // namespace wse::model
