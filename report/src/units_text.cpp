// SPDX-License-Identifier: Apache-2.0
#include "units_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace wse::report {

std::string scaled(double value, const Units& units, int decimals) {
  if (value == 0) return fmt::format("0 {}", units.front().first);
  const double least = std::max(std::pow(10.0, 1 - decimals), 0.01);  // two digits
  if (value >= least * units.front().second) {
    return fmt::format("{:.{}f} {}", value / units.front().second, decimals, units.front().first);
  }
  std::size_t u = 1;
  while (u + 1 < units.size() && value < units[u].second) ++u;
  const double shown = value / units[u].second;
  // Three digits, which may round up to a fourth.
  return fmt::format(shown >= 99.95 ? "{:.0f} {}" : "{:.3g} {}", shown, units[u].first);
}

}  // namespace wse::report
