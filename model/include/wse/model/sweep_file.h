// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wse/model/parameters.h"

namespace wse::model {

/// `path = value` as written, and where.
struct Assignment {
  std::string path;
  std::string value;
  std::string place;  ///< file:line
};

/// Evenly or logarithmically spaced numbers, counted without being made.
struct SweepRange {
  double from = 0;
  double to = 0;
  double step = 0;  ///< 0: spaced by the number of points
  std::uint64_t points = 0;
  bool logarithmic = false;
  bool whole = false;  ///< the parameter takes whole numbers: the points between are rounded

  std::string value(std::uint64_t index) const;
};

/// The values that one parameter takes, in order: written out, or a range.
struct SweepAxis {
  std::string path;
  std::string place;
  std::vector<Assignment> list;
  std::optional<SweepRange> range;

  std::uint64_t count() const { return range ? range->points : list.size(); }
  Assignment at(std::uint64_t index) const;
};

/// A result that is to be as high or as low as possible.
struct Objective {
  std::string key;  ///< of stats.json, dotted
  bool higher = true;
};

/// Options of a run that are no parameters.
struct RunOptions {
  std::uint32_t steps = 1;
  bool cold_start = false;
};

/// What a sweep file asks for. Points are counted: models slowest, then the list, then the grid
/// with its last axis fastest.
struct SweepFile {
  std::string file;
  std::string name;                ///< default: that of the file
  std::vector<Assignment> models;  ///< presets or files
  Assignment machine{"machine", "cs2", ""};
  Assignment run{"run", "", ""};              ///< optional
  std::vector<Assignment> fixed;              ///< `set`
  std::vector<std::vector<Assignment>> list;  ///< empty: none was given
  std::vector<SweepAxis> grid;
  std::vector<Objective> objectives;
  std::vector<std::string> metrics;  ///< keys of stats.json; those of the objectives first
  RunOptions options;

  /// Points, or the largest number where they are more.
  std::uint64_t count() const;
  /// What varies, in the order of the file: the list, then the grid.
  std::vector<std::string> axes() const;
  /// Which model point `index` has.
  std::size_t model_of(std::uint64_t index) const;
  /// What point `index` sets beyond `fixed`.
  std::vector<Assignment> assignments(std::uint64_t index) const;

 private:
  std::uint64_t grid_count() const;
};

/// Reads the file and collects every violation. What is wrong is left out of the result.
/// @param result_keys keys of stats.json that objectives and metrics may name
SweepFile read_sweep(const std::string& file, const std::vector<std::string>& result_keys,
                     base::ConfigErrors& errors);

}  // namespace wse::model
