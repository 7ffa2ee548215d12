// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wse/tiles/tile_twin.h"

namespace wse::tiles {

/// The tile that every implementation is compared with: compute engines of a single tile.
class TileModel final : public TileTwin {
 public:
  explicit TileModel(const TileSetup& setup);

  /// Before the launch; the watch outlives the tile.
  void add_watch(EngineWatch& watch) { engines_.add_watch(watch); }

  RampPins outputs() const override { return outputs_; }
  void clock(const RampPins& from_router) override;
  void launch() override;
  bool busy() const override { return engines_.can_act(); }
  bool finished() const override { return engines_.waiting(1).empty(); }
  std::string fault() const override;
  void write(std::uint32_t address, std::uint32_t word) override;
  std::uint32_t read(std::uint32_t address) const override;
  EngineStats stats() const override { return engines_.stats(); }
  ComputeEngines::TileTimes times() const override { return engines_.times(0); }

 private:
  void step();

  std::vector<std::uint8_t> memory_;
  ComputeEngines engines_;
  fabric::RampFrame frame_;
  RampPins outputs_;
};

}  // namespace wse::tiles
