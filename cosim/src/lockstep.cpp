// SPDX-License-Identifier: Apache-2.0
#include "wse/cosim/lockstep.h"

#include <fmt/format.h>

namespace wse::cosim {

void throw_mismatch(const std::string& name, const std::vector<ClockText>& clocks) {
  const ClockText& now = clocks.back();
  const auto or_nothing = [](const std::string& pins) { return pins.empty() ? "nothing" : pins; };
  std::string text = fmt::format("{} differs from the model in clock {}", name, now.number);
  for (const ClockText& clock : clocks) {
    const bool last = &clock == &now;
    if (clock.in.empty() && clock.model.empty() && !last) continue;
    text += fmt::format("\n  clock {:<6} in    {}", clock.number, or_nothing(clock.in));
    if (!last) {
      text += fmt::format("\n               out   {}", or_nothing(clock.model));
    } else {
      text += fmt::format("\n               model {}\n               twin  {}",
                          or_nothing(clock.model), or_nothing(clock.twin));
    }
  }
  throw Mismatch(text);
}

void throw_breach(const std::string& name, std::uint64_t clock, const base::TwinError& error) {
  throw Mismatch(fmt::format("{} breaks the contract in clock {}: {}", name, clock, error.what()));
}

}  // namespace wse::cosim
