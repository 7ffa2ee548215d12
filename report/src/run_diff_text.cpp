// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "wse/report/run_diff.h"

namespace wse::report {
namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t kLines = 20;

std::string text_of(const json& value) {
  if (value.is_null()) return "nothing";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// `old -> new`, rounded where that still tells them apart.
std::string values_of(const Change& change) {
  const auto rounded = [](const json& value) {
    return value.is_number_float() ? fmt::format("{:.7g}", value.get<double>()) : text_of(value);
  };
  const std::string a = rounded(change.a);
  const std::string b = rounded(change.b);
  const std::string text = a != b ? a + " -> " + b : text_of(change.a) + " -> " + text_of(change.b);
  return change.unit.empty() || change.unit == "1" ? text : text + " " + change.unit;
}

std::string percent_of(const Change& change) {
  if (!change.a.is_number() || !change.b.is_number()) return "";
  if (std::isinf(change.relative)) return "from zero";
  const double percent = 100 * change.relative;
  return std::abs(percent) < 0.005 ? fmt::format("{:+.2g} %", percent)
                                   : fmt::format("{:+.2f} %", percent);
}

/// The path with positions in arrays left open: lanes.#.bytes_in.
std::string family_of(const std::string& path) {
  std::string family;
  std::size_t at = 0;
  while (at <= path.size()) {
    const std::size_t end = std::min(path.find('.', at), path.size());
    const std::string part = path.substr(at, end - at);
    const bool digits = !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
      return std::isdigit(static_cast<unsigned char>(c)) != 0;
    });
    family += (at == 0 ? "" : ".") + (digits ? std::string("#") : part);
    at = end + 1;
  }
  return family;
}

/// A line a change: path, old -> new, per cent, note; columns aligned.
std::string lines_of(const std::vector<Change>& changes, const std::vector<std::string>& notes) {
  std::vector<std::string> values;
  std::size_t path_width = 0;
  std::size_t value_width = 0;
  for (const Change& c : changes) {
    values.push_back(values_of(c));
    path_width = std::max(path_width, c.path.size());
    value_width = std::max(value_width, values.back().size());
  }
  std::string text;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    std::string line = fmt::format("  {:<{}}  {:<{}}  {:>10}", changes[i].path, path_width,
                                   values[i], value_width, percent_of(changes[i]));
    if (i < notes.size()) line += notes[i];
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

/// The first change of every array, and how many stand behind it.
std::string folded(const std::vector<Change>& changes, const char* note) {
  std::map<std::string, std::size_t> count;
  for (const Change& c : changes) ++count[family_of(c.path)];
  std::vector<Change> shown;
  std::vector<std::string> notes;
  std::size_t families = 0;
  for (const Change& c : changes) {
    const auto family = count.find(family_of(c.path));
    if (family == count.end()) continue;  // shown before
    ++families;
    if (shown.size() < kLines) {
      shown.push_back(c);
      notes.push_back(family->second == 1 ? "" : fmt::format("  ({} {})", note, family->second));
    }
    count.erase(family);
  }
  std::string text = lines_of(shown, notes);
  if (families > shown.size()) text += fmt::format("  and {} more\n", families - shown.size());
  return text;
}

std::string section(const std::string& title, const std::vector<Change>& changes, const char* note,
                    bool all) {
  if (changes.empty()) return "";
  return title + "\n" + (all ? lines_of(changes, {}) : folded(changes, note));
}

/// What a reader looks for first, whatever else changed more.
std::vector<Change> headlines_of(const std::vector<Change>& changes) {
  std::vector<Change> headlines;
  for (const char* path : {"step_seconds", "tokens_per_second", "energy_per_token_j",
                           "wafer_power_w.mean", "temperature_c.peak"}) {
    const auto found = std::find_if(changes.begin(), changes.end(),
                                    [path](const Change& c) { return c.path == path; });
    if (found != changes.end()) headlines.push_back(*found);
  }
  return headlines;
}

std::string description(const char* side, const RunFolder& run) {
  return fmt::format("{}  {} on {}, {}, result_hash {}\n", side,
                     text_of(at_path(run.stats, "model")),
                     text_of(at_path(run.stats, "machine.name")), run.path,
                     text_of(at_path(run.stats, "result_hash")));
}

json changes_json(const std::vector<Change>& changes) {
  json all = json::array();
  for (const Change& c : changes) {
    json one{{"path", c.path}, {"a", c.a}, {"b", c.b}};
    if (!c.unit.empty()) one["unit"] = c.unit;
    if (c.a.is_number() && c.b.is_number())
      one["relative"] = std::isinf(c.relative) ? json() : json(c.relative);
    all.push_back(one);
  }
  return all;
}

}  // namespace

std::string diff_text(const RunDiff& diff, const RunFolder& a, const RunFolder& b, double tolerance,
                      bool all) {
  std::string text = description("A", a) + description("B", b);
  text += diff.hash_a == diff.hash_b ? "the result_hash is equal\n" : "the result_hash differs\n";
  if (!diff.configurations) {
    text += "configuration not compared: a run has no config.json\n";
  } else if (diff.configuration.empty()) {
    text += "configuration: no difference\n";
  }
  text += section("configuration", diff.configuration, "first of", all);
  text += section("headlines", headlines_of(diff.numbers), "first of", true);
  text += section(fmt::format("results: {} of {} numbers differ, the largest change first",
                              diff.numbers.size(), diff.compared),
                  diff.numbers, "largest of", all);
  text += section("results in words", diff.words, "first of", all);
  text += section("numbers that one run has alone", diff.one_sided, "first of", all);
  const std::size_t beyond = diff.beyond(tolerance);
  text += beyond == 0 ? fmt::format("no number differs by more than {:g}\n", tolerance)
                      : fmt::format("{} of {} numbers differ by more than {:g}\n", beyond,
                                    diff.compared, tolerance);
  return text;
}

json diff_json(const RunDiff& diff, const RunFolder& a, const RunFolder& b, double tolerance) {
  std::vector<Change> only_a;
  std::vector<Change> only_b;
  for (const Change& c : diff.one_sided) (c.b.is_number() ? only_b : only_a).push_back(c);
  return {{"a", a.path},
          {"b", b.path},
          {"result_hash",
           {{"a", diff.hash_a}, {"b", diff.hash_b}, {"equal", diff.hash_a == diff.hash_b}}},
          {"configuration_compared", diff.configurations},
          {"configuration", changes_json(diff.configuration)},
          {"results", changes_json(diff.numbers)},
          {"words", changes_json(diff.words)},
          {"only_in_a", changes_json(only_a)},
          {"only_in_b", changes_json(only_b)},
          {"compared", diff.compared},
          {"tolerance", tolerance},
          {"beyond", diff.beyond(tolerance)}};
}

}  // namespace wse::report
