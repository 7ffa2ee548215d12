// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace wse::base {

/// What this process has used of the computer, all threads, since it began.
struct HostUsage {
  double cpu_seconds = 0;           ///< user and system
  std::uint64_t max_rss_bytes = 0;  ///< most memory resident at once
};
HostUsage host_usage();

/// Time on the wall since it was made.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace wse::base
