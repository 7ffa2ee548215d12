// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wse/fabric/fabric_config.h"
#include "wse/tiles/cost_terms.h"

namespace wse::tiles {

/// The terms of the cost model where the weights stay and the tokens pass: a stage of a pipeline that
/// owns a rectangle of tiles.
///
/// A matrix of d_in inputs and d_out outputs lies with its inputs over the columns and its outputs over
/// the rows. A token's inputs come down the columns, each starts a vector operation over the outputs of
/// the tile, and sums are reduced along the rows: the streamed product with tokens and outputs in
/// exchanged roles. The gradients of the inputs go the other way: along the rows, reduced down the
/// columns. The gradients of the weights are outer products into sums in SRAM. Results and everything
/// element-wise lie with features over the rows and tokens over the columns, so that they need not move
/// before attention and vector operations.
class ResidentTerms {
 public:
  ResidentTerms(const base::Rectangle& rectangle, const TileConfig& config, Precision precision,
                const fabric::FabricConfig& fabric)
      : rectangle_(rectangle), config_(config), precision_(precision), fabric_(fabric) {}

  /// Of one tile, by cause; the same on every tile. Layers do not change: they cost nothing.
  CauseCycles cycles(const base::WorkItem& item) const;
  /// By location; the part lies in the rectangle.
  std::uint64_t multiply_adds(const base::WorkItem& item, const base::Rectangle& part) const;
  /// Events of the part, wavelets in the rectangle among them; `north` and `west` say whether a scribe
  /// line to more of the rectangle is on that side of the part.
  CauseEvents events(const base::WorkItem& item, const base::Rectangle& part, bool north,
                     bool west) const;

  /// Of a tile that holds so many parameters: one Adam update in fp32, element-wise.
  static constexpr base::Cycles kUpdateCycles = 36;
  static base::Cycles update_cycles(std::uint64_t parameters) { return parameters * kUpdateCycles; }
  CauseEvents update_events(std::uint64_t parameters, const base::Rectangle& part) const;

  /// Looking up tokens in a table with words over the rows, as the kernel Embedding does.
  base::Cycles look_up_cycles(std::uint64_t tokens, std::uint64_t features) const;
  CauseEvents look_up_events(std::uint64_t tokens, std::uint64_t features,
                             const base::Rectangle& part) const;

 private:
  base::Cycles fill(const base::WorkItem& item) const;
  void set_outer_product(const base::WorkItem& item, CauseCycles& c) const;
  CauseEvents outer_product_events(const base::WorkItem& item, const base::Rectangle& part) const;
  void add_wavelets(const base::WorkItem& item, const base::Rectangle& part, bool north, bool west,
                    CauseEvents& by) const;

  base::Rectangle rectangle_;
  TileConfig config_;
  Precision precision_;
  fabric::FabricConfig fabric_;
};

}  // namespace wse::tiles
