// SPDX-License-Identifier: Apache-2.0
// Stands in for fst_file.cpp where the FST writer is not installed.
#include "wave_formats.h"
#include "wse/base/check.h"
#include "wse/report/wave_file.h"

namespace wse::report {

bool can_write_fst() { return false; }

std::unique_ptr<base::WaveSink> open_fst(const std::string&) {
  throw base::InternalError("open_fst where can_write_fst is false");
}

}  // namespace wse::report
