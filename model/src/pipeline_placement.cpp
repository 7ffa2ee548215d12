// SPDX-License-Identifier: Apache-2.0
#include "wse/model/pipeline_placement.h"

#include <algorithm>

namespace wse::model {
namespace {

using base::Cycles;
using base::Rectangle;
using base::Span;

/// All up to the number of steps, then steps of such a share.
std::vector<std::uint32_t> sizes_up_to(std::uint32_t most, std::uint32_t steps) {
  std::vector<std::uint32_t> sizes;
  for (std::uint32_t n = 1; n < most; n += std::max<std::uint32_t>(1, n / steps)) {
    sizes.push_back(n);
  }
  sizes.push_back(most);
  return sizes;
}

}  // namespace

PlacementSearch::PlacementSearch(const std::vector<StageLoad>& loads, const Settings& settings)
    : loads_(loads),
      settings_(settings),
      widths_(sizes_up_to(settings.machine.geometry.user_columns, 32)),
      heights_(sizes_up_to(settings.machine.geometry.user_rows, 24)) {}

const PlacementSearch::Course& PlacementSearch::course(const StageLoad& load, std::size_t height) {
  Course& course = courses_[{load.kind, height}];
  if (!course.empty()) return course;
  for (const std::uint32_t width : widths_) {
    course.push_back(
        stage_cycles(load, {{0, width}, {0, heights_[height]}}, settings_).of_sample());
  }
  return course;
}

std::size_t PlacementSearch::narrowest(const StageLoad& load, std::size_t height,
                                       std::uint64_t in_flight) const {
  const auto first = std::partition_point(widths_.begin(), widths_.end(), [&](std::uint32_t w) {
    return stage_tile_bytes(load, w, heights_[height], in_flight, settings_.machine) >
           settings_.machine.sram.size_bytes;
  });
  return static_cast<std::size_t>(first - widths_.begin());
}

std::size_t PlacementSearch::width(std::size_t stage, std::size_t height, Cycles bound) const {
  std::size_t w = narrowest_[stage][height];
  while (w < widths_.size() && (*course_of_[stage][height])[w] > bound) ++w;
  return w;
}

/// The first stage that has no place in a strip that begins with another one.
std::size_t PlacementSearch::filled(std::size_t first, std::size_t height, Cycles bound) const {
  std::uint32_t x = 0;
  std::size_t stage = first;
  for (; stage < loads_.size(); ++stage) {
    const std::size_t w = width(stage, height, bound);
    if (w == widths_.size() || x + widths_[w] > widths_.back()) break;
    x += widths_[w];
  }
  return stage;
}

/// From the last stage to the first: the fewest rows for all stages from there on. A strip is filled,
/// since fewer stages behind it never need more rows.
std::vector<PlacementSearch::Strip> PlacementSearch::strips(Cycles bound) const {
  constexpr std::uint64_t kNone = ~std::uint32_t{0};
  std::vector<std::uint64_t> rows(loads_.size() + 1, kNone);
  std::vector<Strip> first(loads_.size());
  rows.back() = 0;
  for (std::size_t stage = loads_.size(); stage-- > 0;) {
    for (std::size_t h = 0; h < heights_.size(); ++h) {
      if (heights_[h] >= rows[stage]) break;
      const std::size_t end = filled(stage, h, bound);
      if (end == stage || heights_[h] + rows[end] >= rows[stage]) continue;
      rows[stage] = heights_[h] + rows[end];
      first[stage] = {h, end};
    }
  }
  if (rows.front() > heights_.back()) return {};
  std::vector<Strip> strips;
  for (std::size_t stage = 0; stage < loads_.size(); stage = first[stage].end) {
    strips.push_back(first[stage]);
  }
  return strips;
}

/// In the order of the pipeline, to and fro.
Placement PlacementSearch::snake(const std::vector<Strip>& strips, Cycles bound) const {
  Placement p;
  std::size_t stage = 0;
  Span rows;
  bool back = false;
  for (const Strip& strip : strips) {
    rows = {rows.end, rows.end + heights_[strip.height]};
    std::uint32_t x = 0;
    for (; stage < strip.end; ++stage) {
      const std::size_t w = width(stage, strip.height, bound);
      const Span there{x, x + widths_[w]};
      x = there.end;
      const std::uint32_t all = widths_.back();
      p.rectangles.push_back({back ? Span{all - there.end, all - there.begin} : there, rows});
      p.tiles += p.rectangles.back().tiles();
      p.slowest = std::max(p.slowest, (*course_of_[stage][strip.height])[w]);
    }
    back = !back;
  }
  return p;
}

std::optional<Placement> PlacementSearch::best(const std::vector<std::uint64_t>& in_flight) {
  course_of_.assign(loads_.size(), {});
  narrowest_.assign(loads_.size(), {});
  Cycles low = 0;  // does not suffice
  Cycles high = 0;
  for (std::size_t s = 0; s < loads_.size(); ++s) {
    for (std::size_t h = 0; h < heights_.size(); ++h) {
      course_of_[s].push_back(&course(loads_[s], h));
      narrowest_[s].push_back(narrowest(loads_[s], h, in_flight[s]));
      high = std::max(high, *std::max_element(course_of_[s][h]->begin(), course_of_[s][h]->end()));
    }
  }
  if (strips(high).empty()) return std::nullopt;
  while (high - low > high / 1000 + 1) {
    const Cycles middle = low + (high - low) / 2;
    (strips(middle).empty() ? low : high) = middle;
  }
  // A hundredth slower saves tiles.
  high += high / 100;
  return snake(strips(high), high);
}

Transfer transfer_between(const Rectangle& from, const Rectangle& to, base::Bytes bytes,
                          const fabric::FabricConfig& fabric) {
  constexpr base::Bytes kWaveletBytes = 4;
  const std::uint64_t wavelets = base::ceil_div(bytes, kWaveletBytes);
  const std::uint64_t rows = base::intersect(from.rows, to.rows).size();
  const std::uint64_t columns = base::intersect(from.columns, to.columns).size();
  const auto between = [](Span a, Span b) -> std::uint64_t {
    const std::uint32_t x = a.begin + a.end;
    const std::uint32_t y = b.begin + b.end;
    return (x > y ? x - y : y - x) / 2;
  };
  const std::uint64_t way = between(from.columns, to.columns) + between(from.rows, to.rows);
  // To another strip: down through what faces, or down anywhere and along the rows of the strip.
  const std::uint64_t along = std::min(from.columns.size(), to.rows.size());
  const std::uint64_t side = rows > 0 ? rows : std::max(columns, along);
  const Cycles word = way * fabric.hop_latency_cycles + 2 * Cycles{fabric.ramp_latency_cycles};
  return {base::ceil_div(wavelets, side) + word, word, wavelets * way};
}

}  // namespace wse::model
