// SPDX-License-Identifier: Apache-2.0
#include "wse/host/memoryx.h"

#include <algorithm>

namespace wse::host {

void MemoryXConfig::validate(base::ConfigErrors& errors) const {
  errors.require(bytes_per_second >= 1'000'000, "host.memoryx.bytes_per_second", bytes_per_second,
                 "must be at least 1e6");
  errors.require(update_bytes_per_parameter >= 1 && update_bytes_per_parameter <= 10'000,
                 "host.memoryx.update_bytes_per_parameter", update_bytes_per_parameter,
                 "must be 1 .. 10000");
  errors.require(latency_ps <= 1'000'000'000'000ULL, "host.memoryx.latency_s",
                 static_cast<double>(latency_ps) * 1e-12, "must be at most 1 second");
  errors.require(capacity_bytes >= 1, "host.memoryx.capacity_bytes", capacity_bytes,
                 "must be positive");
}

base::Picoseconds MemoryX::gradients(std::uint64_t parameters, base::Picoseconds arrival,
                                     bool final) {
  const std::uint64_t bytes =
      final ? config_.update_bytes_per_parameter : config_.accumulate_bytes_per_parameter;
  busy_until_ =
      std::max(busy_until_, arrival) +
      base::mul_div_up(parameters * bytes, 1'000'000'000'000ULL, config_.bytes_per_second);
  if (final) parameters_updated_ += parameters;
  return busy_until_;
}

}  // namespace wse::host
