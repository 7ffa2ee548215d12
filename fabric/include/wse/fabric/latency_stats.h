// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "wse/base/result_hash.h"
#include "wse/fabric/engine.h"

namespace wse::fabric {

/// Latencies in buckets: exact up to 64 cycles, then 32 buckets for each doubling (3 % wide).
class LatencyHistogram {
 public:
  static constexpr std::uint32_t kExact = 64;
  static constexpr std::size_t kBuckets = kExact + 32 * 27;

  static std::size_t bucket_of(std::uint32_t latency) {
    if (latency < kExact) return latency;
    const auto octave = static_cast<unsigned>(31 - __builtin_clz(latency));  // 6 and up
    return kExact + (octave - 6) * 32 + ((latency >> (octave - 5)) - 32);
  }
  /// Latencies of a bucket: first .. first of the next one - 1.
  static std::uint64_t first_of(std::size_t bucket);

  void add(std::uint32_t latency, std::uint64_t count = 1) { counts_[bucket_of(latency)] += count; }
  std::uint64_t count(std::size_t bucket) const { return counts_[bucket]; }
  void add(const LatencyHistogram& that);
  std::uint64_t total() const;
  /// The largest latency of the bucket in which a share of all (0 .. 1) is reached.
  std::uint64_t percentile(double share) const;

 private:
  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(kBuckets, 0);
};

/// What compute engines see that read everything at once. The data of a wavelet is the cycle in
/// which it was offered.
class LatencyStats final : public EngineSink {
 public:
  void deliver(base::Cycles cycle, const Delivery* begin, const Delivery* end) override {
    const auto now = static_cast<std::uint32_t>(cycle);
    std::uint64_t sum = 0;
    std::uint64_t checksum = 0;
    for (const Delivery* d = begin; d != end; ++d) {
      const std::uint32_t latency = now - d->data;
      sum += latency;
      if (latency > max_) max_ = latency;
      histogram_.add(latency);
      checksum += weight(d->leaf) * offered_term(d->data) * cycle_term(cycle);
    }
    sum_ += sum;
    checksum_ += checksum;
    delivered_ += static_cast<std::uint64_t>(end - begin);
    if (cycle > last_cycle_) last_cycle_ = cycle;
  }

  EngineSink* for_band(std::uint32_t band) override;
  void deliver_flow(std::uint32_t number, const Circuit& circuit, base::Cycles first,
                    std::uint32_t hop_cycles, const Wavelet& wavelet) override;
  /// What another one saw, without flows.
  void add(const LatencyStats& that);
  /// Adds what bands saw and what flowed; call once before anything is read.
  void finish();

  // The terms of a checksum over all deliveries: weight(leaf) x offered_term x cycle_term.
  static std::uint64_t weight(std::uint32_t leaf) {
    const std::uint64_t z = (std::uint64_t{leaf} + 1) * 0x9e3779b97f4a7c15ULL;
    return (z ^ z >> 29) * 0xbf58476d1ce4e5b9ULL;
  }
  static std::uint64_t offered_term(std::uint32_t data) { return data + 0x632be59bd9b4e019ULL; }
  static std::uint64_t cycle_term(base::Cycles cycle) { return cycle + 0xd1342543de82ef95ULL; }

  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t sum() const { return sum_; }
  std::uint64_t max() const { return max_; }
  base::Cycles last_cycle() const { return last_cycle_; }
  const LatencyHistogram& histogram() const { return histogram_; }
  /// Over all deliveries, whatever their order: where, when, and what was offered when.
  void add_to(base::ResultHash& hash) const;

 private:
  std::uint64_t delivered_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t checksum_ = 0;
  std::uint32_t max_ = 0;
  base::Cycles last_cycle_ = 0;
  LatencyHistogram histogram_;

  /// What flowed by one circuit, as sums that give the terms of all its leaves at once.
  struct Flow {
    const Circuit* circuit = nullptr;
    std::uint32_t hop_cycles = 1;
    std::uint64_t wavelets = 0;
    std::uint64_t offered_terms = 0;
    std::uint64_t products = 0;  ///< of offered_term and cycle_term at depth 0
    base::Cycles last = 0;       ///< at depth 0
    std::unordered_map<std::uint32_t, std::uint64_t> latencies;  ///< at depth 0: how many
  };
  std::vector<Flow> flows_;  ///< by circuit
  std::vector<std::unique_ptr<LatencyStats>> bands_;
};

}  // namespace wse::fabric
