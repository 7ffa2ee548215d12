// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace wse::testing_support {

/// Keys of the JSON of a training that are there at every level: the contract of the command line.
inline std::vector<std::string> train_keys() {
  return {"model",
          "parameters",
          "micro_batches",
          "passes",
          "recompute",
          "tokens_per_step",
          "step_seconds",
          "tokens_per_second",
          "useful_flops_per_second",
          "utilization",
          "time_ledger",
          "energy_ledger",
          "bytes_in",
          "bytes_out",
          "energy_j",
          "energy_per_token_j",
          "wafer_power_w",
          "system_power_w",
          "temperature_c",
          "throttled_fraction",
          "machine",
          "fidelity",
          "simulated_cycles",
          "elaboration_seconds",
          "host_seconds",
          "max_rss_bytes",
          "result_hash"};
}

}  // namespace wse::testing_support
