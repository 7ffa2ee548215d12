// SPDX-License-Identifier: Apache-2.0
#include "wse/model/kernel_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "wse/base/check.h"

namespace wse::model {

using base::Cycles;

namespace {

constexpr base::Picoseconds kWindow = 1'000'000'000;  // of activity: 1 ms

/// Checks the kernel before anything is built of it.
const tiles::Kernel& checked(const tiles::Kernel& kernel, const KernelMachineConfig& config) {
  base::ConfigErrors errors;
  config.mesh.validate(errors);
  errors.throw_if_any();
  tiles::check(kernel, config.mesh.sram.size_bytes, config.mesh.compute.cache_bytes);
  return kernel;
}

/// As they are given, or a grid.
std::vector<base::Rectangle> regions_of(fabric::Mesh mesh, const KernelMachineConfig& config) {
  if (!config.regions.empty()) return config.regions;
  const auto across =
      static_cast<std::uint32_t>(base::ceil_div(mesh.columns, config.region_columns));
  const auto down = static_cast<std::uint32_t>(base::ceil_div(mesh.rows, config.region_rows));
  std::vector<base::Rectangle> regions;
  for (std::uint32_t r = 0; r < down; ++r) {
    for (std::uint32_t c = 0; c < across; ++c) {
      regions.push_back(
          {{c * config.region_columns, std::min(mesh.columns, (c + 1) * config.region_columns)},
           {r * config.region_rows, std::min(mesh.rows, (r + 1) * config.region_rows)}});
    }
  }
  return regions;
}

std::uint64_t tiles_of_largest(const std::vector<base::Rectangle>& regions) {
  std::uint64_t most = 0;
  for (const base::Rectangle& region : regions) most = std::max(most, region.tiles());
  return most;
}

}  // namespace

KernelMachine::KernelMachine(const sc_core::sc_module_name& name, const tiles::Kernel& kernel,
                             const KernelMachineConfig& config)
    : sc_core::sc_module(name),
      kernel_(checked(kernel, config)),
      config_(config),
      epochs_(config.core_hz),
      ticker_("ticker", kWindow) {
  const fabric::Mesh mesh = kernel.mesh();
  layout_ = regions_of(mesh, config);
  region_of_tile_.resize(mesh.tiles());
  for (std::uint32_t r = 0; r < layout_.size(); ++r) {
    for (std::uint32_t y = layout_[r].rows.begin; y < layout_[r].rows.end; ++y) {
      for (std::uint32_t x = layout_[r].columns.begin; x < layout_[r].columns.end; ++x) {
        region_of_tile_[mesh.tile(x, y)] = r;
      }
    }
  }
  fabric::FabricLayout layout;
  layout.mesh = mesh;
  layout.regions = layout_;
  layout.dies = static_cast<std::uint32_t>(layout_.size());
  layout.die_of_tile = region_of_tile_;
  activity_.resize(layout_.size());
  fabric::EngineConfig fabric = config.mesh.fabric;
  fabric.receiver_depth = tiles::receiver_depths(kernel, config.mesh.compute);
  fabric_ = std::make_unique<fabric::CycleFabric>("fabric", kernel.routes, fabric, layout, epochs_,
                                                  ticker_, config.threads);
  const std::uint64_t most = tiles_of_largest(layout_);
  const std::uint64_t tile_bytes = config.mesh.sram.size_bytes;
  arena_ = std::make_unique<memory::SramArena>(layout.dies, most * tile_bytes, ~base::Bytes{0});
  host_socket_.init(layout_.size(), [](const char* socket, std::size_t) {
    return new tlm_utils::simple_initiator_socket<KernelMachine>(socket);
  });
  activity_socket_.register_b_transport(this, &KernelMachine::take_activity);
  fabric_->activity_socket.bind(activity_socket_);
  for (std::uint32_t i = 0; i < layout_.size(); ++i) {
    const sc_core::sc_time cycle = base::to_sc_time(epochs_.time_of(1));
    srams_.push_back(std::make_unique<memory::SramArray>(fmt::format("sram_{}", i).c_str(),
                                                         config.mesh.sram, i, layout_[i].tiles(),
                                                         arena_->view(i), cycle));
    tiles::CycleRegion::Place place;
    place.die = i;
    for (std::uint64_t core = 0; core < layout_[i].tiles(); ++core) place.cores.push_back(core);
    regions_.push_back(std::make_unique<tiles::CycleRegion>(fmt::format("region_{}", i).c_str(),
                                                            kernel, layout_[i], place, config.mesh,
                                                            epochs_, ticker_));
    tiles::CycleRegion& region = *regions_.back();
    region.ramp_out_socket.bind(fabric_->ramp_in_socket[i]);
    fabric_->ramp_out_socket[i].bind(region.ramp_in_socket);
    region.memory_socket.bind(srams_.back()->target_socket);
    region.activity_socket.bind(activity_socket_);
    srams_.back()->activity_socket.bind(activity_socket_);
    host_socket_[i].bind(srams_.back()->target_socket);
  }
}

void KernelMachine::take_activity(int /*id*/, tlm::tlm_generic_payload& trans,
                                  sc_core::sc_time& /*delay*/) {
  const auto* record = reinterpret_cast<const base::ActivityRecord*>(trans.get_data_ptr());
  for (std::size_t k = 0; k < base::kNumEventKinds; ++k) {
    activity_[record->die][k] += record->counts[k];
  }
  trans.set_response_status(tlm::TLM_OK_RESPONSE);
}

void KernelMachine::set_sram(base::Coordinate tile, memory::TileSram& sram) {
  const std::uint32_t region = region_of(tile);
  srams_[region]->set_twin(regions_[region]->index_of(tile), sram);
}

/// Sockets answer only when elaboration is complete.
void KernelMachine::elaborate() {
  if (sc_core::sc_get_status() < sc_core::SC_START_OF_SIMULATION) {
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
}

void KernelMachine::copy(tlm::tlm_command command, const base::Rectangle& tiles,
                         std::uint64_t address, std::uint8_t* data, std::size_t bytes) {
  const fabric::Mesh mesh = kernel_.mesh();
  if (tiles.columns.end > mesh.columns || tiles.rows.end > mesh.rows ||
      address + bytes > config_.mesh.sram.size_bytes) {
    throw std::out_of_range(fmt::format(
        "a copy of {} bytes at {} of tiles {}..{},{}..{}: the mesh has {} x {} tiles of {} bytes",
        bytes, address, tiles.columns.begin, tiles.columns.end - 1, tiles.rows.begin,
        tiles.rows.end - 1, mesh.columns, mesh.rows, config_.mesh.sram.size_bytes));
  }
  elaborate();
  for (std::uint32_t y = tiles.rows.begin; y < tiles.rows.end; ++y) {
    for (std::uint32_t x = tiles.columns.begin; x < tiles.columns.end; ++x) {
      const std::uint32_t region = region_of({x, y});
      tlm::tlm_generic_payload trans;
      trans.set_command(command);
      trans.set_address(regions_[region]->index_of({x, y}) * config_.mesh.sram.size_bytes +
                        address);
      trans.set_data_ptr(data);
      trans.set_data_length(static_cast<unsigned>(bytes));
      trans.set_streaming_width(static_cast<unsigned>(bytes));
      sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
      host_socket_[region]->b_transport(trans, delay);
      if (!trans.is_response_ok()) {
        throw std::runtime_error(fmt::format("a copy of {} bytes at {} of tile ({},{}): {}", bytes,
                                             address, x, y, trans.get_response_string()));
      }
      data += bytes;
    }
  }
}

void KernelMachine::copy_to(const base::Rectangle& tiles, std::uint64_t address, const void* data,
                            std::size_t bytes) {
  // The target of a write only reads what the pointer shows.
  copy(tlm::TLM_WRITE_COMMAND, tiles, address,
       const_cast<std::uint8_t*>(static_cast<const std::uint8_t*>(data)), bytes);
}

void KernelMachine::copy_from(const base::Rectangle& tiles, std::uint64_t address, void* data,
                              std::size_t bytes) {
  copy(tlm::TLM_READ_COMMAND, tiles, address, static_cast<std::uint8_t*>(data), bytes);
}

void KernelMachine::launch() {
  elaborate();
  for (tiles::EngineWatch* watch : watches_) {
    for (const auto& region : regions_) region->engines().add_watch(*watch);
  }
  watches_.clear();
  launched_ = next_launch();
  for (const auto& region : regions_) region->launch(launched_);
}

void KernelMachine::wait_for_end(const std::function<void()>& every_some_cycles) {
  constexpr Cycles kSome = 256;
  while (every_some_cycles && sc_core::sc_pending_activity()) {
    every_some_cycles();
    sc_core::sc_start(base::to_sc_time(epochs_.time_of(kSome)));
  }
  if (!every_some_cycles) sc_core::sc_start();
  std::vector<const tiles::ComputeEngines*> engines;
  for (const auto& region : regions_) engines.push_back(&region->engines());
  const std::string failure = tiles::explain_failure(engines, fabric_->core());
  if (!failure.empty()) throw tiles::KernelFailure(failure);
  const std::uint64_t window = ticker_.window_at(base::now());
  for (const auto& region : regions_) {
    region->report_window(window, base::now());
    region->finish();
  }
  fabric_->report_window(window, base::now());
}

Cycles KernelMachine::cycles() const { return tiles::cycles_of(stats()); }

tiles::ComputeEngines::TileTimes KernelMachine::times(base::Coordinate tile) const {
  const tiles::CycleRegion& region = *regions_[region_of(tile)];
  tiles::ComputeEngines::TileTimes times = region.engines().times(region.index_of(tile));
  if (times.begin == tiles::EngineStats::kNever) return times;
  times.begin -= launched_;
  times.end -= launched_;
  return times;
}

tiles::EngineStats KernelMachine::stats() const {
  tiles::EngineStats sum;
  for (const auto& region : regions_) sum += region->engines().stats();
  return sum;
}

}  // namespace wse::model
