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

namespace {

void route_turns(fabric::RouteTable& routes, const Line& line, std::uint8_t color, bool both) {
  for (std::uint32_t i = 0; i < line.size(); ++i) {
    const bool is_first = i == 0;
    const bool is_last = i + 1 == line.size();
    fabric::PortSet forth = Port::kRamp;
    if (!is_last) forth = forth | line.outward(i);
    fabric::ColorRoute route;
    route.pop = fabric::PopMode::kAlways;
    route.position_count = 0;
    const auto add = [&route](Port from, fabric::PortSet to) {
      route.positions[route.position_count++] = {from, to};
    };
    if (!is_first) add(line.inward(i), forth);
    add(Port::kRamp, is_first || !both ? forth : forth | line.inward(i));
    if (both && !is_last) {
      const fabric::PortSet back = Port::kRamp;
      add(line.outward(i), is_first ? back : back | line.inward(i));
    }
    routes.set(line[i], color, route);
  }
}

}  // namespace

void route_turns(fabric::RouteTable& routes, const Line& line, std::uint8_t color) {
  route_turns(routes, line, color, true);
}

void route_turns_forth(fabric::RouteTable& routes, const Line& line, std::uint8_t color) {
  route_turns(routes, line, color, false);
}

void route_down(fabric::RouteTable& routes, fabric::Mesh mesh, std::uint8_t color) {
  for (std::uint32_t x = 0; x < mesh.columns; ++x) {
    routes.set(mesh.tile(x, 0), color, {Port::kRamp, Port::kSouth});
    for (std::uint32_t y = 1; y < mesh.rows; ++y) {
      fabric::PortSet to = Port::kRamp;
      if (y + 1 < mesh.rows) to = to | Port::kSouth;
      routes.set(mesh.tile(x, y), color, {Port::kNorth, to});
    }
  }
}

void route_scatter(fabric::RouteTable& routes, const Line& line, std::uint8_t color) {
  routes.set(line[0], color, {Port::kRamp, line.outward(0)});
  for (std::uint32_t i = 1; i < line.size(); ++i) {
    fabric::ColorRoute route(line.inward(i), Port::kRamp);
    if (i + 1 < line.size()) {
      route.positions[1] = {line.inward(i), line.outward(i)};
      route.position_count = 2;
    }
    routes.set(line[i], color, route);
  }
}

void route_gather(fabric::RouteTable& routes, const Line& line, std::uint8_t color) {
  routes.set(line[0], color, {line.outward(0), Port::kRamp});
  for (std::uint32_t i = 1; i < line.size(); ++i) {
    fabric::ColorRoute route(Port::kRamp, line.inward(i));
    if (i + 1 < line.size()) {
      route.positions[1] = {line.outward(i), line.inward(i)};
      route.position_count = 2;
    }
    routes.set(line[i], color, route);
  }
}

LineRing::LineRing(const Line& line, std::vector<std::uint32_t> order,
                   std::vector<std::uint8_t> sends)
    : line_(line), order_(std::move(order)), sends_(std::move(sends)), ranks_(order_.size()) {
  for (std::uint32_t r = 0; r < size(); ++r) ranks_[order_[r]] = r;
}

LineRing LineRing::folded(const Line& line, std::uint8_t colors) {
  const std::uint32_t p = line.size();
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < p; i += 2) order.push_back(i);
  for (std::uint32_t i = p / 2; i > 0; --i) order.push_back(2 * i - 1);
  std::vector<std::uint8_t> sends;
  for (const std::uint32_t i : order) {
    sends.push_back(static_cast<std::uint8_t>(colors + i % 2 * 2 + i / 2 % 2));
  }
  return {line, std::move(order), std::move(sends)};
}

LineRing LineRing::wrapped(const Line& line, std::uint8_t colors) {
  const std::uint32_t p = line.size();
  std::vector<std::uint32_t> order;
  std::vector<std::uint8_t> sends;
  for (std::uint32_t i = 0; i < p; ++i) {
    order.push_back(i);
    sends.push_back(static_cast<std::uint8_t>(colors + (i + 1 == p ? 2 : i % 2)));
  }
  return {line, std::move(order), std::move(sends)};
}

void LineRing::route(fabric::RouteTable& routes) const {
  if (size() == 1) return;
  for (std::uint32_t r = 0; r < size(); ++r) route(routes, r);
}

/// From a rank to the next one, through the routers between them.
void LineRing::route(fabric::RouteTable& routes, std::uint32_t rank) const {
  const std::uint32_t a = place(rank);
  const std::uint32_t b = place(rank + 1);
  const bool outwards = a < b;
  const std::uint8_t color = sends(rank);
  for (std::uint32_t i = a;; outwards ? ++i : --i) {
    const Port from = i == a ? Port::kRamp : outwards ? line_.inward(i) : line_.outward(i);
    const Port to = i == b ? Port::kRamp : outwards ? line_.outward(i) : line_.inward(i);
    routes.set(line_[i], color, {from, to});
    if (i == b) break;
  }
}

}  // namespace wse::tiles
