// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/tile_model.h"

#include <cstring>

namespace wse::tiles {

TileModel::TileModel(const TileSetup& setup)
    : memory_(setup.sram.size_bytes),
      engines_(*setup.kernel, {{setup.tile.x, setup.tile.x + 1}, {setup.tile.y, setup.tile.y + 1}},
               setup.compute, setup.sram, setup.ramp_slots, setup.ramp_cycles, {memory_.data()}) {}

void TileModel::launch() {
  engines_.launch();
  step();
}

void TileModel::clock(const RampPins& from_router) {
  if (from_router.link.valid) engines_.receive(0, from_router.link.wavelet);
  for (std::uint8_t color = 0; color < fabric::kNumColors; ++color) {
    if ((from_router.credits >> color & 1) != 0) engines_.receive_credit(0, color);
  }
  step();
}

/// The cycle in which the tile is now, whose outputs are then known.
void TileModel::step() {
  frame_.clear();
  engines_.step(frame_);
  outputs_ = {};
  if (!frame_.wavelets.empty()) outputs_.link = {true, frame_.wavelets.front().wavelet};
  for (const fabric::RampCredit& credit : frame_.credits) outputs_.credits |= 1U << credit.color;
}

std::string TileModel::fault() const {
  return engines_.faults().empty() ? std::string() : engines_.faults().front().what;
}

void TileModel::write(std::uint32_t address, std::uint32_t word) {
  std::memcpy(memory_.data() + address, &word, sizeof word);
}

std::uint32_t TileModel::read(std::uint32_t address) const {
  std::uint32_t word;
  std::memcpy(&word, memory_.data() + address, sizeof word);
  return word;
}

}  // namespace wse::tiles
