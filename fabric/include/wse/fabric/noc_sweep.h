// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wse/fabric/noc_run.h"

namespace wse::fabric {

/// One rate of a sweep.
struct RatePoint {
  double rate = 0;
  NocResult result;
};

/// The same traffic at `points` rates, evenly from `first` to `last`. A DeadlockError names the rate.
std::vector<RatePoint> sweep_rates(NocConfig config, double first, double last,
                                   std::uint32_t points);

/// The largest rate, to one percent, at which the network is not saturated: 3 % of the wavelets
/// refused, or a mean latency of three times that of a nearly idle network, is saturation.
struct Saturation {
  double rate = 0;                 ///< 1: it does not saturate
  double zero_load_latency = 0;    ///< mean, of the nearly idle network
  std::vector<RatePoint> tried{};  ///< by rate
};
Saturation find_saturation(NocConfig config);

}  // namespace wse::fabric
