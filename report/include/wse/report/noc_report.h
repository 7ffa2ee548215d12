// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "wse/base/host_usage.h"
#include "wse/fabric/noc_run.h"

namespace wse::report {

/// A run of synthetic traffic and what it took of the computer.
struct NocRecord {
  fabric::NocConfig config;
  fabric::NocResult result;
  base::HostUsage host;
  double host_seconds = 0;
  std::string command;  ///< as it was typed
};

/// The object of the command line's contract.
nlohmann::ordered_json noc_json(const NocRecord& record);
/// A few lines for a terminal.
std::string noc_summary(const NocRecord& record);
/// latency_cycles, last, count: one line a bucket that holds something.
std::string latency_csv(const fabric::LatencyHistogram& latencies);

}  // namespace wse::report
