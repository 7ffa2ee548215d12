// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "wse/model/sweep_file.h"

namespace wse::model {

/// More points than this are asked back.
inline constexpr std::uint64_t kSweepPointsAsked = 1000;
/// More points than this are refused.
inline constexpr std::uint64_t kSweepPointsMost = 1'000'000;

/// Part of every key of a run: raised whenever the same configuration gives other results or other
/// files than before, so that runs of an earlier version are not taken for new ones.
inline constexpr std::uint64_t kResultVersion = 7;

/// A model of a sweep.
struct SweepModel {
  std::string name;
  std::string file;
  std::string document;  ///< the text of the file
};

/// What decides the results of a run.
struct RunInputs {
  const Settings& settings;
  const SweepModel& model;
  const std::string& energy_table;  ///< the text of the file
  RunOptions options;
};
/// 16 hexadecimal digits over values, documents and kResultVersion; not over the names of files.
std::string run_key(const RunInputs& inputs);

/// One configuration to be simulated; points that resolve to the same one share it.
struct SweepRun {
  std::string id;           ///< run_key
  std::uint64_t point = 0;  ///< the first one
};

/// The runs of a sweep file.
class SweepPlan {
 public:
  using ReadTable = std::function<std::string(const std::string& energy_table)>;

  /// @param base machine and run file, with the places of their values
  SweepPlan(SweepFile file, Settings base, const Origins& origins, std::vector<SweepModel> models);

  /// Validates every point and finds the runs. Collects every violation once, with the place where
  /// its value was written. `read_table` returns the text of a table or throws ConfigError.
  void expand(const ReadTable& read_table, base::ConfigErrors& errors);

  const SweepFile& file() const { return file_; }
  const std::vector<SweepRun>& runs() const { return runs_; }
  const SweepModel& model(const SweepRun& run) const { return models_[file_.model_of(run.point)]; }
  /// All parameters of a run.
  Settings settings(const SweepRun& run) const;
  /// What is set on top of machine and run file: `set`, then the point.
  std::vector<Assignment> assignments(std::uint64_t point) const;

 private:
  Settings validated(std::uint64_t point, base::ConfigErrors& errors) const;
  std::string place_of(const base::Violation& violation,
                       const std::vector<Assignment>& assignments) const;

  const SweepFile file_;
  const Settings base_;
  const std::vector<SweepModel> models_;
  std::map<std::string, std::string> places_;  ///< of the values in machine and run file
  std::vector<SweepRun> runs_;
};

}  // namespace wse::model
