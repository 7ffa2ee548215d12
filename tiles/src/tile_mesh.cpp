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
  check(kernel, config.sram.size_bytes, config.compute.cache_bytes);
  fabric::EngineConfig fabric = config.fabric;
  fabric.receiver_depth = receiver_depths(kernel, config.compute);
  return fabric;
}

/// Whether all addresses of a program are known before it runs.
bool is_static(const Program& program) {
  const auto& all = program.instructions;
  const bool scalar = std::any_of(all.begin(), all.end(), [](const Instruction& i) {
    return i.opcode == Opcode::kLoad || i.opcode == Opcode::kStore;
  });
  const auto& walks = program.descriptors;
  return !scalar && std::all_of(walks.begin(), walks.end(),
                                [](const Descriptor& d) { return d.address_register == kNone; });
}

/// The byte behind the last one of a descriptor; check() has looked at it.
std::uint64_t end_of(const Descriptor& d) {
  if (is_fabric(d.kind)) return 0;
  std::uint64_t last = d.kind == DescriptorKind::kMemory ? 0 : d.capacity - 1;
  for (std::uint32_t i = 0; d.kind == DescriptorKind::kMemory && i < d.dimensions; ++i) {
    if (d.strides[i] > 0)
      last += std::uint64_t{d.extents[i] - 1} * static_cast<std::uint32_t>(d.strides[i]);
  }
  return d.address + (last + 1) * d.element_bytes;
}

/// Bytes of a tile that a kernel can reach: all, unless its addresses are known. Memories that are no
/// larger than they must be share pages of the host.
std::uint64_t reach_of(const Kernel& kernel, const MeshConfig& config) {
  std::uint64_t reach = 0;
  for (const Program& program : kernel.programs) {
    if (!is_static(program)) return config.sram.size_bytes;
    reach = std::max<std::uint64_t>(reach, program.memory_bytes);
    for (const Descriptor& d : program.descriptors) reach = std::max(reach, end_of(d));
  }
  return reach;
}

/// Memories that huge pages may fill, whatever of them is used.
constexpr base::Bytes kDenseBytes = base::Bytes{1} << 30;

/// Distance of the memories of two tiles: an odd number of lines of the host's cache, or the same
/// bytes of all tiles would meet in a few sets of it.
std::uint64_t stride_of(std::uint64_t reach) { return (reach / 64 | 1) * 64 + 128; }

std::vector<std::uint8_t*> memory_of(const memory::SramArena& arena, std::uint64_t tiles,
                                     std::uint64_t bytes) {
  std::vector<std::uint8_t*> memory(tiles);
  for (std::uint64_t tile = 0; tile < tiles; ++tile)
    memory[tile] = arena.view(0).data + tile * bytes;
  return memory;
}

}  // namespace

void MeshConfig::validate(base::ConfigErrors& errors) const {
  compute.validate(errors);
  const auto& depths = compute.input_depths;
  const std::uint32_t deepest = *std::max_element(depths.begin(), depths.end());
  errors.require(fabric::EngineConfig::slots(deepest, fabric.ramp_cycles) <= 16,
                 "fabric.ramp_latency_cycles", fabric.ramp_cycles,
                 fmt::format("makes an input queue of depth {} longer than 16 wavelets: depth + 2 "
                             "(latency - 1)",
                             deepest));
}

std::vector<std::uint8_t> receiver_depths(const Kernel& kernel, const ComputeConfig& config) {
  const std::uint32_t tiles = kernel.mesh().tiles();
  std::vector<std::uint8_t> depths(std::size_t{tiles} * fabric::kNumColors, 1);
  for (std::uint32_t tile = 0; tile < tiles; ++tile) {
    const Program* program = kernel.program(tile);
    if (program == nullptr) continue;
    for (std::uint32_t q = 0; q < kNumInputQueues; ++q) {
      const std::uint8_t color = program->input_colors[q];
      if (color != kNone)
        depths[fabric::leaf_of(tile, color)] = static_cast<std::uint8_t>(config.input_depths[q]);
    }
  }
  return depths;
}

TileMesh::TileMesh(const Kernel& kernel, const MeshConfig& config, std::uint32_t threads)
    : kernel_(kernel),
      config_(config),
      reach_(reach_of(kernel, config)),
      arena_(1, kernel.mesh().tiles() * stride_of(reach_), ~base::Bytes{0},
             kernel.mesh().tiles() * stride_of(reach_) <= kDenseBytes),
      fabric_(kernel.routes, fabric_config(kernel, config), threads),
      engines_(kernel, {{0, kernel.mesh().columns}, {0, kernel.mesh().rows}}, config.compute,
               config.sram, config.fabric.ramp_slots(), config.fabric.ramp_cycles,
               memory_of(arena_, kernel.mesh().tiles(), stride_of(reach_))),
      arrivals_(config.fabric.ramp_cycles) {}

void TileMesh::write(std::uint32_t tile, std::uint32_t address, const void* data,
                     std::size_t bytes) {
  WSE_CHECK(address + bytes <= reach_, "a write past the memory of a tile");
  if (bytes == 0) return;  // of nothing, which may be nowhere
  std::memcpy(arena_.view(0).data + tile * stride_of(reach_) + address, data, bytes);
}

void TileMesh::read(std::uint32_t tile, std::uint32_t address, void* data,
                    std::size_t bytes) const {
  WSE_CHECK(address + bytes <= reach_, "a read past the memory of a tile");
  if (bytes == 0) return;
  std::memcpy(data, arena_.view(0).data + tile * stride_of(reach_) + address, bytes);
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
  constexpr std::size_t kAhead = 8;
  for (std::size_t i = 0; i < due.wavelets.size(); ++i) {
    if (i + kAhead < due.wavelets.size()) {
      engines_.prefetch(fabric::tile_of(due.wavelets[i + kAhead].leaf));
    }
    engines_.receive(fabric::tile_of(due.wavelets[i].leaf), due.wavelets[i].wavelet());
  }
  for (std::size_t i = 0; i < due.credits.size(); ++i) {
    if (i + kAhead < due.credits.size()) {
      engines_.prefetch(fabric::tile_of(due.credits[i + kAhead]));
    }
    engines_.receive_credit(fabric::tile_of(due.credits[i]), fabric::color_of(due.credits[i]));
  }
  arrivals_.pending -= due.wavelets.size() + due.credits.size();
  due.wavelets.clear();
  due.credits.clear();
  engines_.step(frame_);
  give();
  for (const fabric::RampCredit& credit : frame_.credits) {
    fabric_.return_credit(fabric::leaf_of(credit.tile, credit.color));
  }
  frame_.clear();
  fabric_.step(arrivals_);
}

/// What the compute engines of this cycle have given goes to the fabric.
void TileMesh::give() {
  constexpr std::size_t kAhead = 8;
  const std::vector<fabric::RampWavelet>& all = frame_.wavelets;
  sources_.clear();
  for (const fabric::RampWavelet& w : all) {
    sources_.push_back(fabric_.source(w.tile, w.wavelet.color));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i + kAhead < all.size()) fabric_.prefetch(sources_[i + kAhead]);
    const bool taken = fabric_.inject(sources_[i], all[i].wavelet);
    WSE_CHECK(taken, "a compute engine gave a wavelet without a slot");
  }
}

void TileMesh::run(const std::function<void()>& every_some_cycles) {
  constexpr Cycles kSome = 256;
  engines_.launch();
  while (engines_.can_act() || fabric_.can_move() || arrivals_.pending != 0) {
    if (every_some_cycles && fabric_.now() % kSome == 0) every_some_cycles();
    step();
    if (!engines_.faults().empty()) break;
  }
  const std::string failure = explain_failure({&engines_}, fabric_);
  if (!failure.empty()) throw KernelFailure(failure);
}

namespace {

/// Wavelets of a color that a router has torn down, and what their tile does.
std::string torn_down(const std::vector<const ComputeEngines*>& regions,
                      const fabric::ChannelFabric& fabric) {
  const fabric::Mesh mesh = fabric.graph().mesh();
  for (const fabric::HeldQueue& queue : fabric.held_queues()) {
    if (!queue.halted) continue;
    const base::Coordinate at = mesh.at(fabric::tile_of(queue.leaf));
    std::string text = fmt::format(
        "tile fault in cycle {}: tile ({},{}): color {} was torn down, {} of its wavelets from {} "
        "stay\n",
        fabric.now(), at.x, at.y, fabric::color_of(queue.leaf), queue.wavelets,
        queue.input == fabric::Port::kRamp ? "the compute engine" : name_of(queue.input));
    for (const ComputeEngines* engines : regions) {
      const base::Rectangle& tiles = engines->rectangle();
      if (!tiles.contains(at)) continue;
      const std::uint32_t index =
          (at.y - tiles.rows.begin) * tiles.columns.size() + at.x - tiles.columns.begin;
      for (const std::string& line : engines->waiting_of(index)) text += "  " + line + "\n";
    }
    return text;
  }
  return {};
}

}  // namespace

std::string explain_failure(const std::vector<const ComputeEngines*>& regions,
                            const fabric::ChannelFabric& fabric) {
  constexpr std::size_t kShown = 8;
  std::vector<TileFault> faults;
  std::vector<std::string> waiting;
  for (const ComputeEngines* engines : regions) {
    faults.insert(faults.end(), engines->faults().begin(), engines->faults().end());
    if (waiting.size() > kShown) continue;
    for (std::string& line : engines->waiting(kShown + 1)) waiting.push_back(std::move(line));
  }
  std::string text;
  for (std::size_t i = 0; i < faults.size() && i < kShown; ++i) {
    text += fmt::format("tile fault in cycle {}: {}\n", faults[i].cycle, faults[i].what);
  }
  if (text.empty() && (!waiting.empty() || fabric.held() != 0)) {
    text = torn_down(regions, fabric) +
           fmt::format("deadlock in cycle {}: nothing can go on\n", fabric.now());
    for (std::size_t i = 0; i < waiting.size() && i < kShown; ++i) text += "  " + waiting[i] + "\n";
    if (waiting.size() > kShown) text += "  and more tiles\n";
    if (fabric.held() != 0) {
      text += fabric::explain_deadlock(fabric.graph().routes(), fabric.held_queues(), fabric.now());
    }
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Cycles cycles_of(const EngineStats& stats) {
  if (stats.first_issue == EngineStats::kNever) return 0;
  // A kernel without vector operations and stores ends with its last instruction.
  return std::max(stats.end, stats.end == 0 ? stats.last_issue + 1 : 0) - stats.first_issue;
}

}  // namespace wse::tiles
