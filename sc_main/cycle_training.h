// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "noc_waves.h"
#include "settings_options.h"
#include "twin_options.h"

namespace wse::cli {

/// `wse train --fidelity cycle`: a small GPT learns a text, each step as programs on tiles.
struct CycleTraining {
  SettingsOptions settings;
  std::string model;
  std::string out;  ///< folder; empty: out/MODEL
  std::string mesh = "16x16";
  std::optional<std::string> text;  ///< file; none: the one in configs/texts/
  std::uint64_t steps = 1;
  std::uint32_t threads = 1;  ///< of the fabric; results are equal
  NocWaveOptions waves;
  std::string timeline;  ///< file of the tiles of --wave-tiles; empty: none
  TwinOptions twins;
  std::string command;  ///< as it was typed
  bool json = false;
  bool quiet = false;
};

/// Runs it, writes report.html, stats.json, loss.csv and what else was asked for, prints. Gives the exit status; throws what commands do.
int train_in_cycles(const CycleTraining& options);

}  // namespace wse::cli
