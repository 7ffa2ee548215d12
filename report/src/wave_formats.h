// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "wse/base/wave_sink.h"

namespace wse::report {

/// The formats of open_wave_file.
std::unique_ptr<base::WaveSink> open_vcd(const std::string& path);
std::unique_ptr<base::WaveSink> open_fst(const std::string& path);

}  // namespace wse::report
