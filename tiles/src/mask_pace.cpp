// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/mask_pace.h"

#include <algorithm>

#include "wse/tiles/weight_mask.h"

namespace wse::tiles {

using base::Cycles;
using base::Mapping;
using base::Operation;
using base::WorkItem;

namespace {

/// Queues of the ring of the streamed GEMM.
constexpr std::size_t kRingInput = 1;
constexpr std::size_t kRingOutput = 2;

bool is_sparse(const WorkItem& item) {
  return (item.operation == Operation::kGemmForward ||
          item.operation == Operation::kGemmInputGradient) &&
         item.density_ppm < 1'000'000 && item.all_outputs() > 0 && item.loop_tokens() > 0;
}

/// Features of a copy's columns, as the mapping has them.
std::vector<std::uint64_t> bounds_of(std::uint64_t features, std::uint32_t columns) {
  std::vector<std::uint64_t> bounds;
  for (std::uint32_t c = 0; c <= columns; ++c) {
    bounds.push_back(base::mul_div(features, c, columns));
  }
  return bounds;
}

}  // namespace

MaskPace::MaskPace(const Mapping& mapping, const TileConfig& tile, const ComputeConfig& engine,
                   const fabric::FabricConfig& fabric, Precision precision, std::uint64_t seed,
                   std::uint64_t most_outputs)
    : mapping_(mapping),
      tile_(tile),
      precision_(precision),
      seed_(seed),
      most_outputs_(most_outputs),
      queue_words_(std::uint64_t{engine.output_depths[kRingOutput]} + 3 * fabric.queue_depth +
                   engine.input_depths[kRingInput]),
      fabric_(fabric) {}

void MaskPace::price(std::vector<WorkItem>& schedule) {
  for (auto begin = schedule.begin(); begin != schedule.end();) {
    const auto end = std::find_if(begin + 1, schedule.end(),
                                  [](const WorkItem& item) { return item.begins_operation; });
    price_operation(begin, end);
    begin = end;
  }
}

/// Blocks of matrices with the same inputs and tokens follow each other without a pause.
void MaskPace::price_operation(Items begin, Items end) {
  using Shape = std::pair<std::uint64_t, std::uint64_t>;  // inputs, tokens a tile
  std::map<Shape, SparseMatrix> matrices;
  const auto shape_of = [this](const WorkItem& item) {
    return Shape{item.inputs,
                 mapping_.with_copies(item.copies).tokens_per_tile(item.loop_tokens())};
  };
  for (auto item = begin; item != end; ++item) {
    if (!is_sparse(*item)) continue;
    SparseMatrix& matrix = matrices[shape_of(*item)];
    matrix.inputs = item->inputs;
    matrix.outputs += item->all_outputs();
    matrix.tokens = item->loop_tokens();
    matrix.density_ppm = item->density_ppm;
  }
  for (auto item = begin; item != end; ++item) {
    if (!is_sparse(*item)) continue;
    const SparseMatrix& matrix = matrices[shape_of(*item)];
    item->masked_cycles =
        base::mul_div_up(cycles(matrix, item->copies), item->all_outputs(), matrix.outputs);
  }
}

Cycles MaskPace::cycles(const SparseMatrix& matrix, std::uint32_t copies) {
  const Mapping mapping = mapping_.with_copies(copies);
  const Key key{matrix.inputs, matrix.outputs, mapping.tokens_per_tile(matrix.tokens),
                matrix.density_ppm, copies};
  const auto known = known_.find(key);
  if (known != known_.end()) return known->second;
  return known_.emplace(key, count(matrix, mapping)).first->second;
}

Cycles MaskPace::count(const SparseMatrix& matrix, const Mapping& mapping) const {
  const std::uint32_t columns = mapping.columns() / mapping.copies();
  const std::uint64_t owned = base::ceil_div(matrix.outputs, columns);  // by a tile
  const std::uint64_t outputs = std::min(matrix.outputs, most_outputs_);
  SparseRowCosts costs =
      SparseRowCosts::of({tile_, precision_}, mapping.tokens_per_tile(matrix.tokens));
  costs.queue_words = queue_words_;
  costs.hop = fabric_.chain_cycles() - 1;  // without the cycle in the core
  SparseRow row(costs, columns);
  WeightMask mask(seed_, matrix.inputs, matrix.density_ppm);
  const std::vector<std::uint64_t> bounds = bounds_of(matrix.inputs, columns);
  std::vector<std::uint32_t> weights;
  const auto behind_owner = [&](std::uint64_t output) {
    return static_cast<std::uint32_t>((output / owned + 1) % columns);
  };
  mask.count(0, bounds, weights);
  row.begin(weights);
  for (std::uint64_t output = 0; output + 1 < outputs; ++output) {
    mask.count(output + 1, bounds, weights);
    row.advance(behind_owner(output), weights);
  }
  row.finish(behind_owner(outputs - 1));
  const Cycles ring = fabric_.ring_cycles(columns);
  return base::mul_div_up(row.end() - std::min(row.end(), ring), matrix.outputs, outputs);
}

}  // namespace wse::tiles
