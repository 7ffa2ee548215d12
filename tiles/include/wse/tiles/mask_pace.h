// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "wse/base/mapping.h"
#include "wse/base/work_item.h"
#include "wse/fabric/fabric_config.h"
#include "wse/tiles/compute_config.h"
#include "wse/tiles/sparse_row.h"

namespace wse::tiles {

/// What a sparse matrix depends on, as far as its pace is concerned.
struct SparseMatrix {
  std::uint64_t inputs = 0;
  std::uint64_t outputs = 0;  ///< of one operation: all blocks, all experts
  std::uint64_t tokens = 0;   ///< over which the loops of a tile are laid out
  std::uint32_t density_ppm = 1'000'000;
};

/// Cycles of matrices with random masks on a machine: a mask of the true size is drawn, and a row of tiles
/// works through its outputs (SparseRow). Matrices alike are counted once.
class MaskPace {
 public:
  /// Of longer operations the first outputs are counted, the others take the same pace.
  static constexpr std::uint64_t kMostOutputs = 32'768;

  /// `mapping`: the rectangle; copies are those of the items. `seed`: run.seed. Fewer outputs than
  /// kMostOutputs are faster and some per cent too slow: the first ones take longer.
  MaskPace(const base::Mapping& mapping, const TileConfig& tile, const ComputeConfig& engine,
           const fabric::FabricConfig& fabric, Precision precision, std::uint64_t seed,
           std::uint64_t most_outputs = kMostOutputs);

  /// Sets masked_cycles of all products with sparse weights; blocks of an operation share it by their
  /// outputs.
  void price(std::vector<base::WorkItem>& schedule);
  /// Of all outputs, without the way around the ring that the fabric adds behind an operation.
  base::Cycles cycles(const SparseMatrix& matrix, std::uint32_t copies);

 private:
  /// Inputs, outputs, tokens a tile, density, copies.
  using Key = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::uint32_t, std::uint32_t>;
  using Items = std::vector<base::WorkItem>::iterator;

  void price_operation(Items begin, Items end);
  base::Cycles count(const SparseMatrix& matrix, const base::Mapping& mapping) const;

  const base::Mapping mapping_;
  const TileConfig tile_;
  const Precision precision_;
  const std::uint64_t seed_;
  const std::uint64_t most_outputs_;
  const std::uint64_t queue_words_;  ///< between two tiles of a row
  const fabric::FabricConfig fabric_;
  std::map<Key, base::Cycles> known_;
};

}  // namespace wse::tiles
