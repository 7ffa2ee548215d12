// SPDX-License-Identifier: Apache-2.0
// Where compute engines find their memory: here, or in an SRAM that is simulated elsewhere.

#include <algorithm>
#include <cstring>

#include "element_access.h"
#include "engine_visit.h"

namespace wse::tiles {

void ComputeEngines::set_sram(std::uint32_t tile, memory::TileSram& sram) {
  srams_.resize(num_tiles_);
  srams_[tile] = &sram;
  tile_at(tile).elsewhere = true;
}

bool ComputeEngines::is_near(std::uint32_t tile, std::uint64_t address) const {
  const std::uint16_t number = tile_at(tile).program;
  if (number == Kernel::kIdle) return false;
  const auto& arrays = kernel_.programs[number].arrays;
  return std::any_of(arrays.begin(), arrays.end(), [address](const auto& named) {
    const Array& array = named.second;
    return array.near && address >= array.address && address < array.address + array.bytes();
  });
}

/// Elements that lie side by side in the memory of a tile whose SRAM may be elsewhere.
void ComputeEngines::load(const Visit& v, std::int64_t address, std::uint32_t bytes,
                          std::uint8_t* to) const {
  const auto at = static_cast<std::uint64_t>(address);
  if (v.t.elsewhere && !is_near(v.tile, at)) return srams_[v.tile]->load(at, bytes, to);
  std::memcpy(to, v.t.memory + address, bytes);
}

void ComputeEngines::store(const Visit& v, std::int64_t address, std::uint32_t bytes,
                           std::uint32_t bits) {
  const auto at = static_cast<std::uint64_t>(address);
  if (v.t.elsewhere && !is_near(v.tile, at)) return srams_[v.tile]->store(at, bytes, &bits);
  write(v.t.memory + address, bytes, bits);
}

/// Checks that `n` elements side by side lie in the memory of the tile.
bool ComputeEngines::reach(Visit& v, const Thread& t, const Descriptor& d, std::int64_t address,
                           std::uint32_t n, const char* verb) {
  if (address >= 0 && static_cast<std::uint64_t>(address) + n * d.element_bytes <= sram_bytes_) {
    return true;
  }
  while (address >= 0 && static_cast<std::uint64_t>(address) + d.element_bytes <= sram_bytes_) {
    address += d.element_bytes;  // to the first one that does not
  }
  fail(v, t.instruction,
       fmt::format("{} byte {} of '{}', the memory has {}", verb, address, d.name, sram_bytes_));
  return false;
}

/// A scalar load or store.
bool ComputeEngines::access_word(Visit& v, const Instruction& i) {
  const bool is_write = i.opcode == Opcode::kStore;
  const bool is_half = !is_write && (bits_of(i.type) == 16 || i.type == DataType::kMixed);
  const std::uint32_t address = scalar(v, i.a) + (is_write ? 0 : scalar(v, i.b));
  if (std::uint64_t{address} + (is_half ? 2 : 4) > sram_bytes_) {
    fail(v, v.t.pc,
         fmt::format("{} byte {}, the memory has {}",
                     i.opcode == Opcode::kLoad ? "reads" : "writes", address, sram_bytes_));
    return false;
  }
  banks_.cycles_of({{address, memory::AccessWidth::k32, is_write}});
  if (v.t.elsewhere) srams_[v.tile]->begin(now_, 1);
  if (is_write) {
    stats_.end = std::max(stats_.end, now_ + 1);
    store(v, address, 4, scalar(v, i.b));
  } else {
    std::uint8_t bytes[4];
    load(v, address, is_half ? 2 : 4, bytes);
    const std::uint32_t bits = read(bytes, is_half ? 2 : 4);
    reg(v.tile, i.result.value) = i.type == DataType::kMixed ? widen(bits) : bits;
  }
  return true;
}

}  // namespace wse::tiles
