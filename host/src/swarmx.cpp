// SPDX-License-Identifier: Apache-2.0
#include "wse/host/swarmx.h"

#include <algorithm>

#include "wse/base/check.h"

namespace wse::host {

void SwarmXConfig::validate(base::ConfigErrors& errors) const {
  errors.require(fan_out >= 2 && fan_out <= 1024, "swarmx.fan_out", fan_out, "must be 2 .. 1024");
  errors.require(level_latency_ps <= 1'000'000'000'000ULL, "swarmx.level_latency_s",
                 static_cast<double>(level_latency_ps) * 1e-12, "must be at most 1 second");
  const auto rate = [&](std::uint64_t value, const char* path) {
    errors.require(value >= 1'000'000 && value <= 1'000'000'000'000'000ULL, path, value,
                   "must be 1e6 .. 1e15");
  };
  rate(bits_per_second, "swarmx.link.bits_per_second");
  rate(reduce_bits_per_second, "swarmx.reduce.bits_per_second");
}

SwarmX::SwarmX(const SwarmXConfig& config, std::uint64_t systems, const fabric::IoConfig& io)
    : config_(config), upwards_(io) {
  WSE_CHECK(systems >= 1 && systems <= kMostSystems, "as many systems as the tree reaches");
  for (std::uint64_t ports = systems; ports > 1;) {
    ports = base::ceil_div(ports, config.fan_out);
    nodes_ += ports;
    ++levels_;
  }
  latency_ = levels_ * config.level_latency_ps;
  upwards_.bits_per_second = std::min(config.bits_per_second, config.reduce_bits_per_second);
  busy_.assign(io.lanes, 0);
}

fabric::IoConfig SwarmX::slowed(fabric::IoConfig io) const {
  if (levels_ > 0) io.bits_per_second = std::min(io.bits_per_second, config_.bits_per_second);
  return io;
}

base::Picoseconds SwarmX::sum(std::uint32_t lane, base::Bytes bytes, base::Picoseconds first,
                              base::Picoseconds last) {
  if (levels_ == 0) return last;
  base::Picoseconds& busy = busy_[lane];
  busy = std::max(last, std::max(first, busy) + upwards_.transfer_time(bytes));
  return busy + latency_;
}

}  // namespace wse::host
