// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "wse/model/training.h"

namespace wse::cli {

/// One line on standard error that tells how far a run is; nothing where that is no terminal.
class ProgressBar {
 public:
  explicit ProgressBar(bool wanted);
  ~ProgressBar() { clear(); }

  /// Draws at most ten times a second.
  void show(const model::Progress& progress);
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  const bool on_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_ = start_ - std::chrono::seconds(1);
  bool visible_ = false;
};

/// The line without colours: bar, per cent, what is being done, seconds left.
std::string progress_text(const model::Progress& progress, double elapsed_seconds);

}  // namespace wse::cli
