// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace wse::report {

/// Units of a quantity, the usual one first, then finer ones.
using Units = std::vector<std::pair<const char*, double>>;
inline const Units kBytes{{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1}};
inline const Units kWatts{{"kW", 1e3}, {"W", 1}, {"mW", 1e-3}};
inline const Units kJoules{{"J", 1}, {"mJ", 1e-3}, {"uJ", 1e-6}, {"nJ", 1e-9}};
inline const Units kSeconds{{"s", 1}, {"ms", 1e-3}, {"us", 1e-6}};
inline const Units kFlops{{"PFLOP/s", 1e15}, {"TFLOP/s", 1e12}, {"GFLOP/s", 1e9}, {"MFLOP/s", 1e6}};
inline const Units kCounts{{"billion", 1e9}, {"million", 1e6}};

/// With so many decimals in the usual unit, or in a finer one where that would leave few digits.
std::string scaled(double value, const Units& units, int decimals);

}  // namespace wse::report
