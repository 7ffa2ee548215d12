// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/reference_fabric.h"

#include "wse/base/check.h"
#include "wse/fabric/router_setup.h"

namespace wse::fabric {

using base::Cycles;

std::unique_ptr<RouterModel> make_router(const RouteTable& routes, std::uint32_t tile,
                                         const EngineConfig& config) {
  return model_of(router_setup(routes, tile, config));
}

ReferenceFabric::ReferenceFabric(const RouteTable& routes, const EngineConfig& config)
    : mesh_(routes.mesh()),
      config_(config),
      sources_(std::size_t{mesh_.tiles()} * kNumColors, false),
      wires_(std::size_t{mesh_.tiles()} * kNumPorts),
      ramp_slots_(std::size_t{mesh_.tiles()} * kNumColors, 0) {
  for (std::uint32_t tile = 0; tile < mesh_.tiles(); ++tile) {
    for (std::uint8_t color = 0; color < kNumColors; ++color) {
      const ColorRoute* route = routes.find(tile, color);
      if (route == nullptr || !route->inputs().contains(Port::kRamp)) continue;
      sources_[leaf_of(tile, color)] = true;
      ramp_slots_[leaf_of(tile, color)] = config.ramp_slots();
    }
    auto router = make_router(routes, tile, config);
    models_.push_back(router.get());
    routers_.push_back(std::move(router));
  }
}

void ReferenceFabric::set_twin(std::uint32_t tile, std::unique_ptr<RouterTwin> twin) {
  routers_[tile] = std::move(twin);
  models_[tile] = nullptr;
}

std::uint32_t ReferenceFabric::source(std::uint32_t tile, std::uint8_t color) const {
  return sources_[leaf_of(tile, color)] ? leaf_of(tile, color) : kNoSource;
}

bool ReferenceFabric::inject(std::uint32_t source, const Wavelet& wavelet) {
  std::uint32_t& slots = ramp_slots_[source];
  if (slots == 0) return false;
  --slots;
  ++counts_.injected;
  wire_into(tile_of(source), Port::kRamp)
      .wavelets.emplace_back(now_ + config_.ramp_cycles - 1, wavelet);
  return true;
}

void ReferenceFabric::return_credit(std::uint32_t leaf) {
  wire_into(tile_of(leaf), Port::kRamp)
      .credits.emplace_back(now_ + config_.ramp_cycles - 1, std::uint32_t{1} << color_of(leaf));
}

void ReferenceFabric::send(std::uint32_t tile, const RouterPins& pins, EngineSink& sink) {
  for (const Port port : kPorts) {
    const LinkPins& link = pins.links[index_of(port)];
    const std::uint32_t credits = pins.credits[index_of(port)];
    if (port == Port::kRamp) {
      if (link.valid) {
        const Delivery delivery = Delivery::of(leaf_of(tile, link.wavelet.color), link.wavelet);
        sink.deliver(now_ + config_.ramp_cycles, &delivery, &delivery + 1);
        ++counts_.delivered;
      }
      for (std::uint8_t color = 0; color < kNumColors; ++color) {
        if ((credits >> color & 1) == 0) continue;
        const std::uint32_t leaf = leaf_of(tile, color);
        freed_ramp_slots_.emplace_back(now_ + config_.ramp_cycles, leaf);
        sink.free_slots(now_, &leaf, &leaf + 1);
      }
      continue;
    }
    const std::uint32_t other = mesh_.neighbour(tile, port);
    if (other == Mesh::kNone) continue;
    Wire& wire = wire_into(other, facing(port));
    const Cycles arrival = now_ + config_.hop_cycles - 1;
    if (link.valid) {
      wire.wavelets.emplace_back(arrival, link.wavelet);
      ++counts_.hops;
    }
    if (credits != 0) wire.credits.emplace_back(arrival, credits);
  }
}

RouterPins ReferenceFabric::receive(std::uint32_t tile) {
  RouterPins pins;
  for (const Port port : kPorts) {
    Wire& wire = wire_into(tile, port);
    if (!wire.wavelets.empty() && wire.wavelets.front().first == now_) {
      pins.links[index_of(port)] = {true, wire.wavelets.front().second};
      wire.wavelets.pop_front();
    }
    while (!wire.credits.empty() && wire.credits.front().first == now_) {
      pins.credits[index_of(port)] |= wire.credits.front().second;
      wire.credits.pop_front();
    }
  }
  return pins;
}

void ReferenceFabric::step(EngineSink& sink) {
  for (std::uint32_t tile = 0; tile < mesh_.tiles(); ++tile) {
    send(tile, routers_[tile]->outputs(), sink);
  }
  for (std::uint32_t tile = 0; tile < mesh_.tiles(); ++tile) routers_[tile]->clock(receive(tile));
  ++now_;
  while (!freed_ramp_slots_.empty() && freed_ramp_slots_.front().first <= now_) {
    ++ramp_slots_[freed_ramp_slots_.front().second];
    freed_ramp_slots_.pop_front();
  }
}

bool ReferenceFabric::can_move() const {
  if (!freed_ramp_slots_.empty()) return true;
  for (const Wire& wire : wires_) {
    if (!wire.wavelets.empty() || !wire.credits.empty()) return true;
  }
  for (const RouterModel* model : models_) {
    if (model == nullptr || !model->blocked()) return true;
  }
  return false;
}

EngineCounts ReferenceFabric::counts() const {
  EngineCounts counts = counts_;
  for (const RouterModel* model : models_) {
    if (model != nullptr) counts.filtered += model->filtered();
  }
  return counts;
}

std::uint64_t ReferenceFabric::held() const {
  std::uint64_t sum = 0;
  for (const RouterModel* model : models_) sum += model != nullptr ? model->held() : 0;
  for (const Wire& wire : wires_) sum += wire.wavelets.size();
  return sum;
}

}  // namespace wse::fabric
