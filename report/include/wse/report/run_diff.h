// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "wse/report/run_folder.h"

namespace wse::report {

/// Something that is not the same in two runs.
struct Change {
  std::string path;
  nlohmann::ordered_json a;  ///< null: not there
  nlohmann::ordered_json b;
  std::string unit;     ///< of parameters
  double relative = 0;  ///< of numbers: (b - a) / |a|; infinite from zero or from nothing
};

/// What changed from run A to run B.
struct RunDiff {
  std::string hash_a;
  std::string hash_b;
  bool configurations = false;  ///< both runs have a config.json
  std::vector<Change> configuration;
  std::vector<Change> numbers;    ///< results in both, the largest relative change first
  std::vector<Change> words;      ///< results that are text or a choice, such as bound.by
  std::vector<Change> one_sided;  ///< numbers that only one run has, such as those of a 13th lane
  std::size_t compared = 0;       ///< numbers in either run

  /// Numbers that differ by more than the tolerance, those that only one run has among them.
  std::size_t beyond(double tolerance) const;
};

/// Compares configuration and results; leaves out what depends on the computer, not on the model
/// (host_seconds, elaboration_seconds, max_rss_bytes).
RunDiff diff_runs(const RunFolder& a, const RunFolder& b);

/// What a person reads. Unless `all`: 20 lines, and of the numbers of one array the largest change.
std::string diff_text(const RunDiff& diff, const RunFolder& a, const RunFolder& b, double tolerance,
                      bool all);

/// One object: runs, result_hash, configuration, results, words, only_in_a, only_in_b, beyond.
nlohmann::ordered_json diff_json(const RunDiff& diff, const RunFolder& a, const RunFolder& b,
                                 double tolerance);

}  // namespace wse::report
