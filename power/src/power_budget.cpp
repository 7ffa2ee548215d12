// SPDX-License-Identifier: Apache-2.0
#include "wse/power/power_budget.h"

#include <cmath>

namespace wse::power {
namespace {

std::uint64_t milli(double value) { return static_cast<std::uint64_t>(std::llround(value * 1000)); }
std::uint64_t windows_in(double seconds, const PowerConfig& config) {
  return static_cast<std::uint64_t>(std::llround(std::ceil(seconds / config.window_s - 1e-9)));
}

}  // namespace

PowerBudget::PowerBudget(const PowerConfig& config)
    : config_(config),
      windows_(windows_in(config.cap_window_s, config)),
      dwell_(windows_in(config.dwell_s, config)),
      since_change_(dwell_) {
  use(config);
}

void PowerBudget::use(const PowerConfig& config) {
  config_ = config;
  cap_mw_ = milli(config.cap_w);
  release_mw_ = milli(config.cap_w * (1 - config.cap_band));
}

std::uint64_t PowerBudget::expected_mw(std::uint64_t mean_mw, std::uint32_t state) const {
  const auto weight = [this](std::uint32_t s) {
    const ClockState& c = config_.clock_states[s];
    return milli(c.fraction * c.volts * c.volts * 1000);
  };
  return mean_mw * weight(state) / weight(state_);
}

std::uint32_t PowerBudget::decide(std::uint64_t wafer_mw, std::int64_t hottest_half_k) {
  recent_.push_back(wafer_mw);
  sum_ += wafer_mw;
  if (recent_.size() > windows_) {
    sum_ -= recent_.front();
    recent_.pop_front();
  }
  ++since_change_;
  const auto half = [](double c) { return static_cast<std::int64_t>(std::llround(c * 2)); };
  const std::uint64_t mean = sum_ / windows_;
  over_cap_ = recent_.size() == windows_ && mean > cap_mw_;
  too_hot_ = hottest_half_k >= half(config_.throttle_c);
  if (recent_.size() < windows_ || since_change_ <= dwell_) return state_;
  const bool slowest = state_ + 1 == config_.clock_states.size();
  const bool may_rise = state_ > 0 && mean < release_mw_ &&
                        hottest_half_k < half(config_.release_c) &&
                        expected_mw(mean, state_ - 1) < cap_mw_;
  if ((over_cap_ || too_hot_) && !slowest) {
    ++state_;
    since_change_ = 0;
  } else if (may_rise) {
    --state_;
    since_change_ = 0;
  }
  return state_;
}

}  // namespace wse::power
