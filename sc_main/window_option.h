// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/program_options.hpp>
#include <memory>
#include <optional>
#include <string>

#include "noc_waves.h"
#include "run_waves.h"
#include "wse/model/training_window.h"

namespace wse::cli {

/// --window X0..X1,Y0..Y1=cycle, --window-layer N, --window-matrix M, --window-pass P, --window-threads N,
/// --wave-tiles X0..X1,Y0..Y1, --window-wave FILE.
struct WindowOptions {
  std::string window;  ///< empty: none
  model::WindowChoice choice;
  std::int64_t threads = 1;
  std::string wave_tiles;  ///< in user coordinates; empty: no waves of the window
  std::string wave = "window.vcd";
  std::int64_t from = 0;  ///< cycles of the waves, from the launch of the window
  std::int64_t to = -1;

  void add_to(boost::program_options::options_description& options);
  bool given() const { return !window.empty(); }
  /// Throws ConfigError: what describes a window needs one. With --wave-tiles the cycles of the wafer's
  /// waves are those of the window.
  void check_given(const boost::program_options::variables_map& values, WaveOptions& waves);
  /// Throws ConfigError.
  model::WindowChoice read() const;
};

/// Waves of the tiles of a window, from its launch on.
class WindowWaves {
 public:
  /// Throws ConfigError.
  WindowWaves(const WindowOptions& options, model::TrainingWindow& window, std::uint64_t core_hz,
              const std::string& folder);
  ~WindowWaves();
  WindowWaves(const WindowWaves&) = delete;
  WindowWaves& operator=(const WindowWaves&) = delete;

  void finish();
  /// ", window.vcd, window.gtkw", or nothing.
  std::string files() const;

 private:
  class SinceLaunch;
  std::optional<NocWaves> waves_;
  std::unique_ptr<SinceLaunch> watch_;
};

}  // namespace wse::cli
