// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "plan.h"
#include "ring.h"
#include "wse/tiles/kernels/collective.h"

namespace wse::tiles {

using fabric::Mesh;
using fabric::Port;
using fabric::PortSet;

namespace {

constexpr std::uint8_t kColumnColors = 4;  ///< of the reduction of the first column
constexpr std::uint8_t kBroadcastColor = 8;

std::uint32_t group_of(std::uint32_t tiles, std::optional<std::uint32_t> group) {
  return std::max(1U, std::min(tiles, group.value_or(default_group(tiles))));
}

/// Plans a reduction; gives its predicted cycles.
base::Cycles plan_reduce(CollectivePlan& plan, const CollectiveShape& shape,
                         ReduceAlgorithm algorithm, std::optional<std::uint32_t> group) {
  const Mesh mesh = shape.mesh;
  if (mesh.tiles() == 1) plan.copy(0);
  if (algorithm == ReduceAlgorithm::kSnake) {
    plan.chain(Line::snake(mesh), 0);
    return predicted_chain(mesh.tiles(), shape.words);
  }
  const std::uint32_t row_group = group_of(mesh.columns, group);
  const std::uint32_t column_group = group_of(mesh.rows, group);
  for (std::uint32_t y = 0; y < mesh.rows; ++y) {
    plan.reduce(Line::row(mesh, y, 0, mesh.columns - 1), 0, algorithm, row_group);
  }
  plan.reduce(Line::column(mesh, 0, 0, mesh.rows - 1), kColumnColors, algorithm, column_group);
  return predicted_reduce(mesh.columns, shape.words, algorithm, row_group) +
         predicted_reduce(mesh.rows, shape.words, algorithm, column_group);
}

base::Cycles plan_broadcast(CollectivePlan& plan, const CollectiveShape& shape,
                            std::uint8_t color) {
  plan.broadcast_everywhere(color);
  if (shape.mesh.tiles() == 1) return 0;
  return predicted_broadcast(shape.mesh.columns, shape.mesh.rows, shape.words);
}

/// The two centre ones of a number of columns or rows, the same one twice if there is only one.
base::Span centre(std::uint32_t size) {
  const std::uint32_t low = (size - 1) / 2;
  return {low, size > 1 ? low + 1 : low};
}

/// Two neighbours exchange their sums.
void exchange(CollectivePlan& plan, const Line& pair, std::uint8_t color) {
  if (pair[0] == pair[1]) return;
  for (std::uint32_t i = 0; i < 2; ++i) {
    const Port out = i == 0 ? pair.outward(0) : pair.inward(1);
    const auto mine = static_cast<std::uint8_t>(color + i);
    plan.routes().set(pair[i], mine, {Port::kRamp, out});
    plan.routes().set(pair[1 - i], mine, {facing(out), Port::kRamp});
    plan.send(pair[i], mine);
  }
  plan.add(pair[0], static_cast<std::uint8_t>(color + 1));
  plan.add(pair[1], color);
}

/// From a centre tile over its quarter of the mesh: along its column, and from there along all rows.
void broadcast_quarter(CollectivePlan& plan, Mesh mesh, base::Coordinate root, std::uint32_t edge_x,
                       std::uint32_t edge_y, std::uint8_t color) {
  const Port outward_x = edge_x < root.x ? Port::kWest : Port::kEast;
  const Port outward_y = edge_y < root.y ? Port::kNorth : Port::kSouth;
  const auto rising = [](std::uint32_t a, std::uint32_t b) {
    return base::Span{std::min(a, b), std::max(a, b) + 1};
  };
  const base::Span xs = rising(root.x, edge_x);
  const base::Span ys = rising(root.y, edge_y);
  for (std::uint32_t y = ys.begin; y < ys.end; ++y) {
    for (std::uint32_t x = xs.begin; x < xs.end; ++x) {
      const bool is_root = x == root.x && y == root.y;
      PortSet to;
      if (!is_root) to = Port::kRamp;
      if (x != edge_x) to = to | outward_x;
      if (x == root.x && y != edge_y) to = to | outward_y;
      if (to == PortSet()) continue;  // a quarter of one tile
      const Port from = is_root ? Port::kRamp : x == root.x ? facing(outward_y) : facing(outward_x);
      const std::uint32_t tile = mesh.tile(x, y);
      plan.routes().set(tile, color, {from, to});
      is_root ? plan.send(tile, color) : plan.take(tile, color);
    }
  }
}

Collective centre_allreduce(const CollectiveShape& shape) {
  const Mesh mesh = shape.mesh;
  CollectivePlan plan(CollectiveKind::kAllreduce, shape, "allreduce centre");
  plan.synchronise();
  if (mesh.tiles() == 1) plan.copy(0);
  const base::Span columns = centre(mesh.columns);
  const base::Span rows = centre(mesh.rows);
  for (std::uint32_t y = 0; y < mesh.rows; ++y) {
    plan.star(Line::row(mesh, y, columns.begin, 0), 0);
    if (columns.end != columns.begin) {
      plan.star(Line::row(mesh, y, columns.end, mesh.columns - 1), 0);
    }
  }
  for (const std::uint32_t x : {columns.begin, columns.end}) {
    plan.star(Line::column(mesh, x, rows.begin, 0), 1);
    if (rows.end != rows.begin) plan.star(Line::column(mesh, x, rows.end, mesh.rows - 1), 1);
    if (columns.begin == columns.end) break;
  }
  for (std::uint32_t y = rows.begin; y <= rows.end; ++y) {
    exchange(plan, Line(mesh, {mesh.tile(columns.begin, y), mesh.tile(columns.end, y)}), 2);
  }
  for (std::uint32_t x = columns.begin; x <= columns.end; ++x) {
    exchange(plan, Line(mesh, {mesh.tile(x, rows.begin), mesh.tile(x, rows.end)}), 4);
  }
  for (const bool south : {false, true}) {
    for (const bool east : {false, true}) {
      if ((south && rows.begin == rows.end) || (east && columns.begin == columns.end)) continue;
      broadcast_quarter(plan, mesh,
                        {east ? columns.end : columns.begin, south ? rows.end : rows.begin},
                        east ? mesh.columns - 1 : 0, south ? mesh.rows - 1 : 0, 6);
    }
  }
  return plan.build(shape.elements(), shape.elements());
}

}  // namespace

Collective send(const CollectiveShape& shape) {
  CollectivePlan plan(CollectiveKind::kSend, shape, "send");
  plan.synchronise();
  const std::uint32_t last = shape.mesh.columns - 1;
  if (last == 0) {
    plan.copy(0);
  } else {
    plan.routes().set(0, 0, {Port::kRamp, Port::kEast});
    for (std::uint32_t x = 1; x < last; ++x) plan.routes().set(x, 0, {Port::kWest, Port::kEast});
    plan.routes().set(last, 0, {Port::kWest, Port::kRamp});
    plan.send(0, 0);
    plan.take(last, 0);
  }
  Collective collective = plan.build(shape.elements(), shape.elements());
  collective.predicted = last == 0 ? 0 : shape.words + last + 5;
  return collective;
}

Collective broadcast(const CollectiveShape& shape) {
  CollectivePlan plan(CollectiveKind::kBroadcast, shape, "broadcast");
  plan.synchronise();
  const base::Cycles predicted = plan_broadcast(plan, shape, 0);
  plan.copy(0);
  Collective collective = plan.build(shape.elements(), shape.elements());
  collective.predicted = predicted;
  return collective;
}

Collective reduce(const CollectiveShape& shape, ReduceAlgorithm algorithm,
                  std::optional<std::uint32_t> group) {
  CollectivePlan plan(CollectiveKind::kReduce, shape, "reduce " + name_of(algorithm));
  plan.synchronise();
  const base::Cycles predicted = plan_reduce(plan, shape, algorithm, group);
  Collective collective = plan.build(shape.elements(), shape.elements());
  collective.predicted = predicted;
  return collective;
}

Collective allreduce(const CollectiveShape& shape, AllreduceAlgorithm algorithm,
                     ReduceAlgorithm reduction) {
  switch (algorithm) {
    case AllreduceAlgorithm::kRing:
      return ring_allreduce(shape);
    case AllreduceAlgorithm::kCentre:
      return centre_allreduce(shape);
    case AllreduceAlgorithm::kReduceBroadcast:
      break;
  }
  CollectivePlan plan(CollectiveKind::kAllreduce, shape,
                      "allreduce " + name_of(reduction) + " and broadcast");
  plan.synchronise();
  const base::Cycles reduced = plan_reduce(plan, shape, reduction, std::nullopt);
  const base::Cycles broadcasted = plan_broadcast(plan, shape, kBroadcastColor);
  Collective collective = plan.build(shape.elements(), shape.elements());
  collective.predicted = reduced + broadcasted;
  return collective;
}

Collective scatter(const CollectiveShape& shape) {
  CollectivePlan plan(CollectiveKind::kScatter, shape, "scatter");
  plan.synchronise();
  const Mesh mesh = shape.mesh;
  const std::uint32_t n = shape.elements();
  plan.scatter(Line::column(mesh, 0, 0, mesh.rows - 1), 0, mesh.columns * n);
  for (std::uint32_t y = 0; y < mesh.rows; ++y) {
    plan.scatter(Line::row(mesh, y, 0, mesh.columns - 1), 1, n);
  }
  plan.copy(0);
  return plan.build(mesh.tiles() * n, mesh.columns * n);
}

Collective gather(const CollectiveShape& shape) {
  CollectivePlan plan(CollectiveKind::kGather, shape, "gather");
  plan.synchronise();
  const Mesh mesh = shape.mesh;
  const std::uint32_t n = shape.elements();
  for (std::uint32_t y = 0; y < mesh.rows; ++y) {
    plan.copy(mesh.tile(0, y));
    plan.gather(Line::row(mesh, y, 0, mesh.columns - 1), 0, n);
  }
  plan.gather(Line::column(mesh, 0, 0, mesh.rows - 1), 1, mesh.columns * n);
  return plan.build(n, mesh.tiles() * n);
}

std::string name_of(ReduceAlgorithm algorithm) {
  switch (algorithm) {
    case ReduceAlgorithm::kStar:
      return "star";
    case ReduceAlgorithm::kChain:
      return "chain";
    case ReduceAlgorithm::kTree:
      return "tree";
    case ReduceAlgorithm::kTwoPhase:
      return "two-phase";
    case ReduceAlgorithm::kSnake:
      return "snake";
  }
  return {};
}

std::string name_of(AllreduceAlgorithm algorithm) {
  switch (algorithm) {
    case AllreduceAlgorithm::kReduceBroadcast:
      return "reduce-broadcast";
    case AllreduceAlgorithm::kRing:
      return "ring";
    case AllreduceAlgorithm::kCentre:
      return "centre";
  }
  return {};
}

}  // namespace wse::tiles
