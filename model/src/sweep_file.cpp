// SPDX-License-Identifier: Apache-2.0
#include "wse/model/sweep_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "wse/base/units.h"

namespace wse::model {

std::string SweepRange::value(std::uint64_t index) const {
  const double i = static_cast<double>(index);
  double number = from + i * step;
  if (step == 0) {
    const double share = i / static_cast<double>(points - 1);
    number = logarithmic ? from * std::pow(to / from, share) : from + (to - from) * share;
    if (index + 1 == points) number = to;
    if (whole) number = std::round(number);
  }
  return std::abs(number) < 1e15 && number == std::floor(number) ? fmt::format("{:.0f}", number)
                                                                 : fmt::format("{:.12g}", number);
}

Assignment SweepAxis::at(std::uint64_t index) const {
  return range ? Assignment{path, range->value(index), place} : list[index];
}

std::uint64_t SweepFile::grid_count() const {
  std::uint64_t count = 1;
  for (const SweepAxis& axis : grid) count = base::mul_saturated(count, axis.count());
  return count;
}

std::uint64_t SweepFile::count() const {
  const std::uint64_t entries = std::max<std::uint64_t>(1, list.size());
  return base::mul_saturated(models.size(), base::mul_saturated(entries, grid_count()));
}

std::vector<std::string> SweepFile::axes() const {
  std::vector<std::string> paths;
  const auto add = [&paths](const std::string& path) {
    if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
  };
  for (const auto& entry : list) {
    for (const Assignment& assignment : entry) add(assignment.path);
  }
  for (const SweepAxis& axis : grid) add(axis.path);
  return paths;
}

std::size_t SweepFile::model_of(std::uint64_t index) const {
  return index / (grid_count() * std::max<std::uint64_t>(1, list.size()));
}

std::vector<Assignment> SweepFile::assignments(std::uint64_t index) const {
  const std::uint64_t grid_points = grid_count();
  std::vector<Assignment> all;
  if (!list.empty()) all = list[index / grid_points % list.size()];
  const std::size_t before = all.size();
  std::uint64_t rest = index % grid_points;
  for (auto axis = grid.rbegin(); axis != grid.rend(); ++axis) {
    all.push_back(axis->at(rest % axis->count()));
    rest /= axis->count();
  }
  std::reverse(all.begin() + static_cast<std::ptrdiff_t>(before), all.end());
  return all;
}

}  // namespace wse::model
