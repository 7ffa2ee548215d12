// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace wse::base {

/// What this process has used of the computer, all threads, since it began.
struct HostUsage {
  double cpu_seconds = 0;           ///< user and system
  std::uint64_t max_rss_bytes = 0;  ///< most memory resident at once
};
HostUsage host_usage();

}  // namespace wse::base
