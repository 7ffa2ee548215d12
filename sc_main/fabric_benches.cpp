// SPDX-License-Identifier: Apache-2.0
#include "fabric_benches.h"

#include <tlm_utils/simple_target_socket.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "twin_bench.h"
#include "wse/base/config_errors.h"
#include "wse/base/host_usage.h"
#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/cycle_fabric.h"
#include "wse/fabric/latency_stats.h"
#include "wse/fabric/noc_run.h"
#include "wse/fabric/traffic_region.h"
#include "wse/tiles/program_builder.h"
#include "wse/tiles/tile_mesh.h"

namespace wse::cli {
namespace {

using fabric::Port;
using json = nlohmann::ordered_json;

constexpr fabric::Mesh kWafer{750, 994};

json result(std::uint64_t hops, std::uint64_t cycles) {
  const base::HostUsage host = base::host_usage();
  return {{"wavelet_hops", hops},
          {"cycles", cycles},
          {"host_cpu_seconds", host.cpu_seconds},
          {"hops_per_cpu_second", static_cast<double>(hops) / host.cpu_seconds},
          {"cycles_per_cpu_second", static_cast<double>(cycles) / host.cpu_seconds},
          {"max_rss_bytes", host.max_rss_bytes}};
}

/// A straight stream from a tile over `length` hops.
void add_stream(fabric::RouteTable& routes, std::uint32_t tile, Port port, std::uint32_t length,
                std::uint8_t color) {
  routes.set(tile, color, {Port::kRamp, port});
  for (std::uint32_t i = 1; i <= length; ++i) {
    tile = kWafer.neighbour(tile, port);
    routes.set(tile, color, {facing(port), i == length ? Port::kRamp : port});
  }
}

/// 4,000 streams at full rate: two in every row, three in most columns.
json measure_streams() {
  fabric::RouteTable routes(kWafer);
  std::vector<std::pair<std::uint32_t, std::uint8_t>> sources;
  const std::uint32_t row_streams = 2 * kWafer.rows;
  for (std::uint32_t i = 0; i < 4000; ++i) {
    const bool row = i < row_streams;
    const std::uint32_t n = row ? i : i - row_streams;
    const std::uint32_t parts = row ? 2 : 3;
    const std::uint32_t extent = row ? kWafer.columns : kWafer.rows;
    const base::Span span = base::split(extent, parts, n % parts);
    const std::uint32_t line = n / parts;
    const std::uint32_t tile = row ? kWafer.tile(span.begin, line) : kWafer.tile(line, span.begin);
    const auto color = static_cast<std::uint8_t>(row ? 0 : 1);
    add_stream(routes, tile, row ? Port::kEast : Port::kSouth, span.size() - 1, color);
    sources.emplace_back(tile, color);
  }
  fabric::ChannelFabric fabric(std::move(routes), {});
  for (auto& [source, color] : sources) source = fabric.source(source, color);
  fabric::LatencyStats stats;
  while (fabric.now() < 1000) {
    for (const auto& [source, color] : sources) {
      (void)fabric.inject(source, {static_cast<std::uint32_t>(fabric.now()), color, false, false});
    }
    fabric.step(stats);
  }
  return result(fabric.counts().hops, fabric.now());
}

/// One wavelet over every router, row by row.
json measure_walk() {
  fabric::RouteTable routes(kWafer);
  for (std::uint32_t tile = 0; tile < kWafer.tiles(); ++tile) {
    const base::Coordinate at = kWafer.at(tile);
    const bool east = at.y % 2 == 0;
    const bool first = at.x == (east ? 0 : kWafer.columns - 1);
    const bool last = at.x == (east ? kWafer.columns - 1 : 0);
    const Port in =
        first ? (at.y == 0 ? Port::kRamp : Port::kNorth) : (east ? Port::kWest : Port::kEast);
    const Port out = last ? (at.y + 1 == kWafer.rows ? Port::kRamp : Port::kSouth)
                          : (east ? Port::kEast : Port::kWest);
    routes.set(tile, 0, {in, out});
  }
  fabric::ChannelFabric fabric(std::move(routes), {});
  fabric::LatencyStats stats;
  const double before = base::host_usage().cpu_seconds;
  (void)fabric.inject(fabric.source(0, 0), {0, 0, false, false});
  while (fabric.can_move()) fabric.step(stats);
  json object = result(fabric.counts().hops, fabric.now());
  const double walking = base::host_usage().cpu_seconds - before;
  object["walk_cpu_seconds"] = walking;
  object["cycles_per_cpu_second"] = static_cast<double>(fabric.now()) / walking;
  return object;
}

/// Eight colors routed through every tile of the wafer: broadcasts from all four edges, twice.
json measure_elaborate() {
  const base::Stopwatch stopwatch;
  fabric::RouteTable routes(kWafer);
  for (std::uint8_t color = 0; color < 8; ++color) {
    const Port port = fabric::kPorts[color % 4];
    for (std::uint32_t tile = 0; tile < kWafer.tiles(); ++tile) {
      const bool first = kWafer.neighbour(tile, facing(port)) == fabric::Mesh::kNone;
      const bool last = kWafer.neighbour(tile, port) == fabric::Mesh::kNone;
      const fabric::PortSet on = last ? fabric::PortSet(Port::kRamp) : port | Port::kRamp;
      routes.set(
          tile, color,
          first ? fabric::ColorRoute(Port::kRamp, port) : fabric::ColorRoute(facing(port), on));
    }
  }
  const fabric::ChannelFabric fabric(std::move(routes), {});
  json object = result(0, 0);
  object["elaboration_seconds"] = stopwatch.seconds();
  object["state_bytes_per_tile"] = static_cast<double>(fabric.bytes()) / kWafer.tiles();
  return object;
}

fabric::TrafficConfig socket_traffic() {
  fabric::TrafficConfig traffic;
  traffic.mesh = {64, 64};
  traffic.pattern = fabric::Pattern::kShift;
  traffic.distance = 16;
  traffic.rate = 0.05;
  traffic.cycles = 20'000;
  return traffic;
}

json measure_core() {
  fabric::NocConfig config;
  config.traffic = socket_traffic();
  const fabric::NocResult r = fabric::run_noc(config);
  json object = result(r.hops, r.cycles);
  object["result_hash"] = r.result_hash;
  return object;
}

/// The same traffic from four regions through ramp sockets.
json measure_sockets() {
  const fabric::Traffic traffic(socket_traffic());
  const fabric::Mesh mesh = traffic.config().mesh;
  const base::ClockEpochs epochs(1'000'000'000);
  const base::WindowTicker ticker("ticker", 1'000'000'000);
  fabric::FabricLayout layout;
  layout.mesh = mesh;
  for (std::uint32_t i = 0; i < 4; ++i) {
    layout.regions.push_back(
        {base::split(mesh.columns, 2, i % 2), base::split(mesh.rows, 2, i / 2)});
  }
  struct Monitor : sc_core::sc_module {
    tlm_utils::simple_target_socket<Monitor> socket{"socket"};
    explicit Monitor(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {}
  } monitor("monitor");
  fabric::CycleFabric fabric("fabric", traffic.routes(), {}, layout, epochs, ticker);
  fabric.activity_socket.bind(monitor.socket);
  std::vector<std::unique_ptr<fabric::TrafficRegion>> regions;
  for (std::uint32_t r = 0; r < 4; ++r) {
    regions.push_back(std::make_unique<fabric::TrafficRegion>(sc_core::sc_gen_unique_name("region"),
                                                              traffic, layout.regions[r],
                                                              fabric::EngineConfig{}, epochs));
    regions[r]->ramp_out_socket.bind(fabric.ramp_in_socket[r]);
    fabric.ramp_out_socket[r].bind(regions[r]->ramp_in_socket);
  }
  sc_core::sc_start();
  std::uint64_t delivered = 0;
  base::Cycles last = 0;
  for (const auto& region : regions) {
    delivered += region->stats().delivered();
    last = std::max(last, region->stats().last_cycle());
  }
  json object = result(fabric.core().counts().hops, last + 1);
  object["delivered"] = delivered;
  return object;
}

/// Multiply-adds of fp32 on tiles that neither send nor receive.
json measure_compute() {
  using tiles::ProgramBuilder;
  constexpr std::uint32_t kElements = 256;
  tiles::Kernel kernel({64, 64});
  ProgramBuilder p("multiply-adds");
  const tiles::Array x = p.array("x", kElements);
  p.array("apart", 4);  // in other banks than x
  const tiles::Array y = p.array("y", kElements);
  p.task("compute").active = true;
  for (int i = 0; i < 60; ++i) {
    p.vector(tiles::VectorOp::kFma, tiles::DataType::kFp32, p.all(y), p.all(x),
             ProgramBuilder::number(0.5F), p.all(y), ProgramBuilder::integer(kElements));
  }
  p.end();
  const std::uint16_t program = kernel.add(p.build());
  for (std::uint16_t& tile : kernel.program_of) tile = program;
  tiles::TileMesh mesh(kernel, {});
  mesh.run();
  const double cpu = base::host_usage().cpu_seconds;
  const tiles::EngineStats stats = mesh.engines().stats();
  return {{"tile_cycles", stats.busy_cycles},
          {"elements", stats.elements},
          {"cycles", mesh.cycles()},
          {"host_cpu_seconds", cpu},
          {"tile_cycles_per_cpu_second", static_cast<double>(stats.busy_cycles) / cpu},
          {"elements_per_cpu_second", static_cast<double>(stats.elements) / cpu}};
}

}  // namespace

json measure_fabric(const std::string& name) {
  if (name == "streams") return measure_streams();
  if (name == "walk") return measure_walk();
  if (name == "elaborate") return measure_elaborate();
  if (name == "core") return measure_core();
  if (name == "sockets") return measure_sockets();
  if (name == "compute") return measure_compute();
  if (name == "twin") return measure_twin();
  throw base::ConfigError("--measure", name,
                          "must be streams, walk, elaborate, core, sockets, compute or twin");
}

}  // namespace wse::cli
