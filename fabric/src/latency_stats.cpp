// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/latency_stats.h"

#include <algorithm>
#include <numeric>

namespace wse::fabric {

std::uint64_t LatencyHistogram::first_of(std::size_t bucket) {
  if (bucket < kExact) return bucket;
  const std::size_t octave = (bucket - kExact) / 32 + 6;
  return (32 + (bucket - kExact) % 32) << (octave - 5);
}

void LatencyHistogram::add(const LatencyHistogram& that) {
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    counts_[bucket] += that.counts_[bucket];
  }
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

void LatencyStats::deliver_flow(std::uint32_t number, const Circuit& circuit, base::Cycles first,
                                std::uint32_t hop_cycles, const Wavelet& wavelet) {
  if (number >= flows_.size()) flows_.resize(number + std::size_t{1});
  Flow& flow = flows_[number];
  flow.circuit = &circuit;
  flow.hop_cycles = hop_cycles;
  ++flow.wavelets;
  flow.offered_terms += offered_term(wavelet.data);
  flow.products += offered_term(wavelet.data) * cycle_term(first);
  flow.last = first;
  const std::uint32_t latency = static_cast<std::uint32_t>(first) - wavelet.data;
  ++flow.latencies[latency];
}

EngineSink* LatencyStats::for_band(std::uint32_t band) {
  while (bands_.size() <= band) bands_.push_back(std::make_unique<LatencyStats>());
  return bands_[band].get();
}

void LatencyStats::add(const LatencyStats& that) {
  delivered_ += that.delivered_;
  sum_ += that.sum_;
  checksum_ += that.checksum_;
  max_ = std::max(max_, that.max_);
  last_cycle_ = std::max(last_cycle_, that.last_cycle_);
  histogram_.add(that.histogram_);
}

void LatencyStats::finish() {
  for (const std::unique_ptr<LatencyStats>& band : bands_) add(*band);
  bands_.clear();
  for (const Flow& flow : flows_) {
    if (flow.wavelets == 0) continue;
    for (const Circuit::Leaf& leaf : flow.circuit->leaves) {
      const std::uint64_t delay = std::uint64_t{leaf.depth} * flow.hop_cycles;
      checksum_ += weight(leaf.leaf) * (flow.products + delay * flow.offered_terms);
      last_cycle_ = std::max(last_cycle_, flow.last + delay);
      for (const auto& [at_source, count] : flow.latencies) {
        const auto latency = static_cast<std::uint32_t>(at_source + delay);
        sum_ += latency * count;
        max_ = std::max(max_, latency);
        histogram_.add(latency, count);
      }
    }
    delivered_ += flow.wavelets * flow.circuit->leaves.size();
  }
  flows_.clear();
}

void LatencyStats::add_to(base::ResultHash& hash) const {
  for (const std::uint64_t value :
       {delivered_, sum_, checksum_, std::uint64_t{max_}, last_cycle_}) {
    hash.add(value);
  }
  for (std::size_t bucket = 0; bucket < LatencyHistogram::kBuckets; ++bucket) {
    hash.add(histogram_.count(bucket));
  }
}

}  // namespace wse::fabric
