// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "wse/base/geometry.h"
#include "wse/host/host.h"
#include "wse/memory/sram_array.h"
#include "wse/model/settings.h"
#include "wse/model/wafer.h"

namespace wse::model {

/// 0 .. n-1, or backwards.
template <class Number>
Number place(Number i, Number n, ConstructionOrder order) {
  return order == ConstructionOrder::kForward ? i : n - 1 - i;
}

/// An array a die; children of the module that is under construction.
inline std::vector<std::unique_ptr<memory::SramArray>> make_srams(
    const MachineConfig& machine, const base::WaferGeometry& geometry, memory::SramArena& arena,
    ConstructionOrder order) {
  const sc_core::sc_time cycle(1.0 / static_cast<double>(machine.core_hz), sc_core::SC_SEC);
  const std::uint32_t columns = machine.geometry.die_columns;
  std::vector<std::unique_ptr<memory::SramArray>> srams(geometry.dies());
  for (std::uint32_t i = 0; i < geometry.dies(); ++i) {
    const std::uint32_t die = place(i, geometry.dies(), order);
    srams[die] = std::make_unique<memory::SramArray>(
        fmt::format("sram_{}_{}", die % columns, die / columns).c_str(), machine.sram, die,
        geometry.tiles_per_die(), arena.view(die), cycle);
  }
  return srams;
}

/// The host's lanes and registers to a wafer; `edge` is the module with the wafer's ends of the lanes.
template <class Edge>
void bind_host(host::Host& host, power::PowerMonitor& monitor, Edge& edge, std::uint32_t lanes) {
  host.register_socket.bind(monitor.register_socket);
  for (std::uint32_t lane = 0; lane < lanes; ++lane) {
    host.lane_out_socket[lane].bind(edge.lane_in_socket[lane]);
    edge.lane_out_socket[lane].bind(host.lane_in_socket[lane]);
  }
}

}  // namespace wse::model
