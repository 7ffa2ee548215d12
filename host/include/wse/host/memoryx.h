// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "wse/base/config_errors.h"
#include "wse/base/units.h"

namespace wse::host {

/// The parameter server. It holds fp32 master weights, two moments, a working copy and a gradient:
/// 16 bytes a parameter.
struct MemoryXConfig {
  /// [condor-galaxy] 1,136 EPYC cores a CS-2 are about 17.75 sockets of 64 cores with 204.8 GB/s
  /// each.
  std::uint64_t bytes_per_second = 3'600'000'000'000ULL;
  std::uint32_t update_bytes_per_parameter =
      28;  ///< traffic of one Adam update, docs/assumptions.md A-016
  std::uint32_t accumulate_bytes_per_parameter =
      10;  ///< read and write an fp32 sum, read an fp16 gradient
  base::Picoseconds latency_ps =
      10'000'000;  ///< A-017: 10 us from request to the first byte on a lane
  base::Bytes capacity_bytes = 1'280'000'000'000ULL * 24;  ///< host.memoryx.capacity_bytes

  void validate(base::ConfigErrors& errors) const;
};

/// Optimizer state and its updates, without SystemC. Time is its own, in picoseconds.
class MemoryX {
 public:
  static constexpr std::uint64_t kStateBytesPerParameter = 16;

  explicit MemoryX(const MemoryXConfig& config) : config_(config) {}

  void begin_step() { busy_until_ = 0; }
  /// Gradients of `parameters` are complete at `arrival`; `final` with the last micro-batch: then
  /// they are updated, else added to the sum. Work is done in the order of the calls. Returns when
  /// it is done.
  base::Picoseconds gradients(std::uint64_t parameters, base::Picoseconds arrival, bool final);

  std::uint64_t parameters_updated() const { return parameters_updated_; }
  base::Picoseconds latency() const { return config_.latency_ps; }

 private:
  MemoryXConfig config_;
  base::Picoseconds busy_until_ = 0;
  std::uint64_t parameters_updated_ = 0;
};

}  // namespace wse::host
