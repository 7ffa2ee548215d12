// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "wse/model/settings.h"

namespace wse::model {

/// Where a parameter is kept.
using ParameterSlot = std::variant<std::uint32_t*, std::uint64_t*, double*, std::string*>;

/// One name that a user can set: in a machine or run file, or with --set.
struct Parameter {
  std::string path;  ///< `tile.sram.size_bytes`
  std::string unit;
  std::string source;      ///< key of docs/references.md, or of docs/assumptions.md (A-nnn)
  std::string confidence;  ///< P published, P2 quoted, D derived, G assumption, C calibrated, - a
                           ///< choice of the user
  std::string text;        ///< one line
  std::function<ParameterSlot(Settings&)> slot;
  double scale = 1;  ///< kept = given * scale (fractions kept in parts per million, seconds in ps)
};

/// All of them, sorted by path. The one place that knows the names.
const std::vector<Parameter>& parameters();
const Parameter* find_parameter(const std::string& path);

/// Sets a parameter from text. A violation names the path, the value and the rule.
void set_parameter(Settings& settings, const std::string& path, const std::string& value,
                   const std::string& place, base::ConfigErrors& errors);
/// The value now in force, as a user would write it.
std::string value_of(const Settings& settings, const Parameter& parameter);

/// Origin of a value: the machine file may state another source than the catalogue.
struct Origin {
  std::string source;
  std::string confidence;
  std::string place;  ///< file:line, "--set" or "default"
};
using Origins = std::vector<std::pair<std::string, Origin>>;
/// The one in force of a parameter: the last, or that of the default.
Origin origin_of(const Origins& origins, const Parameter& parameter);
/// What a confidence stands for; empty if there is no such confidence.
std::string meaning_of_confidence(const std::string& confidence);

/// Reads a machine or run file (YAML). A leaf is a plain value or {value, unit, source,
/// confidence}; `base: FILE` takes another file's values first: a file beside this one, or NAME for
/// NAME.yaml in the folder `presets`. A plain value that is not the default has no source.
/// Collects every violation with file and line.
void read_settings(const std::string& file, Settings& settings, Origins& origins,
                   base::ConfigErrors& errors, const std::string& presets = "");

}  // namespace wse::model
