// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/program_options.hpp>
#include <memory>
#include <optional>
#include <string>

#include "partial_file.h"
#include "wse/report/wafer_waves.h"

namespace wse::cli {

/// --wave FILE, --wave-from C, --wave-to C, --wave-signals PATTERNS.
struct WaveOptions {
  std::string file = "wafer.vcd";
  std::int64_t from = 0;
  std::int64_t to = -1;
  std::string signals;

  void add_to(boost::program_options::options_description& options);
  /// Throws ConfigError for ranges that hold nothing.
  report::WaveSelection selection() const;
};

/// The waves of one run in its folder. They are written beside the final file while the run goes on;
/// a run that ends early leaves them there.
class RunWaves {
 public:
  RunWaves(const WaveOptions& options, const model::MachineConfig& machine,
           const std::string& folder);
  /// Closes the file of a run that did not end.
  ~RunWaves();
  RunWaves(const RunWaves&) = delete;
  RunWaves& operator=(const RunWaves&) = delete;

  void observe(const model::RunSample& sample, const power::WindowSample& power);
  /// Puts the file into its place, with a save file and the names of states.
  void finish();
  /// Names of the files in the folder, for the summary; empty with --wave none.
  std::string files() const;
  /// What a run that ended early left behind, for its message; empty if nothing.
  std::string left_behind() const;

 private:
  std::optional<PartialFile> file_;
  std::unique_ptr<report::WaferWaves> waves_;
  bool finished_ = false;
};

}  // namespace wse::cli
