// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wse/cosim/lockstep.h"
#include "wse/tiles/tile_model.h"

namespace wse::cosim {

/// A tile shadowed by the model: pins in every clock, memory where it is read, and what both have
/// counted at the end.
class LockstepTile final : public Lockstep<tiles::TileTwin, tiles::TileModel> {
 public:
  LockstepTile(std::string name, std::unique_ptr<tiles::TileTwin> twin,
               std::unique_ptr<tiles::TileModel> model)
      : Lockstep(std::move(name), std::move(twin), std::move(model)) {}

  void launch() override;
  bool busy() const override { return model().busy() || twin().busy(); }
  bool finished() const override { return model().finished(); }
  std::string fault() const override { return model().fault(); }
  void write(std::uint32_t address, std::uint32_t word) override;
  /// Throws a Mismatch if the memories differ.
  std::uint32_t read(std::uint32_t address) const override;
  /// Throws a Mismatch if they have not counted the same.
  tiles::EngineStats stats() const override;
  tiles::ComputeEngines::TileTimes times() const override { return model().times(); }
};

}  // namespace wse::cosim
