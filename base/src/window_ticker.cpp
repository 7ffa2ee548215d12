// SPDX-License-Identifier: Apache-2.0
#include "wse/base/window_ticker.h"

#include "wse/base/check.h"

namespace wse::base {

WindowTicker::WindowTicker(const sc_core::sc_module_name& name, Picoseconds window)
    : sc_core::sc_module(name), window_(window) {
  SC_HAS_PROCESS(WindowTicker);
  SC_METHOD(advance);
  sensitive << next_;
  dont_initialize();
}

void WindowTicker::start() {
  WSE_CHECK(now() % window_ == 0, "windows start at a boundary");
  running_ = true;
  next_.notify(to_sc_time(window_));
}

void WindowTicker::stop() {
  running_ = false;
  next_.cancel();
}

void WindowTicker::advance() {
  if (!running_) return;
  ended_ = now() / window_ - 1;
  tick_.notify();
  next_.notify(to_sc_time(window_));
}

}  // namespace wse::base
