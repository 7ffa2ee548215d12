// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/noc_sweep.h"

#include <algorithm>
#include <cmath>

#include "wse/fabric/deadlock.h"

namespace wse::fabric {
namespace {

RatePoint run_at(double rate, NocConfig& config) {
  config.traffic.rate = rate;
  try {
    return {rate, run_noc(config)};
  } catch (const DeadlockError& error) {
    throw DeadlockError(fmt::format("at a rate of {:.6g}: {}", rate, error.what()));
  }
}

}  // namespace

std::vector<RatePoint> sweep_rates(NocConfig config, double first, double last,
                                   std::uint32_t points) {
  std::vector<RatePoint> all;
  for (std::uint32_t i = 0; i < points; ++i) {
    const double share = points == 1 ? 0.0 : static_cast<double>(i) / (points - 1);
    all.push_back(run_at(first + (last - first) * share, config));
  }
  return all;
}

Saturation find_saturation(NocConfig config) {
  constexpr double kIdleOffers = 500;  // enough for a mean
  constexpr double kPrecision = 1.01;
  constexpr double kRefused = 0.03;
  constexpr double kSlower = 3;
  Saturation found;
  const auto run = [&](double rate) -> const NocResult& {
    found.tried.push_back(run_at(rate, config));
    return found.tried.back().result;
  };
  const auto senders = static_cast<double>(Traffic(config.traffic).senders().size());
  // Packets count: as many of them are needed for a mean.
  double idle = std::min(0.01, kIdleOffers * config.traffic.packet /
                                   (senders * static_cast<double>(config.traffic.cycles)));
  while (run(idle).delivered == 0 && idle < 1) idle = std::min(1.0, 4 * idle);
  found.zero_load_latency = found.tried.back().result.mean_latency();
  const auto saturated = [&](double rate) {
    const NocResult& r = run(rate);
    return static_cast<double>(r.refused) > kRefused * static_cast<double>(r.offered) ||
           r.mean_latency() > kSlower * found.zero_load_latency;
  };
  double low = idle;
  double high = 1;
  if (!saturated(high)) {
    low = high;
  }
  while (high / low > kPrecision) {
    const double middle = std::sqrt(low * high);
    (saturated(middle) ? high : low) = middle;
  }
  found.rate = low;
  std::sort(found.tried.begin(), found.tried.end(),
            [](const RatePoint& a, const RatePoint& b) { return a.rate < b.rate; });
  return found;
}

}  // namespace wse::fabric
