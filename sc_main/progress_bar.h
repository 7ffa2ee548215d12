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
  /// The same for a run that says what it is doing.
  void show(double fraction, const std::string& doing);
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  template <class Text>
  void draw(const Text& text);

  const bool on_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_ = start_ - std::chrono::seconds(1);
  bool visible_ = false;
};

/// The line without colours: bar, per cent, what is being done, seconds left.
std::string progress_text(const model::Progress& progress, double elapsed_seconds);
std::string progress_text(double fraction, const std::string& doing, double elapsed_seconds);

}  // namespace wse::cli
