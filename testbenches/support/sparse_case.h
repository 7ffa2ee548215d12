// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>

#include "wse/tiles/kernels/streamed_gemm.h"
#include "wse/tiles/mask_pace.h"

namespace wse::testing {

/// A GEMM with sparse weights that both levels know; sizes are those of a tile.
struct SparseCase {
  fabric::Mesh mesh;
  tiles::DataType type;
  double density;
  std::uint32_t tokens;
  std::uint32_t features;
  std::uint32_t outputs;

  tiles::StreamedGemmShape shape() const {
    tiles::StreamedGemmShape s;
    s.mesh = mesh;
    s.tokens = tokens * mesh.rows;
    s.inputs = features * mesh.columns;
    s.outputs = outputs * mesh.columns;
    s.type = type;
    s.density = density;
    return s;
  }
  tiles::Precision precision() const {
    return type == tiles::DataType::kFp16    ? tiles::Precision::kFp16
           : type == tiles::DataType::kMixed ? tiles::Precision::kMixed
                                             : tiles::Precision::kFp32;
  }
  std::string text() const {
    return fmt::format("{} x {}, {}, density {}, a tile: {} tokens, {} features, {} outputs",
                       mesh.columns, mesh.rows, name_of(type), density, tokens, features, outputs);
  }
};

/// What a row takes with the mask of the kernel, and the way of the first weights down a column.
inline base::Cycles cycles_by_row(const SparseCase& c, const tiles::StreamedGemm& gemm) {
  const tiles::TileConfig tile;
  tiles::SparseRow row(tiles::SparseRowCosts::of({tile, c.precision()}, c.tokens), c.mesh.columns);
  const auto weights_of = [&](std::uint32_t output) {
    std::vector<std::uint32_t> counts(c.mesh.columns, 0);
    for (std::uint32_t i = 0; i < c.features * c.mesh.columns; ++i) {
      counts[i / c.features] += gemm.weight(i, output) != 0 ? 1 : 0;
    }
    return counts;
  };
  const std::uint32_t all = c.outputs * c.mesh.columns;
  row.begin(weights_of(0));
  for (std::uint32_t output = 0; output + 1 < all; ++output) {
    row.advance((output / c.outputs + 1) % c.mesh.columns, weights_of(output + 1));
  }
  row.finish(0);
  return row.end() + c.mesh.rows;
}

/// What the transaction level says, with a mask of its own and the fills that the fabric adds.
inline base::Cycles cycles_by_terms(const SparseCase& c, std::uint64_t seed, bool masked = true) {
  const base::Mapping mapping(c.mesh.columns, c.mesh.rows, 1);
  base::WorkItem item;
  item.operation = base::Operation::kGemmForward;
  item.tokens = std::uint64_t{c.tokens} * c.mesh.rows;
  item.inputs = std::uint64_t{c.features} * c.mesh.columns;
  item.outputs = std::uint64_t{c.outputs} * c.mesh.columns;
  item.density_ppm = static_cast<std::uint32_t>(c.density * 1e6 + 0.5);
  item.begins_operation = true;
  std::vector<base::WorkItem> schedule{item};
  const fabric::FabricConfig fabric;
  if (masked) {
    tiles::MaskPace(mapping, {}, {}, fabric, c.precision(), seed).price(schedule);
  }
  return tiles::total(tiles::cycles_of(schedule.front(), mapping, {}, c.precision())) +
         fabric.ring_cycles(c.mesh.columns) + c.mesh.rows;
}

}  // namespace wse::testing
