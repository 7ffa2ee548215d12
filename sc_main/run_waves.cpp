// SPDX-License-Identifier: Apache-2.0
#include "run_waves.h"

#include <filesystem>
#include <iostream>
#include <sstream>

#include "wse/base/config_errors.h"
#include "wse/report/files.h"
#include "wse/report/wave_file.h"

namespace wse::cli {

namespace fs = std::filesystem;
namespace po = boost::program_options;

void WaveOptions::add_to(po::options_description& options) {
  options.add_options()(
      "wave", po::value(&file)->value_name("FILE"),
      "waves, .vcd or .fst, in the folder of the results (default wafer.vcd); none: no waves")(
      "wave-from", po::value(&from)->value_name("C"),
      "first cycle of the waves, of the measured steps (default 0)")(
      "wave-to", po::value(&to)->value_name("C"), "last cycle of the waves (default: the end)")(
      "wave-signals", po::value(&signals)->value_name("PATTERNS"),
      "only signals such as wafer.*,lanes.lane_3_*,die_2_1.power_w (default all)");
}

report::WaveSelection WaveOptions::selection() const {
  base::ConfigErrors errors;
  errors.require(from >= 0, "--wave-from", from, "must not be negative");
  errors.require(to == -1 || to >= from, "--wave-to", to, "must not be before --wave-from");
  errors.throw_if_any();
  report::WaveSelection selection;
  selection.from = static_cast<base::Cycles>(from);
  if (to >= 0) selection.to = static_cast<base::Cycles>(to);
  std::istringstream patterns(signals);
  for (std::string pattern; std::getline(patterns, pattern, ',');) {
    selection.signals.push_back(pattern);
  }
  return selection;
}

RunWaves::RunWaves(const WaveOptions& options, const model::MachineConfig& machine,
                   const std::string& folder) {
  if (options.file == "none") return;
  file_.emplace(folder, options.file);
  waves_ = std::make_unique<report::WaferWaves>(report::open_wave_file(file_->partial()), machine,
                                                options.selection());
}

RunWaves::~RunWaves() {
  const bool nothing = waves_ == nullptr || waves_->windows() == 0;
  waves_.reset();
  if (!finished_ && nothing && file_) file_->discard();
}

void RunWaves::observe(const model::RunSample& sample, const power::WindowSample& power) {
  if (waves_ != nullptr) waves_->observe(sample, power);
}

void RunWaves::finish() {
  if (waves_ == nullptr) return;
  waves_->close();
  if (waves_->windows() == 0) {
    std::cerr << "wse: the run was shorter than --wave-from: " << file_->path()
              << " holds no values\n";
  }
  file_->finish();
  const std::string folder = file_->folder();
  report::write_file(folder + "/phases.txt", report::translation_file(report::phase_names()));
  report::write_file(folder + "/clock_states.txt", waves_->clock_state_file());
  // GTKWave looks for these files from where it was started: say the whole path.
  report::write_file(folder + "/" + file_->stem() + ".gtkw",
                     waves_->save_file(file_->name(), fs::absolute(folder).string()));
  finished_ = true;
}

std::string RunWaves::files() const {
  return file_ ? ", " + file_->name() + ", " + file_->stem() + ".gtkw" : "";
}

std::string RunWaves::left_behind() const {
  return waves_ == nullptr || waves_->windows() == 0 ? "" : file_->partial();
}

}  // namespace wse::cli
