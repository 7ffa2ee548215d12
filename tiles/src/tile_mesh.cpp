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

std::unique_ptr<memory::SramArena> arena_of(std::uint64_t tiles, std::uint64_t reach) {
  const std::uint64_t bytes = tiles * stride_of(reach);
  return std::make_unique<memory::SramArena>(1, bytes, ~base::Bytes{0}, bytes <= kDenseBytes);
}

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
    : TileMesh(kernel, config, {}, threads) {}

TileMesh::TileMesh(const Kernel& kernel, const MeshConfig& config,
                   std::vector<std::uint8_t*> memory, std::uint32_t threads)
    : kernel_(kernel),
      config_(config),
      reach_(memory.empty() ? reach_of(kernel, config) : config.sram.size_bytes),
      arena_(memory.empty() ? arena_of(kernel.mesh().tiles(), reach_) : nullptr),
      memory_(memory.empty() ? memory_of(*arena_, kernel.mesh().tiles(), stride_of(reach_))
                             : std::move(memory)),
      fabric_(kernel.routes, fabric_config(kernel, config), threads),
      engines_(kernel, {{0, kernel.mesh().columns}, {0, kernel.mesh().rows}}, config.compute,
               config.sram, config.fabric.ramp_slots(), config.fabric.ramp_cycles, memory_),
      arrivals_(config.fabric.ramp_cycles) {
  WSE_CHECK(memory_.size() == kernel.mesh().tiles(), "a memory for each tile");
}

void TileMesh::write(std::uint32_t tile, std::uint32_t address, const void* data,
                     std::size_t bytes) {
  WSE_CHECK(address + bytes <= reach_, "a write past the memory of a tile");
  if (bytes == 0) return;  // of nothing, which may be nowhere
  std::memcpy(memory_[tile] + address, data, bytes);
  if (Elsewhere* there = find(tile)) write_twin(*there, address, bytes);
  if (const auto sram = srams_.find(tile); sram != srams_.end()) {
    sram->second->store(address, static_cast<std::uint32_t>(bytes), data);
    sram->second->settle();
  }
}

void TileMesh::read(std::uint32_t tile, std::uint32_t address, void* data,
                    std::size_t bytes) const {
  WSE_CHECK(address + bytes <= reach_, "a read past the memory of a tile");
  if (bytes == 0) return;
  std::memcpy(data, memory_[tile] + address, bytes);
  if (const Elsewhere* there = const_cast<TileMesh*>(this)->find(tile)) {
    for (std::size_t i = 0; i < bytes; ++i) {
      const std::uint32_t word = there->twin->read((address + static_cast<std::uint32_t>(i)) & ~3U);
      static_cast<std::uint8_t*>(data)[i] =
          static_cast<std::uint8_t>(word >> (8 * ((address + i) % 4)));
    }
  }
  const auto sram = srams_.find(tile);
  if (sram == srams_.end()) return;
  sram->second->settle();
  for (std::size_t i = 0; i < bytes; ++i) {
    if (engines_.is_near(tile, address + i)) continue;
    sram->second->load(address + i, 1, static_cast<std::uint8_t*>(data) + i);
  }
}

void TileMesh::take_memories() {
  const auto take = [this](std::uint32_t tile) {
    std::vector<std::uint8_t> bytes(reach_);
    read(tile, 0, bytes.data(), bytes.size());
    std::memcpy(memory_[tile], bytes.data(), bytes.size());
  };
  for (const Elsewhere& there : twins_) take(there.tile);
  for (const auto& [tile, sram] : srams_) take(tile);
}

void TileMesh::set_sram(std::uint32_t tile, std::unique_ptr<memory::TileSram> sram) {
  WSE_CHECK(fabric_.now() == 0, "an SRAM after the first cycle");
  sram->store(0, static_cast<std::uint32_t>(reach_), memory_[tile]);
  sram->settle();
  engines_.set_sram(tile, *sram);
  srams_[tile] = std::move(sram);
}

TileMesh::Elsewhere* TileMesh::find(std::uint32_t tile) {
  for (Elsewhere& there : twins_) {
    if (there.tile == tile) return &there;
  }
  return nullptr;
}

TileSetup TileMesh::setup_of(std::uint32_t tile) const {
  TileSetup setup;
  setup.kernel = &kernel_;
  setup.tile = kernel_.mesh().at(tile);
  setup.compute = config_.compute;
  setup.sram = config_.sram;
  setup.ramp_slots = config_.fabric.ramp_slots();
  setup.ramp_cycles = config_.fabric.ramp_cycles;
  return setup;
}

void TileMesh::set_tile(std::uint32_t tile, std::unique_ptr<TileTwin> twin) {
  WSE_CHECK(fabric_.now() == 0 && find(tile) == nullptr,
            "a tile after the first cycle, or a second one");
  engines_.leave_out(tile);
  twins_.push_back({tile, std::move(twin), {}});
  write_twin(twins_.back(), 0, reach_);
}

/// The words that hold some bytes, as they have been written.
void TileMesh::write_twin(Elsewhere& there, std::uint32_t address, std::size_t bytes) {
  const std::uint8_t* const memory = memory_[there.tile];
  for (std::size_t at = address & ~3U; at < address + bytes; at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, memory + at, sizeof word);
    there.twin->write(static_cast<std::uint32_t>(at), word);
  }
}

EngineStats TileMesh::stats() const {
  EngineStats all = engines_.stats();
  for (const Elsewhere& there : twins_) all += there.twin->stats();
  return all;
}

ComputeEngines::TileTimes TileMesh::times(std::uint32_t tile) const {
  const Elsewhere* there = const_cast<TileMesh*>(this)->find(tile);
  return there != nullptr ? there->twin->times() : engines_.times(tile);
}

void TileMesh::receive(std::uint32_t tile, const fabric::Wavelet& wavelet) {
  if (!twins_.empty()) {
    if (Elsewhere* there = find(tile)) {
      there->arriving.link = {true, wavelet};
      return;
    }
  }
  engines_.receive(tile, wavelet);
}

void TileMesh::receive_credit(std::uint32_t tile, std::uint8_t color) {
  if (!twins_.empty()) {
    if (Elsewhere* there = find(tile)) {
      there->arriving.credits |= 1U << color;
      return;
    }
  }
  engines_.receive_credit(tile, color);
}

/// The clock that ends the cycle before gives them what takes effect in this one.
void TileMesh::step_twins() {
  for (Elsewhere& there : twins_) {
    if (fabric_.now() != 0) there.twin->clock(there.arriving);
    there.arriving = {};
    const RampPins out = there.twin->outputs();
    if (out.link.valid) frame_.wavelets.push_back({there.tile, out.link.wavelet});
    for (std::uint8_t color = 0; color < fabric::kNumColors; ++color) {
      if ((out.credits >> color & 1) != 0) frame_.credits.push_back({there.tile, color, 1});
    }
  }
}

bool TileMesh::twins_can_act() const {
  return std::any_of(twins_.begin(), twins_.end(),
                     [](const Elsewhere& there) { return there.twin->busy(); });
}

bool TileMesh::has_fault() const {
  return !engines_.faults().empty() ||
         std::any_of(twins_.begin(), twins_.end(),
                     [](const Elsewhere& there) { return !there.twin->fault().empty(); });
}

std::string TileMesh::twin_failure() const {
  std::string text;
  for (const Elsewhere& there : twins_) {
    const base::Coordinate at = kernel_.mesh().at(there.tile);
    const std::string fault = there.twin->fault();
    if (!fault.empty()) text += fmt::format("tile fault in ({},{}): {}\n", at.x, at.y, fault);
    if (fault.empty() && !there.twin->finished()) {
      text += fmt::format("tile ({},{}), simulated elsewhere, has not finished\n", at.x, at.y);
    }
  }
  return text;
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
    receive(fabric::tile_of(due.wavelets[i].leaf), due.wavelets[i].wavelet());
  }
  for (std::size_t i = 0; i < due.credits.size(); ++i) {
    if (i + kAhead < due.credits.size()) {
      engines_.prefetch(fabric::tile_of(due.credits[i + kAhead]));
    }
    receive_credit(fabric::tile_of(due.credits[i]), fabric::color_of(due.credits[i]));
  }
  arrivals_.pending -= due.wavelets.size() + due.credits.size();
  due.wavelets.clear();
  due.credits.clear();
  engines_.step(frame_);
  if (!twins_.empty()) step_twins();
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
  for (Elsewhere& there : twins_) there.twin->launch();
  while (engines_.can_act() || twins_can_act() || fabric_.can_move() || arrivals_.pending != 0) {
    if (every_some_cycles && fabric_.now() % kSome == 0) every_some_cycles();
    step();
    if (has_fault()) break;
  }
  const std::string failure = twin_failure() + explain_failure({&engines_}, fabric_);
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
