// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace wse::report {

/// Of routers that keep the order but not the clocks of the model.
struct TwinSkew {
  std::uint64_t checked = 0;                         ///< copies whose order was compared
  std::uint64_t unordered = 0;                       ///< copies whose order is a matter of timing
  std::map<std::uint64_t, std::uint64_t> latencies;  ///< copies by clocks in the router

  /// A line a range of clocks, for a terminal.
  std::string text() const {
    std::string text = "  clocks in the router    copies\n";
    auto next = latencies.begin();
    for (std::uint64_t low = 1, high = 1; next != latencies.end(); low = high + 1, high *= 2) {
      std::uint64_t copies = 0;
      for (; next != latencies.end() && next->first <= high; ++next) copies += next->second;
      if (copies == 0) continue;
      const std::string range =
          low == high ? std::to_string(low) : fmt::format("{} .. {}", low, high);
      text += fmt::format("  {:<23} {}\n", range, copies);
    }
    return text;
  }
  nlohmann::ordered_json json() const {
    nlohmann::ordered_json histogram = nlohmann::ordered_json::object();
    for (const auto& [clocks, copies] : latencies) histogram[std::to_string(clocks)] = copies;
    return {{"checked", checked}, {"unordered", unordered}, {"latency_clocks", histogram}};
  }
};

}  // namespace wse::report
