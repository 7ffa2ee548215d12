// SPDX-License-Identifier: Apache-2.0
#include "progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>

namespace wse::cli {

ProgressBar::ProgressBar(bool wanted) : on_(wanted && isatty(STDERR_FILENO) != 0) {}

template <class Text>
void ProgressBar::draw(const Text& text) {
  if (!on_) return;
  const Clock::time_point now = Clock::now();
  if (now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  visible_ = true;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  std::cerr << "\r\033[K" << text(elapsed) << std::flush;
}

void ProgressBar::show(const model::Progress& progress) {
  draw([&](double elapsed) { return progress_text(progress, elapsed); });
}

void ProgressBar::show(double fraction, const std::string& doing) {
  draw([&](double elapsed) { return progress_text(fraction, doing, elapsed); });
}

void ProgressBar::clear() {
  if (visible_) std::cerr << "\r\033[K" << std::flush;
  visible_ = false;
}

std::string progress_text(const model::Progress& p, double elapsed_seconds) {
  const std::string step =
      p.step == 0 ? "warm-up step" : fmt::format("step {} of {}", p.step, p.steps);
  return progress_text(
      p.fraction,
      fmt::format("{}: {}, layer {} of {}", step, name_of(p.phase), p.layer + 1, p.layers),
      elapsed_seconds);
}

std::string progress_text(double fraction, const std::string& doing, double elapsed_seconds) {
  constexpr std::size_t kWidth = 20;
  const double done = std::clamp(fraction, 0.0, 1.0);
  const auto filled = static_cast<std::size_t>(done * kWidth);
  const std::string left =
      done < 0.02 ? ""
                  : fmt::format(", {:.0f} s left", std::ceil(elapsed_seconds * (1 / done - 1)));
  return fmt::format("[{}{}] {:3.0f} %  {}{}", std::string(filled, '#'),
                     std::string(kWidth - filled, '.'), done * 100, doing, left);
}

}  // namespace wse::cli
