// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace wse::base {

/// One violated rule: where it stands, what was given, what is asked for.
struct Violation {
  std::string path;   ///< parameter path, `tile.sram.size_bytes`
  std::string value;  ///< the value as given
  std::string rule;   ///< "must be ..."
  std::string place;  ///< `file:line`, empty if unknown
};

/// Thrown before elaboration, with every violation at once. Exit status 2.
class ConfigError : public std::runtime_error {
 public:
  explicit ConfigError(std::vector<Violation> violations);
  ConfigError(std::string path, std::string value, std::string rule, std::string place = "");
  const std::vector<Violation>& violations() const { return violations_; }

 private:
  std::vector<Violation> violations_;
};

/// Collects violations, so that a user sees all of them in one run.
class ConfigErrors {
 public:
  void add(std::string path, std::string value, std::string rule, std::string place = "");

  template <class Value>
  void require(bool holds, const std::string& path, const Value& value, const std::string& rule) {
    if (!holds) add(path, fmt::format("{}", value), rule);
  }
  bool empty() const { return violations_.empty(); }
  std::vector<Violation>& violations() { return violations_; }
  /// Throws ConfigError unless empty.
  void throw_if_any() const;

 private:
  std::vector<Violation> violations_;
};

/// The candidate nearest to `name` by edit distance; empty if none is near.
std::string nearest_name(const std::string& name, const std::vector<std::string>& candidates);

}  // namespace wse::base
