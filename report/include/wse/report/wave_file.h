// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "wse/base/wave_sink.h"

namespace wse::report {

/// A wave file in the format of its ending, .vcd or .fst, in picoseconds. Throws ConfigError (path
/// --wave) for another ending, for .fst where the program was built without its writer (Debian's
/// verilator package has it), and for a file that cannot be made.
std::unique_ptr<base::WaveSink> open_wave_file(const std::string& path);

/// Whether this program can write .fst.
bool can_write_fst();

}  // namespace wse::report
