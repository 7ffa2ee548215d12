// SPDX-License-Identifier: Apache-2.0
#include "line.h"

#include "wse/base/check.h"

namespace wse::tiles {

using fabric::Mesh;
using fabric::Port;

Line::Line(Mesh mesh, std::vector<std::uint32_t> tiles) : mesh_(mesh), tiles_(std::move(tiles)) {}

Line Line::row(Mesh mesh, std::uint32_t y, std::uint32_t first, std::uint32_t last) {
  std::vector<std::uint32_t> tiles{mesh.tile(first, y)};
  while (first != last) tiles.push_back(mesh.tile(first < last ? ++first : --first, y));
  return {mesh, std::move(tiles)};
}

Line Line::column(Mesh mesh, std::uint32_t x, std::uint32_t first, std::uint32_t last) {
  std::vector<std::uint32_t> tiles{mesh.tile(x, first)};
  while (first != last) tiles.push_back(mesh.tile(x, first < last ? ++first : --first));
  return {mesh, std::move(tiles)};
}

Line Line::snake(Mesh mesh) {
  std::vector<std::uint32_t> tiles;
  for (std::uint32_t y = 0; y < mesh.rows; ++y) {
    for (std::uint32_t i = 0; i < mesh.columns; ++i) {
      tiles.push_back(mesh.tile(y % 2 == 0 ? i : mesh.columns - 1 - i, y));
    }
  }
  return {mesh, std::move(tiles)};
}

Port Line::towards(std::uint32_t from, std::uint32_t to) const {
  for (const Port port : {Port::kNorth, Port::kEast, Port::kSouth, Port::kWest}) {
    if (mesh_.neighbour(from, port) == to) return port;
  }
  WSE_CHECK(false, "a line of tiles that are no neighbours");
  return Port::kRamp;
}
Port Line::inward(std::uint32_t i) const { return towards(tiles_[i], tiles_[i - 1]); }
Port Line::outward(std::uint32_t i) const { return towards(tiles_[i], tiles_[i + 1]); }

FoldedRing::FoldedRing(const Line& line, std::uint8_t colors) : line_(line), colors_(colors) {
  const std::uint32_t p = line.size();
  for (std::uint32_t i = 0; i < p; i += 2) order_.push_back(i);
  for (std::uint32_t i = p / 2; i > 0; --i) order_.push_back(2 * i - 1);
  ranks_.resize(p);
  for (std::uint32_t r = 0; r < p; ++r) ranks_[order_[r]] = r;
}

std::uint8_t FoldedRing::sends(std::uint32_t rank) const {
  const std::uint32_t i = place(rank);
  return static_cast<std::uint8_t>(colors_ + i % 2 * 2 + i / 2 % 2);
}

void FoldedRing::route(fabric::RouteTable& routes) const {
  if (size() == 1) return;
  for (std::uint32_t r = 0; r < size(); ++r) route(routes, r, r + 1);
}

/// Of ranks that follow each other.
void FoldedRing::route(fabric::RouteTable& routes, std::uint32_t from, std::uint32_t to) const {
  const std::uint32_t a = place(from);
  const std::uint32_t b = place(to);
  const Port out = a < b ? line_.outward(a) : line_.inward(a);
  const Port in = a < b ? line_.inward(b) : line_.outward(b);
  const std::uint8_t color = sends(from);
  routes.set(line_[a], color, {Port::kRamp, out});
  if (a + 2 == b || b + 2 == a) {
    const std::uint32_t between = (a + b) / 2;
    const Port passes_in = a < b ? line_.inward(between) : line_.outward(between);
    const Port passes_out = a < b ? line_.outward(between) : line_.inward(between);
    routes.set(line_[between], color, {passes_in, passes_out});
  }
  routes.set(line_[b], color, {in, Port::kRamp});
}

}  // namespace wse::tiles
