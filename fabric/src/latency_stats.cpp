// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/latency_stats.h"

#include <numeric>

namespace wse::fabric {

std::uint64_t LatencyHistogram::first_of(std::size_t bucket) {
  if (bucket < kExact) return bucket;
  const std::size_t octave = (bucket - kExact) / 32 + 6;
  return (32 + (bucket - kExact) % 32) << (octave - 5);
}

std::uint64_t LatencyHistogram::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

std::uint64_t LatencyHistogram::percentile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total()));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (counts_[bucket] != 0 && seen >= wanted) return first_of(bucket + 1) - 1;
  }
  return 0;
}

void LatencyStats::add_to(base::ResultHash& hash) const {
  for (const std::uint64_t value : {delivered_, sum_, checksum_, std::uint64_t{max_}, last_cycle_}) {
    hash.add(value);
  }
  for (std::size_t bucket = 0; bucket < LatencyHistogram::kBuckets; ++bucket) {
    hash.add(histogram_.count(bucket));
  }
}

}  // namespace wse::fabric
