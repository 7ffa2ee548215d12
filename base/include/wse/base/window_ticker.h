// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

#include "wse/base/units.h"

namespace wse::base {

/// Tells every module that an activity window has ended: window w is [w W, (w + 1) W). Ticks only
/// between start() and stop(), so that an idle machine has nothing pending.
class WindowTicker final : public sc_core::sc_module {
 public:
  WindowTicker(const sc_core::sc_module_name& name, Picoseconds window);

  /// At a boundary between windows.
  void start();
  void stop();

  /// Notified at the end of each window; ended() is then the window that has just ended.
  const sc_core::sc_event& tick() const { return tick_; }
  std::uint64_t ended() const { return ended_; }
  Picoseconds window() const { return window_; }
  Picoseconds end_of(std::uint64_t window) const { return (window + 1) * window_; }
  /// The window in which `time` lies.
  std::uint64_t window_at(Picoseconds time) const { return time / window_; }

 private:
  void advance();

  const Picoseconds window_;
  std::uint64_t ended_ = 0;
  bool running_ = false;
  sc_core::sc_event next_{"next"};
  sc_core::sc_event tick_{"tick"};
};

/// Kernel time in picoseconds; the resolution is checked once, where the wafer is built.
inline Picoseconds now() { return sc_core::sc_time_stamp().value(); }
inline sc_core::sc_time to_sc_time(Picoseconds time) { return sc_core::sc_time::from_value(time); }

}  // namespace wse::base
