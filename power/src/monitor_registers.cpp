// SPDX-License-Identifier: Apache-2.0
// The registers and the interrupt of the monitor.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "wse/power/power_monitor.h"

namespace wse::power {
namespace {

/// Joules in whole microjoules, and so on.
std::uint64_t in_units(double value, double units) {
  return static_cast<std::uint64_t>(std::max<long long>(0, std::llround(value * units)));
}
std::uint64_t milli(double value) { return in_units(value, 1e3); }
std::uint64_t micro(double value) { return in_units(value, 1e6); }
std::uint64_t deci(double value) { return in_units(value, 10); }

}  // namespace

/// Registers of a word a die.
bool PowerMonitor::die_register(std::uint64_t address, std::uint64_t& value) const {
  const auto die_in = [&](std::uint64_t begin, std::uint64_t& die) {
    if (address < begin || address >= begin + 8 * geometry_.dies()) return false;
    die = (address - begin) / 8;
    return true;
  };
  std::uint64_t die = 0;
  if (die_in(registers::kDieDeciC, die)) {
    value = deci(thermal_.mean_c()[die]);
  } else if (die_in(registers::kDiePowerMw, die)) {
    value = samples_.empty() ? 0 : milli(static_cast<double>(samples_.back().die_w[die]));
  } else if (die_in(registers::kDieEnergyUj, die)) {
    value = micro(die_j_[die]);
  } else if (die_in(registers::kDiePeakDeciC, die)) {
    value = deci(die_peak_c_[die]);
  } else {
    return false;
  }
  return true;
}

bool PowerMonitor::register_value(std::uint64_t address, std::uint64_t& value) const {
  if (address % 8 != 0) return false;
  if (die_register(address, value)) return true;
  switch (address) {
    case registers::kWaferPowerMw:
      value = samples_.empty() ? 0 : milli(samples_.back().wafer_w);
      return true;
    case registers::kHottestDeciC:
      value = deci(thermal_.hottest_c());
      return true;
    case registers::kClockState:
      value = budget_.state();
      return true;
    case registers::kEnergyUj:
      value = micro(accounts_.total());
      return true;
    case registers::kCapMw:
      value = milli(config_.cap_w);
      return true;
    case registers::kThrottleDeciC:
      value = deci(config_.throttle_c);
      return true;
    case registers::kReleaseDeciC:
      value = deci(config_.release_c);
      return true;
    case registers::kShutdownDeciC:
      value = deci(config_.shutdown_c);
      return true;
    case registers::kInterruptStatus:
      value = interrupt_status_;
      return true;
    case registers::kInterruptEnable:
      value = interrupt_enable_;
      return true;
    case registers::kNewEnergyUj:
      value = micro(accounts_.total()) - micro(told_j_);
      return true;
    case registers::kCoolantOutDeciC:
      value = deci(thermal_.grid().coolant_out_c());
      return true;
    case registers::kWorstDroopUv:
      value = micro(worst_droop_v_);
      return true;
    case registers::kPeakDeciC:
      value = deci(peak_c_);
      return true;
    case registers::kWindows:
      value = next_to_close_;
      return true;
    default:
      return false;
  }
}

void PowerMonitor::raise(std::uint64_t bits) {
  interrupt_status_ |= bits;
  interrupt.write((interrupt_status_ & interrupt_enable_) != 0);
}

/// Takes over new limits if they keep the rules.
bool PowerMonitor::set_limits(const PowerConfig& limits) {
  base::ConfigErrors errors;
  limits.validate(errors);
  if (!errors.empty()) return false;
  config_ = limits;
  budget_.use(limits);
  return true;
}

tlm::tlm_response_status PowerMonitor::write_register(std::uint64_t address, std::uint64_t value) {
  PowerConfig limits = config_;
  const double degrees = static_cast<double>(value) / 10;
  switch (address) {
    case registers::kCapMw:
      limits.cap_w = static_cast<double>(value) / 1e3;
      break;
    case registers::kThrottleDeciC:
      limits.throttle_c = degrees;
      break;
    case registers::kReleaseDeciC:
      limits.release_c = degrees;
      break;
    case registers::kShutdownDeciC:
      limits.shutdown_c = degrees;
      break;
    case registers::kInterruptStatus:
      interrupt_status_ &= ~value;
      raise(0);
      return tlm::TLM_OK_RESPONSE;
    case registers::kInterruptEnable:
      if ((value & ~registers::kAllInterrupts) != 0) return tlm::TLM_GENERIC_ERROR_RESPONSE;
      interrupt_enable_ = value;
      raise(0);
      return tlm::TLM_OK_RESPONSE;
    default: {
      std::uint64_t ignored = 0;
      return register_value(address, ignored) ? tlm::TLM_COMMAND_ERROR_RESPONSE
                                              : tlm::TLM_ADDRESS_ERROR_RESPONSE;
    }
  }
  return set_limits(limits) ? tlm::TLM_OK_RESPONSE : tlm::TLM_GENERIC_ERROR_RESPONSE;
}

unsigned int PowerMonitor::debug_register(tlm::tlm_generic_payload& trans) {
  std::uint64_t value = 0;
  if (!trans.is_read() || trans.get_data_length() != 8 ||
      !register_value(trans.get_address(), value))
    return 0;
  std::memcpy(trans.get_data_ptr(), &value, 8);
  return 8;
}

void PowerMonitor::access_register(tlm::tlm_generic_payload& trans, sc_core::sc_time&) {
  std::uint64_t value = 0;
  if (trans.get_command() == tlm::TLM_IGNORE_COMMAND) {
    trans.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
  } else if (trans.get_byte_enable_ptr() != nullptr) {
    trans.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
  } else if (trans.get_data_length() != 8 || trans.get_streaming_width() < 8) {
    trans.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
  } else if (trans.is_write()) {
    std::memcpy(&value, trans.get_data_ptr(), 8);
    trans.set_response_status(write_register(trans.get_address(), value));
  } else if (!register_value(trans.get_address(), value)) {
    trans.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  } else {
    std::memcpy(trans.get_data_ptr(), &value, 8);
    if (trans.get_address() == registers::kNewEnergyUj) told_j_ = accounts_.total();
    trans.set_response_status(tlm::TLM_OK_RESPONSE);
  }
}

}  // namespace wse::power
