// SPDX-License-Identifier: Apache-2.0
#include "wse/model/tornado_plan.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <optional>
#include <sstream>

namespace wse::model {
namespace {

struct Exception {
  const char* path;  ///< or what it begins with, where it ends with a dot
  const char* why;
};
constexpr const char* kGeometry =
    "is geometry of the built wafer: dies, mesh and user rectangle change together or not at all";
// Numbers that have a source or an assumption and yet no size that could be 20 % off.
constexpr Exception kExceptions[] = {
    {"wafer.dies.", kGeometry},
    {"wafer.die.", kGeometry},
    {"wafer.fabric.", kGeometry},
    {"wafer.user.", kGeometry},
    {"wafer.defects.seed", "is a seed"},
    {"fabric.plain_round_robin", "is a choice between two rules"},
};

std::string exception_for(const std::string& path) {
  for (const Exception& e : kExceptions) {
    const std::string given = e.path;
    if (given == path || (given.back() == '.' && path.rfind(given, 0) == 0)) return e.why;
  }
  return "";
}

/// Empty if the parameter is a number that somebody measured or assumed.
std::string why_not(const Parameter& parameter, const ParameterSlot& slot) {
  if (parameter.unit == "file") return "is a file; its rows are varied as energy.KIND";
  if (std::holds_alternative<std::string*>(slot)) return "is a name, not a number";
  if (parameter.confidence == "-") return "is a choice of the user";
  const std::string exception = exception_for(parameter.path);
  if (!exception.empty()) return exception;
  // A default of 0 that stands for "chosen by the program".
  if (parameter.path == "run.block_bytes" && *std::get<std::uint64_t*>(slot) == 0)
    return "is 0, chosen by the program; it is varied where it is set";
  return "";
}

/// The value 20 % away on one side; nothing if there is none.
struct Change {
  double factor;
  double scale;

  std::optional<std::string> operator()(std::string*) const { return std::nullopt; }
  std::optional<std::string> operator()(double* value) const {
    if (*value == 0) return std::nullopt;
    return fmt::format("{:.12g}", *value * factor);
  }
  template <class Integer>
  std::optional<std::string> operator()(Integer* value) const {
    const double kept = static_cast<double>(*value);
    double changed = std::round(kept * factor);
    if (changed == kept) changed += factor < 1 ? -1 : 1;
    if (changed < 0) return std::nullopt;
    return scale == 1 ? fmt::format("{:.0f}", changed) : fmt::format("{:.12g}", changed / scale);
  }
};

/// The value with all rules applied.
TornadoSide checked(const Settings& settings, const Parameter& parameter,
                    const std::string& value) {
  Settings changed = settings;
  base::ConfigErrors errors;
  set_parameter(changed, parameter.path, value, "", errors);
  if (errors.empty() && value_of(changed, parameter) == value_of(settings, parameter))
    return {"", fmt::format("{} is no other value", value)};
  changed.machine.validate(errors);
  changed.run.validate(errors);
  if (errors.empty()) return {value, ""};
  const base::Violation& v = errors.violations().front();
  const std::string with =
      v.path == parameter.path ? "" : " with " + parameter.path + " = " + value;
  return {"", fmt::format("{} = {}{}: {}", v.path, v.value, with, v.rule)};
}

/// Some whole numbers must be multiples or powers of two: the nearest that may be, on this side.
TornadoSide nearest_allowed(const Settings& settings, const Parameter& parameter, double wanted,
                            double factor) {
  constexpr int kReach = 64;
  const double kept = std::strtod(value_of(settings, parameter).c_str(), nullptr);
  const TornadoSide first = checked(settings, parameter, fmt::format("{:.0f}", wanted));
  for (int step = 1; step <= kReach && !first.possible(); ++step) {
    for (const double number : {wanted - step, wanted + step}) {
      if (number < 0 || (factor < 1 ? number >= kept : number <= kept)) continue;
      TornadoSide side = checked(settings, parameter, fmt::format("{:.0f}", number));
      if (side.possible()) return side;
    }
  }
  return first;
}

TornadoSide side_of(const Settings& settings, const Parameter& parameter, double factor) {
  Settings copy = settings;
  const ParameterSlot slot = parameter.slot(copy);
  const auto value = std::visit(Change{factor, parameter.scale}, slot);
  if (!value) return {"", "is 0"};
  if (std::holds_alternative<double*>(slot) || parameter.scale != 1)
    return checked(settings, parameter, *value);
  return nearest_allowed(settings, parameter, std::strtod(value->c_str(), nullptr), factor);
}

/// A parameter with at least one side is varied, another one skipped.
void take(TornadoPlan& plan, TornadoParameter parameter) {
  if (parameter.low.possible() || parameter.high.possible()) {
    plan.parameters.push_back(std::move(parameter));
    return;
  }
  const bool alike = parameter.low.why == parameter.high.why;
  plan.skipped.push_back(
      {parameter.path, alike ? parameter.low.why : parameter.low.why + "; " + parameter.high.why});
}

/// An empty field is one, at the end as well.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  for (const char c : line) {
    if (c == ',') {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

constexpr std::size_t kKind = 2;
constexpr std::size_t kEnergy = 3;
constexpr std::size_t kColumns = 7;

std::string unit_of_energy(const std::string& kind) {
  if (kind == "leakage_mw") return "mW";
  return kind == "constant_w" ? "W" : "pJ";
}

void take_energies(TornadoPlan& plan, const std::string& energy_table) {
  std::istringstream lines(energy_table);
  std::string line;
  std::getline(lines, line);  // the header
  while (std::getline(lines, line)) {
    const std::vector<std::string> f = fields_of(line);
    if (f.size() != kColumns) continue;
    const double energy = std::strtod(f[kEnergy].c_str(), nullptr);
    const auto side = [energy](double factor) {
      return energy == 0 ? TornadoSide{"", "is 0"}
                         : TornadoSide{fmt::format("{:.12g}", energy * factor), ""};
    };
    take(plan, {kEnergyPrefix + f[kKind], unit_of_energy(f[kKind]), f[5], f[6], f[0] + ": " + f[1],
                f[kEnergy], side(1 - kTornadoDelta), side(1 + kTornadoDelta)});
  }
}

}  // namespace

TornadoPlan tornado_plan(const Settings& settings, const Origins& origins,
                         const std::string& energy_table) {
  TornadoPlan plan;
  Settings copy = settings;
  for (const Parameter& p : parameters()) {
    const std::string why = why_not(p, p.slot(copy));
    if (!why.empty()) {
      plan.skipped.push_back({p.path, why});
      continue;
    }
    // A value that the user sets without a source is as uncertain as the one that it replaces.
    const Origin given = origin_of(origins, p);
    const bool sourced = given.confidence != "-";
    take(plan, {p.path, p.unit, sourced ? given.source : p.source,
                sourced ? given.confidence : p.confidence, p.text, value_of(settings, p),
                side_of(settings, p, 1 - kTornadoDelta), side_of(settings, p, 1 + kTornadoDelta)});
  }
  take_energies(plan, energy_table);
  return plan;
}

std::string with_energy(const std::string& energy_table, const std::string& kind,
                        const std::string& energy) {
  std::istringstream lines(energy_table);
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> f = fields_of(line);
    if (f.size() == kColumns && f[kKind] == kind) {
      f[kEnergy] = energy;
      line = f[0];
      for (std::size_t i = 1; i < f.size(); ++i) line += "," + f[i];
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace wse::model
