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

/// The dies that hold none of `used`, ascending.
inline std::vector<std::uint32_t> dies_without(const std::vector<std::uint32_t>& used,
                                               const base::WaferGeometry& geometry) {
  std::vector<bool> is_used(geometry.dies(), false);
  for (const std::uint32_t die : used) is_used[die] = true;
  std::vector<std::uint32_t> dies;
  for (std::uint32_t die = 0; die < geometry.dies(); ++die) {
    if (!is_used[die]) dies.push_back(die);
  }
  return dies;
}

/// Arrays that no tile of a program reads or writes, to sockets of their own, which are made here.
template <class Sockets>
void bind_spare(Sockets& sockets, const std::vector<std::uint32_t>& dies,
                const std::vector<std::unique_ptr<memory::SramArray>>& srams) {
  sockets.init(dies.size());
  for (std::size_t i = 0; i < dies.size(); ++i) sockets[i].bind(srams[dies[i]]->target_socket);
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
