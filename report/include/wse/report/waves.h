// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "wse/model/training.h"

namespace wse::report {

/// A VCD of the measured steps, one change a signal and activity window: per die power (W),
/// temperature (C), busy share and SRAM (MB) as reals; lanes (GB/s); wafer power, clock state and
/// phase.
std::string wafer_vcd(const model::TrainingResult& result);

/// A GTKWave save file for it: wafer, lanes, then the dies row by row.
std::string wafer_gtkw(const model::TrainingResult& result, const std::string& vcd_name);

}  // namespace wse::report
