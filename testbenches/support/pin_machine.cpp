// SPDX-License-Identifier: Apache-2.0
#include "support/pin_machine.h"

#include <fmt/format.h>

namespace wse::testing_support {

void TextWatch::see(base::Cycles cycle, const std::vector<fabric::QueueFill>&,
                    const std::vector<fabric::LinkEvent>& events) {
  for (const fabric::LinkEvent& e : events) {
    text += fmt::format("{} {} {}{} {} {:08x} {}{}\n", cycle, e.tile, name_of(e.port),
                        e.given ? " given" : "", e.wavelet.color, e.wavelet.data,
                        int{e.wavelet.control}, int{e.wavelet.advance});
    deliveries += e.port == fabric::Port::kRamp && !e.given ? 1 : 0;
  }
}

PinMachine::PinMachine(const sc_core::sc_module_name& name, const tiles::Kernel& kernel,
                       const tiles::MeshConfig& config, const PinMachineOptions& options)
    : sc_core::sc_module(name),
      watch(kernel.mesh()),
      epochs(options.hz),
      ticker("ticker", options.window),
      kernel_(kernel),
      config_(config),
      options_(options),
      arena_(1, kernel.mesh().tiles() * config.sram.size_bytes, ~base::Bytes{0}) {
  activity_socket_.register_b_transport(this, &PinMachine::take_activity);
  if (!options.reversed) make_fabric();
  const std::uint32_t tiles = kernel.mesh().tiles();
  for (std::uint32_t i = 0; i < tiles; ++i) make_tile(options.reversed ? tiles - 1 - i : i);
  if (options.reversed) make_fabric();
  bind();
}

void PinMachine::launch(base::Cycles cycle) {
  for (auto& [tile, region] : regions_) region->launch(cycle);
  for (auto& [tile, place] : places) place->bridge->launch(cycle);
}

const tiles::ComputeEngines& PinMachine::engines(std::uint32_t tile) const {
  const auto place = places.find(tile);
  return place == places.end() ? regions_.at(tile)->engines() : place->second->tile->engines();
}

std::string PinMachine::results() {
  std::string text = watch.text;
  for (std::uint32_t tile = 0; tile < kernel_.mesh().tiles(); ++tile) {
    const tiles::ComputeEngines& e = engines(tile);
    const tiles::ComputeEngines::TileTimes& times = e.times(0);
    text += fmt::format("tile {} {}..{} {}", tile, times.begin, times.end, times.busy);
    for (std::uint32_t k = 0; k < tiles::kNumRegisters; ++k) {
      text += fmt::format(" {:x}", e.register_of(0, k));
    }
    for (const tiles::TileFault& f : e.faults()) text += fmt::format(" {} {}", f.cycle, f.what);
    text += "\n";
    text.append(reinterpret_cast<const char*>(memory(tile)), config_.sram.size_bytes);
  }
  return text +
         fmt::format("held {} hops {}\n", routers->core().held(), routers->core().counts().hops);
}

base::Cycles PinMachine::cycles() const {
  tiles::EngineStats sum;
  for (std::uint32_t tile = 0; tile < kernel_.mesh().tiles(); ++tile) sum += engines(tile).stats();
  return tiles::cycles_of(sum);
}

void PinMachine::make_fabric() {
  const fabric::Mesh mesh = kernel_.mesh();
  fabric::FabricLayout layout;
  layout.mesh = mesh;
  for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
    layout.regions.push_back(rectangle(tile));
  }
  layout.die_of_tile.assign(mesh.tiles(), 0);
  layout.dies = 1;
  fabric::EngineConfig engine = config_.fabric;
  engine.receiver_depth = tiles::receiver_depths(kernel_, config_.compute);
  routers = std::make_unique<fabric::CycleFabric>("fabric", kernel_.routes, engine, layout, epochs,
                                                  ticker);
  routers->set_watch(watch);
}

base::Rectangle PinMachine::rectangle(std::uint32_t tile) const {
  const base::Coordinate at = kernel_.mesh().at(tile);
  return {{at.x, at.x + 1}, {at.y, at.y + 1}};
}

void PinMachine::make_tile(std::uint32_t tile) {
  const std::string name = fmt::format("tile_{}", tile);
  if (options_.pin_tiles.count(tile) == 0) {
    regions_[tile] = std::make_unique<tiles::CycleRegion>(name.c_str(), kernel_, rectangle(tile),
                                                          tiles::CycleRegion::Place{0, {tile}},
                                                          config_, epochs, ticker);
    return;
  }
  auto place = std::make_unique<PinPlace>(name);
  const base::Coordinate at = kernel_.mesh().at(tile);
  const auto make_bridge = [&] {
    place->bridge = std::make_unique<cosim::RampPinBridge>(
        (name + "_bridge").c_str(), cosim::RampPinConfig::of(kernel_.routes, at, config_.fabric),
        epochs, ticker);
  };
  if (!options_.reversed) make_bridge();
  place->tile = std::make_unique<PinTile>(name.c_str(), kernel_, at, config_, memory(tile),
                                          options_.always_busy);
  if (options_.reversed) make_bridge();
  connect(*place);
  places[tile] = std::move(place);
}

void PinMachine::connect(PinPlace& p) {
  p.bridge->clk(p.clk);
  p.bridge->start(p.start);
  p.bridge->cycle(p.cycle);
  p.bridge->busy(p.busy);
  p.bridge->to_tile.bind(p.down);
  p.bridge->to_router.bind(p.up);
  p.tile->clk(p.clk);
  p.tile->start(p.start);
  p.tile->cycle(p.cycle);
  p.tile->busy(p.busy);
  p.tile->from_router.bind(p.down);
  p.tile->to_router.bind(p.up);
}

void PinMachine::bind() {
  sram_ = std::make_unique<memory::SramArray>("sram", config_.sram, 0, kernel_.mesh().tiles(),
                                              arena_.view(0), sc_core::sc_time(1, sc_core::SC_NS));
  sram_->activity_socket.bind(activity_socket_);
  routers->activity_socket.bind(activity_socket_);
  host_socket_.bind(sram_->target_socket);
  for (auto& [tile, region] : regions_) {
    region->ramp_out_socket.bind(routers->ramp_in_socket[tile]);
    routers->ramp_out_socket[tile].bind(region->ramp_in_socket);
    region->memory_socket.bind(sram_->target_socket);
    region->activity_socket.bind(activity_socket_);
  }
  for (auto& [tile, place] : places) {
    place->bridge->ramp_out_socket.bind(routers->ramp_in_socket[tile]);
    routers->ramp_out_socket[tile].bind(place->bridge->ramp_in_socket);
  }
}

void PinMachine::take_activity(int, tlm::tlm_generic_payload& trans, sc_core::sc_time&) {
  trans.set_response_status(tlm::TLM_OK_RESPONSE);
}

}  // namespace wse::testing_support
