// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "wse/model/training.h"

namespace wse::report {

/// A VCD of the measured steps, one change a signal and activity window: per die power (W),
/// temperature (C), busy share and SRAM (MB) as reals; lanes (GB/s); wafer power, clock state and
/// phase.
std::string wafer_vcd(const model::TrainingResult& result);

/// A GTKWave translation file: a line for each phase, its value and its name.
std::string phase_names();

/// A GTKWave save file for it: wafer, lanes, then the dies row by row; the phase is shown by name,
/// with that translation file.
std::string wafer_gtkw(const model::TrainingResult& result, const std::string& vcd_name,
                       const std::string& phase_names_file);

}  // namespace wse::report
