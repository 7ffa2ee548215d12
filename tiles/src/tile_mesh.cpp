// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/tile_mesh.h"

#include <algorithm>
#include <cstring>

#include "wse/base/check.h"
#include "wse/fabric/deadlock.h"

namespace wse::tiles {

using base::Cycles;

namespace {

/// Checks the kernel first: routes of a bad one could not be made into a fabric.
fabric::EngineConfig fabric_config(const Kernel& kernel, const MeshConfig& config) {
  check(kernel, config.sram.size_bytes);
  fabric::EngineConfig fabric = config.fabric;
  fabric.receiver_depth = receiver_depths(kernel, config.compute);
  return fabric;
}

std::vector<std::uint8_t*> memory_of(const memory::SramArena& arena, std::uint64_t tiles,
                                     std::uint64_t bytes) {
  std::vector<std::uint8_t*> memory(tiles);
  for (std::uint64_t tile = 0; tile < tiles; ++tile)
    memory[tile] = arena.view(0).data + tile * bytes;
  return memory;
}

}  // namespace

std::vector<std::uint8_t> receiver_depths(const Kernel& kernel, const ComputeConfig& config) {
  const std::uint32_t tiles = kernel.mesh().tiles();
  std::vector<std::uint8_t> depths(std::size_t{tiles} * fabric::kNumColors, 1);
  for (std::uint32_t tile = 0; tile < tiles; ++tile) {
    const Program* program = kernel.program(tile);
    if (program == nullptr) continue;
    for (std::uint32_t q = 0; q < kNumInputQueues; ++q) {
      const std::uint8_t color = program->input_colors[q];
      if (color != kNone) depths[fabric::leaf_of(tile, color)] = config.input_depths[q];
    }
  }
  return depths;
}

TileMesh::TileMesh(const Kernel& kernel, const MeshConfig& config, std::uint32_t threads)
    : kernel_(kernel),
      config_(config),
      arena_(1, kernel.mesh().tiles() * config.sram.size_bytes, ~base::Bytes{0}),
      fabric_(kernel.routes, fabric_config(kernel, config), threads),
      engines_(kernel, {{0, kernel.mesh().columns}, {0, kernel.mesh().rows}}, config.compute,
               config.sram, config.fabric.ramp_slots(), config.fabric.ramp_cycles,
               memory_of(arena_, kernel.mesh().tiles(), config.sram.size_bytes)),
      arrivals_(config.fabric.ramp_cycles) {}

void TileMesh::write(std::uint32_t tile, std::uint32_t address, const void* data,
                     std::size_t bytes) {
  WSE_CHECK(address + bytes <= config_.sram.size_bytes, "a write past the memory of a tile");
  std::memcpy(arena_.view(0).data + tile * config_.sram.size_bytes + address, data, bytes);
}

void TileMesh::read(std::uint32_t tile, std::uint32_t address, void* data,
                    std::size_t bytes) const {
  WSE_CHECK(address + bytes <= config_.sram.size_bytes, "a read past the memory of a tile");
  std::memcpy(data, arena_.view(0).data + tile * config_.sram.size_bytes + address, bytes);
}

void TileMesh::Arrivals::deliver(Cycles cycle, const fabric::Delivery* begin,
                                 const fabric::Delivery* end) {
  Due& d = at(cycle);
  d.wavelets.insert(d.wavelets.end(), begin, end);
  pending += static_cast<std::uint64_t>(end - begin);
}

void TileMesh::Arrivals::free_slots(Cycles cycle, const std::uint32_t* begin,
                                    const std::uint32_t* end) {
  Due& d = at(cycle + ramp_cycles);
  d.credits.insert(d.credits.end(), begin, end);
  pending += static_cast<std::uint64_t>(end - begin);
}

void TileMesh::step() {
  Arrivals::Due& due = arrivals_.at(fabric_.now());
  for (const fabric::Delivery& d : due.wavelets) {
    engines_.receive(fabric::tile_of(d.leaf), d.wavelet());
  }
  for (const std::uint32_t leaf : due.credits) {
    engines_.receive_credit(fabric::tile_of(leaf), fabric::color_of(leaf));
  }
  arrivals_.pending -= due.wavelets.size() + due.credits.size();
  due.wavelets.clear();
  due.credits.clear();
  engines_.step(frame_);
  for (const fabric::RampWavelet& w : frame_.wavelets) {
    const bool taken = fabric_.inject(fabric_.source(w.tile, w.wavelet.color), w.wavelet);
    WSE_CHECK(taken, "a compute engine gave a wavelet without a slot");
  }
  for (const fabric::RampCredit& credit : frame_.credits) {
    fabric_.return_credit(fabric::leaf_of(credit.tile, credit.color));
  }
  frame_.clear();
  fabric_.step(arrivals_);
}

void TileMesh::run(const std::function<void()>& every_some_cycles) {
  constexpr Cycles kSome = 256;
  engines_.launch();
  while (engines_.can_act() || fabric_.can_move() || arrivals_.pending != 0) {
    if (every_some_cycles && fabric_.now() % kSome == 0) every_some_cycles();
    step();
    if (!engines_.faults().empty()) fail();
  }
  if (fabric_.held() != 0 || !engines_.waiting(1).empty()) fail();
}

/// Says what stopped the run.
void TileMesh::fail() const {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t i = 0; i < engines_.faults().size() && i < kShown; ++i) {
    const TileFault& fault = engines_.faults()[i];
    text += fmt::format("tile fault in cycle {}: {}\n", fault.cycle, fault.what);
  }
  if (text.empty()) {
    text = fmt::format("deadlock in cycle {}: nothing can go on\n", fabric_.now());
    const std::vector<std::string> waiting = engines_.waiting(kShown + 1);
    for (std::size_t i = 0; i < waiting.size() && i < kShown; ++i) text += "  " + waiting[i] + "\n";
    if (waiting.size() > kShown) text += "  and more tiles\n";
    if (fabric_.held() != 0) {
      text += fabric::explain_deadlock(kernel_.routes, fabric_.held_queues(), fabric_.now());
    }
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  throw KernelFailure(text);
}

Cycles TileMesh::cycles() const {
  const EngineStats& stats = engines_.stats();
  if (stats.first_issue == EngineStats::kNever) return 0;
  return std::max(stats.end, stats.last_issue) - stats.first_issue;
}

}  // namespace wse::tiles
