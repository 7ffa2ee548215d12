// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "wse/base/host_usage.h"
#include "wse/fabric/noc_sweep.h"
#include "wse/report/twin_skew.h"

namespace wse::report {

/// A run of synthetic traffic and what it took of the computer.
struct NocRecord {
  fabric::NocConfig config;
  fabric::NocResult result;
  std::vector<fabric::RatePoint> rates;          ///< of a sweep, or tried in the search
  std::optional<fabric::Saturation> saturation;  ///< if it was looked for
  base::HostUsage host;
  double host_seconds = 0;
  std::string command;             ///< as it was typed
  std::vector<std::string> twins;  ///< as they were asked for
  std::size_t twin_routers = 0;
  std::optional<TwinSkew> twin_skew;
};

/// The object of the command line's contract.
nlohmann::ordered_json noc_json(const NocRecord& record);
/// A few lines for a terminal.
std::string noc_summary(const NocRecord& record);
/// The page of a run.
std::string noc_page(const NocRecord& record);
/// rate, accepted_rate, mean, 99 %, largest latency, refused, result_hash: one line a rate.
std::string rates_csv(const std::vector<fabric::RatePoint>& rates);
/// latency_cycles, last, count: one line a bucket that holds something.
std::string latency_csv(const fabric::LatencyHistogram& latencies);

}  // namespace wse::report
