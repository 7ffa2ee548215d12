// SPDX-License-Identifier: Apache-2.0
// The rules of docs/timing.md for route tables.
#include <vector>

#include "wse/fabric/route_table.h"

namespace wse::fabric {
namespace {

std::string place(Mesh mesh, std::uint32_t tile, std::uint8_t color) {
  const base::Coordinate at = mesh.at(tile);
  return fmt::format("router ({}, {}), color {}", at.x, at.y, color);
}

class Checker {
 public:
  Checker(const RouteTable& table, base::ConfigErrors& errors, std::size_t limit)
      : table_(table), mesh_(table.mesh()), errors_(errors), left_(limit) {}

  void run() {
    for (std::uint32_t tile = 0; tile < mesh_.tiles(); ++tile) {
      for (std::uint8_t color = 0; color < kNumColors; ++color) {
        const ColorRoute* route = table_.find(tile, color);
        if (route != nullptr) check_route(tile, color, *route);
        if (left_ == 0) return;
      }
    }
    if (errors_.empty()) find_loops();
  }

 private:
  void add(std::uint32_t tile, std::uint8_t color, const std::string& value, const char* rule) {
    errors_.add(place(mesh_, tile, color), value, rule);
    if (left_ > 0) --left_;
  }

  void check_route(std::uint32_t tile, std::uint8_t color, const ColorRoute& route) {
    for (std::size_t p = 0; p < route.position_count; ++p) {
      const SwitchPosition& position = route.positions[p];
      if (position.inputs.empty() != position.outputs.empty()) {
        add(tile, color, fmt::format("position {}", p), "must have both inputs and outputs");
      }
    }
    const RampFilter& filter = route.filter;
    if (filter.kind != RampFilter::Kind::kNone && filter.first > filter.last) {
      add(tile, color, fmt::format("filter {}..{}", filter.first, filter.last),
          "must not end before it begins");
    }
    if (filter.kind == RampFilter::Kind::kCounter && filter.period == 0) {
      add(tile, color, "filter period 0", "must be at least 1");
    }
    for (const Port port : kPorts) {
      if (port != Port::kRamp) check_side(tile, color, route, port);
    }
  }

  void check_side(std::uint32_t tile, std::uint8_t color, const ColorRoute& route, Port port) {
    const bool out = route.outputs().contains(port);
    const bool in = route.inputs().contains(port);
    if (!out && !in) return;
    const std::uint32_t other = mesh_.neighbour(tile, port);
    const std::string side = fmt::format("{} {}", out ? "output" : "input", name_of(port));
    if (other == Mesh::kNone) {
      add(tile, color, side, "must not leave the mesh");
      return;
    }
    if (!out) return;  // an input that nobody feeds is idle, not wrong
    const ColorRoute* facing_route = table_.find(other, color);
    if (facing_route == nullptr || !facing_route->inputs().contains(facing(port))) {
      add(tile, color, side, "must face a neighbour that takes the color from that side");
    }
  }

  /// One loop a color is told; what it leads to is not looked at any more.
  void find_loops() {
    std::vector<std::uint8_t> seen(std::size_t{mesh_.tiles()} * kNumPorts);
    for (std::uint8_t color = 0; color < kNumColors && left_ > 0; ++color) {
      std::fill(seen.begin(), seen.end(), std::uint8_t{0});
      find_loop(color, seen);
    }
  }

  void find_loop(std::uint8_t color, std::vector<std::uint8_t>& seen) {
    for (std::uint32_t tile = 0; tile < mesh_.tiles(); ++tile) {
      const ColorRoute* route = table_.find(tile, color);
      if (route == nullptr) continue;
      for (const Port port : kPorts) {
        if (route->inputs().contains(port) && !walk(tile, port, color, seen)) return;
      }
    }
  }

  /// Depth first over (router, input) of a color, along the outputs of all switch positions. False
  /// if the way came back to itself.
  bool walk(std::uint32_t tile, Port port, std::uint8_t color, std::vector<std::uint8_t>& seen) {
    struct Step {
      std::uint32_t tile;
      Port input;
      unsigned output;  // next to follow
    };
    enum : std::uint8_t { kNew, kOnPath, kDone };
    const auto slot = [](std::uint32_t t, Port p) {
      return std::size_t{t} * kNumPorts + index_of(p);
    };
    if (seen[slot(tile, port)] != kNew) return true;
    std::vector<Step> path{{tile, port, 0}};
    seen[slot(tile, port)] = kOnPath;
    while (!path.empty()) {
      Step& step = path.back();
      if (step.output == index_of(Port::kRamp)) {
        seen[slot(step.tile, step.input)] = kDone;
        path.pop_back();
        continue;
      }
      const Port output = kPorts[step.output++];
      if (!table_.find(step.tile, color)->outputs_of(step.input).contains(output)) continue;
      const std::uint32_t other = mesh_.neighbour(step.tile, output);
      std::uint8_t& mark = seen[slot(other, facing(output))];
      if (mark == kOnPath) {
        add(step.tile, color, fmt::format("output {}", name_of(output)), "must not close a loop");
        return false;
      }
      if (mark == kNew) {
        mark = kOnPath;
        path.push_back({other, facing(output), 0});
      }
    }
    return true;
  }

  const RouteTable& table_;
  const Mesh mesh_;
  base::ConfigErrors& errors_;
  std::size_t left_;
};

}  // namespace

void check_routes(const RouteTable& table, base::ConfigErrors& errors, std::size_t limit) {
  Checker(table, errors, limit).run();
}

}  // namespace wse::fabric
