// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "wse/fabric/wavelet.h"

namespace wse::cosim {

/// One direction of a ramp in a clock.
struct EchoPins {
  bool valid = false;
  fabric::Wavelet wavelet;
  std::uint32_t credits = 0;  ///< by color
};

/// ramp_echo.sv, a clock at a time.
class RtlEcho {
 public:
  virtual ~RtlEcho() = default;
  /// The pins behind an edge at which the router gives this.
  virtual EchoPins clock(const EchoPins& from_router) = 0;
};

/// Null without Verilator.
std::unique_ptr<RtlEcho> make_rtl_echo();

}  // namespace wse::cosim
