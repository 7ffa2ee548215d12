// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>

namespace wse::cli {

inline volatile std::sig_atomic_t g_interrupted = 0;  // the one thing a signal handler may touch
inline bool interrupted() { return g_interrupted != 0; }

/// From now on Ctrl-C and SIGTERM end the run in order: interrupted() turns true.
inline void catch_interrupts() {
  const auto note = [](int) { g_interrupted = 1; };
  std::signal(SIGINT, note);
  std::signal(SIGTERM, note);
}

}  // namespace wse::cli
