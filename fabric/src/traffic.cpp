// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/traffic.h"

#include <algorithm>

#include "wse/base/units.h"

namespace wse::fabric {
namespace {

using Coordinate = base::Coordinate;

/// The directions of a halo, in their turn.
constexpr std::array<Port, 4> kTurns{Port::kEast, Port::kNorth, Port::kWest, Port::kSouth};

/// Tiles between a tile and the edge in a direction.
std::uint32_t room(Mesh mesh, Coordinate at, Port port) {
  switch (port) {
    case Port::kNorth:
      return at.y;
    case Port::kEast:
      return mesh.columns - 1 - at.x;
    case Port::kSouth:
      return mesh.rows - 1 - at.y;
    case Port::kWest:
      return at.x;
    case Port::kRamp:
      break;
  }
  return 0;
}

std::uint32_t along(Coordinate at, Port port) {
  return port == Port::kEast || port == Port::kWest ? at.x : at.y;
}

/// Every tile sends to the tiles 1 .. reach further on in a direction, all of them (`multicast`) or
/// the last only; reach + 1 colors from `first` on keep neighbours apart.
void add_directional(RouteTable& table, Port port, std::uint32_t reach, bool multicast,
                     std::uint8_t first) {
  const Mesh mesh = table.mesh();
  const std::uint32_t colors = reach + 1;
  for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
    const Coordinate at = mesh.at(tile);
    const std::uint32_t ahead = room(mesh, at, port);
    const std::uint32_t behind = room(mesh, at, facing(port));
    const auto color = [&](std::uint32_t distance) {
      // The color of the tile that lies `distance` behind.
      const bool grows = port == Port::kEast || port == Port::kSouth;
      const std::uint32_t position = along(at, port);
      const std::uint32_t sender = grows ? position - distance : position + distance;
      return static_cast<std::uint8_t>(first + sender % colors);
    };
    if (multicast ? ahead > 0 : ahead >= reach) table.set(tile, color(0), {Port::kRamp, port});
    for (std::uint32_t d = 1; d <= std::min(reach, behind); ++d) {
      const bool ends = d == reach || ahead == 0;
      if (!multicast && d + ahead < reach) continue;  // the sender has no destination
      const PortSet on = ends        ? PortSet(Port::kRamp)
                         : multicast ? port | Port::kRamp
                                     : PortSet(port);
      table.set(tile, color(d), {facing(port), on});
    }
  }
}

/// The first tile of every row or column sends to all others of it.
void add_broadcast(RouteTable& table, Port port) {
  const Mesh mesh = table.mesh();
  for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
    const Coordinate at = mesh.at(tile);
    const bool last = room(mesh, at, port) == 0;
    const bool first = room(mesh, at, facing(port)) == 0;
    if (first && last) continue;
    const PortSet on = last ? PortSet(Port::kRamp) : port | Port::kRamp;
    table.set(tile, 0, first ? ColorRoute(Port::kRamp, port) : ColorRoute(facing(port), on));
  }
}

/// All tiles send to one tile: along the rows to its column, then along the column. With `rows_only`
/// every row has a target of its own.
void add_gather(RouteTable& table, Coordinate target, bool rows_only) {
  const Mesh mesh = table.mesh();
  for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
    const Coordinate at = mesh.at(tile);
    const bool in_column = at.x == target.x;
    const bool home = in_column && (rows_only || at.y == target.y);
    PortSet inputs;
    if (!home) inputs = inputs | Port::kRamp;
    if (at.x <= target.x && at.x > 0) inputs = inputs | Port::kWest;
    if (at.x >= target.x && at.x + 1 < mesh.columns) inputs = inputs | Port::kEast;
    if (in_column && !rows_only) {
      if (at.y <= target.y && at.y > 0) inputs = inputs | Port::kNorth;
      if (at.y >= target.y && at.y + 1 < mesh.rows) inputs = inputs | Port::kSouth;
    }
    const Port on = home              ? Port::kRamp
                    : at.x < target.x ? Port::kEast
                    : at.x > target.x ? Port::kWest
                    : at.y < target.y ? Port::kSouth
                                      : Port::kNorth;
    if (!inputs.empty()) table.set(tile, 0, {inputs, on});
  }
}

Coordinate centre(Mesh mesh) { return {mesh.columns / 2, mesh.rows / 2}; }

}  // namespace

const std::vector<PatternInfo>& patterns() {
  static const std::vector<PatternInfo> kPatterns{
      {Pattern::kNeighbor, "neighbor", "to the next tile in the east", true, true},
      {Pattern::kShift, "shift", "to the tile --distance further east", true, true},
      {Pattern::kRowBroadcast, "row-broadcast", "from column 0 to all tiles of the row", true,
       false},
      {Pattern::kColumnBroadcast, "column-broadcast", "from row 0 to all tiles of the column", true,
       false},
      {Pattern::kHalo, "halo", "to the next --radius tiles in the east, north, west, south in turn",
       true, false},
      {Pattern::kAllToEdge, "all-to-edge", "to the west end of the row", true, true},
      {Pattern::kHotspot, "hotspot", "to the tile in the centre", true, true},
      {Pattern::kUniform, "uniform", "to any other tile", false, true},
      {Pattern::kTranspose, "transpose", "from (x, y) to (y, x)", false, true},
      {Pattern::kTornado, "tornado", "to the tile almost half the columns further east", false,
       true},
      {Pattern::kBitComplement, "bit-complement", "to the tile opposite the centre", false, true},
      {Pattern::kRoutes, "routes", "as a file of routes and sources says, see --routes", true,
       false}};
  return kPatterns;
}

const PatternInfo& info_of(Pattern pattern) {
  return patterns()[static_cast<std::size_t>(pattern)];
}

void TrafficConfig::validate(base::ConfigErrors& errors) const {
  const std::string size = fmt::format("{}x{}", mesh.columns, mesh.rows);
  errors.require(mesh.columns >= 1 && mesh.rows >= 1 && mesh.columns <= 4096 && mesh.rows <= 4096,
                 "--mesh", size, "must be 1 .. 4096 columns and rows");
  errors.require(rate > 0 && rate <= 1, "--rate", rate,
                 "must be greater than 0 and at most 1 wavelet a tile and cycle");
  errors.require(cycles >= 1 && cycles <= 1'000'000'000, "--cycles", cycles, "must be 1 .. 1e9");
  errors.require(packet >= 1 && packet <= 1'000'000, "--packet", packet, "must be 1 .. 1000000");
  const PatternInfo& info = info_of(pattern);
  errors.require(routing == Routing::kColor ? info.color : info.xy, "--pattern", info.name,
                 routing == Routing::kColor ? "needs --routing xy" : "needs --routing color");
  errors.require((pattern == Pattern::kRoutes) == (own != nullptr), "--pattern", info.name,
                 own == nullptr ? "needs --routes FILE" : "must not be given with --routes");
  const auto last = static_cast<std::uint32_t>(kNumColors) - 1;
  if (pattern == Pattern::kShift) {
    errors.require(
        distance >= 1 && (routing == Routing::kXy || distance <= last), "--distance", distance,
        fmt::format("must be 1 .. {}: a shift by K takes K + 1 of {} colors", last, kNumColors));
  }
  if (pattern == Pattern::kHalo) {
    errors.require(radius >= 1 && radius < kNumColors / 4, "--radius", radius,
                   fmt::format("must be 1 .. {}: a halo takes 4 (radius + 1) of {} colors",
                               kNumColors / 4 - 1, kNumColors));
  }
}

Traffic::Traffic(const TrafficConfig& config) : config_(config) {
  for (std::uint32_t tile = 0; tile < config.mesh.tiles(); ++tile) {
    if (sends(tile)) senders_.push_back(tile);
  }
  if (senders_.empty()) {
    throw base::ConfigError(
        "--mesh", fmt::format("{}x{}", config.mesh.columns, config.mesh.rows),
        "has no tile with a destination in the pattern " + info_of(config.pattern).name);
  }
}

bool Traffic::sends(std::uint32_t tile) const {
  const Coordinate at = config_.mesh.at(tile);
  switch (config_.pattern) {
    case Pattern::kRowBroadcast:
      return at.x == 0 && config_.mesh.columns > 1;
    case Pattern::kColumnBroadcast:
      return at.y == 0 && config_.mesh.rows > 1;
    case Pattern::kHalo:
    case Pattern::kUniform:
      return config_.mesh.tiles() > 1;
    case Pattern::kRoutes:
      return own_sources(tile).size() > 0;
    case Pattern::kNeighbor:
    case Pattern::kShift:
    case Pattern::kAllToEdge:
    case Pattern::kHotspot:
    case Pattern::kTranspose:
    case Pattern::kTornado:
    case Pattern::kBitComplement:
      break;
  }
  return fixed_destination(tile) != kNobody;
}

/// Of the patterns in which a tile always sends to the same one.
std::uint32_t Traffic::fixed_destination(std::uint32_t tile) const {
  const Mesh mesh = config_.mesh;
  const Coordinate at = mesh.at(tile);
  Coordinate to = at;
  switch (config_.pattern) {
    case Pattern::kNeighbor:
      to.x = at.x + 1;
      break;
    case Pattern::kShift:
      to.x = at.x + std::min(config_.distance, mesh.columns);
      break;
    case Pattern::kTornado:
      to.x = at.x + (mesh.columns + 1) / 2 - 1;
      break;
    case Pattern::kAllToEdge:
      to.x = 0;
      break;
    case Pattern::kHotspot:
      to = centre(mesh);
      break;
    case Pattern::kTranspose:
      to = {at.y, at.x};
      break;
    case Pattern::kBitComplement:
      to = {mesh.columns - 1 - at.x, mesh.rows - 1 - at.y};
      break;
    case Pattern::kRowBroadcast:
    case Pattern::kColumnBroadcast:
    case Pattern::kHalo:
    case Pattern::kUniform:
    case Pattern::kRoutes:
      break;
  }
  return to == at || !mesh.contains(to.x, to.y) ? kNobody : mesh.tile(to.x, to.y);
}

std::uint32_t Traffic::target(std::uint32_t sender, std::uint32_t n, std::uint64_t dice) const {
  const Mesh mesh = config_.mesh;
  if (config_.pattern == Pattern::kUniform) {
    const auto others = std::uint64_t{mesh.tiles()} - 1;
    const auto other = static_cast<std::uint32_t>(base::mul_div(dice >> 32, others, 1ULL << 32));
    return other + (other >= sender ? 1 : 0);
  }
  if (config_.routing == Routing::kXy) return fixed_destination(sender);
  if (config_.pattern == Pattern::kRoutes) {
    return config_.own->sources[own_sources(sender).begin + n % turns(sender)].color;
  }
  const Coordinate at = mesh.at(sender);
  switch (config_.pattern) {
    case Pattern::kNeighbor:
      return at.x % 2;
    case Pattern::kShift:
      return at.x % (config_.distance + 1);
    case Pattern::kHalo: {
      const Port port = kTurns[n % 4];
      if (room(mesh, at, port) == 0) return kNobody;
      const std::uint32_t colors = config_.radius + 1;
      return n % 4 * colors + along(at, port) % colors;
    }
    case Pattern::kRowBroadcast:
    case Pattern::kColumnBroadcast:
    case Pattern::kAllToEdge:
    case Pattern::kHotspot:
    case Pattern::kUniform:
    case Pattern::kTranspose:
    case Pattern::kTornado:
    case Pattern::kBitComplement:
    case Pattern::kRoutes:
      break;
  }
  return 0;
}

bool Traffic::advances(std::uint32_t sender, std::uint32_t n) const {
  return config_.pattern == Pattern::kRoutes &&
         config_.own->sources[own_sources(sender).begin + n % turns(sender)].advance;
}

std::uint32_t Traffic::turns(std::uint32_t sender) const {
  if (config_.pattern == Pattern::kRoutes) return own_sources(sender).size();
  return config_.pattern == Pattern::kHalo ? static_cast<std::uint32_t>(kTurns.size()) : 1;
}

/// Of a tile, as indices of the list.
base::Span Traffic::own_sources(std::uint32_t tile) const {
  const std::vector<OwnRoutes::Source>& all = config_.own->sources;
  const auto before = [](const OwnRoutes::Source& source, std::uint32_t t) {
    return source.tile < t;
  };
  const auto first = std::lower_bound(all.begin(), all.end(), tile, before);
  const auto end = std::lower_bound(first, all.end(), tile + 1, before);
  return {static_cast<std::uint32_t>(first - all.begin()),
          static_cast<std::uint32_t>(end - all.begin())};
}

RouteTable Traffic::routes() const {
  if (config_.pattern == Pattern::kRoutes) return config_.own->routes;
  RouteTable table(config_.mesh);
  switch (config_.pattern) {
    case Pattern::kNeighbor:
      add_directional(table, Port::kEast, 1, false, 0);
      break;
    case Pattern::kShift:
      add_directional(table, Port::kEast, config_.distance, false, 0);
      break;
    case Pattern::kHalo:
      for (std::size_t turn = 0; turn < kTurns.size(); ++turn) {
        add_directional(table, kTurns[turn], config_.radius, true,
                        static_cast<std::uint8_t>(turn * (config_.radius + 1)));
      }
      break;
    case Pattern::kRowBroadcast:
      add_broadcast(table, Port::kEast);
      break;
    case Pattern::kColumnBroadcast:
      add_broadcast(table, Port::kSouth);
      break;
    case Pattern::kAllToEdge:
      add_gather(table, {0, 0}, true);
      break;
    case Pattern::kHotspot:
      add_gather(table, centre(config_.mesh), false);
      break;
    case Pattern::kUniform:
    case Pattern::kTranspose:
    case Pattern::kTornado:
    case Pattern::kBitComplement:
    case Pattern::kRoutes:
      break;  // xy routing only
  }
  return table;
}

}  // namespace wse::fabric
