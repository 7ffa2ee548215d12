// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "wse/base/timeline.h"

namespace wse::report {

/// The trace event format of Chrome and Perfetto: microseconds from the beginning of the measured
/// steps; a process each for lanes, fabric and tiles, a thread each for lane or track.
std::string timeline_json(const std::vector<base::Timeline::Span>& spans, base::Picoseconds begin);

}  // namespace wse::report
