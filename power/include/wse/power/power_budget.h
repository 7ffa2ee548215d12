// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>

#include "wse/power/power_config.h"

namespace wse::power {

/// Decides the clock state from quantised values only, so that every platform decides alike.
///
/// The mean over the cap window above the cap: one state down. Below cap * (1 - band) and expected
/// to stay under the cap one state up (dynamic power ~ f V^2): one up. A die at throttle_c: one
/// down; up again only below release_c. Never two changes within the dwell.
class PowerBudget {
 public:
  explicit PowerBudget(const PowerConfig& config);

  /// Once a window: milliwatts of the wafer, and the hottest die in half kelvins. Returns the state
  /// to use next.
  std::uint32_t decide(std::uint64_t wafer_mw, std::int64_t hottest_half_k);
  std::uint32_t state() const { return state_; }
  /// Other limits, from the next decision on.
  void use(const PowerConfig& config);
  bool was_over_cap() const { return over_cap_; }  ///< at the last decision
  bool was_too_hot() const { return too_hot_; }
  /// Wafer power expected in another state, dynamic power scaled.
  std::uint64_t expected_mw(std::uint64_t mean_mw, std::uint32_t state) const;

 private:
  PowerConfig config_;
  std::uint64_t cap_mw_ = 0;
  std::uint64_t release_mw_ = 0;
  const std::size_t windows_;
  const std::uint64_t dwell_;
  std::deque<std::uint64_t> recent_;
  std::uint64_t sum_ = 0;
  std::uint32_t state_ = 0;
  std::uint64_t since_change_ = 0;
  bool over_cap_ = false;
  bool too_hot_ = false;
};

}  // namespace wse::power
