// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "wse/base/mapping.h"
#include "wse/base/work_item.h"
#include "wse/fabric/fabric_config.h"
#include "wse/tiles/cost_terms.h"
#include "wse/tiles/kernels/attention.h"
#include "wse/tiles/kernels/gradient_gemm.h"
#include "wse/tiles/kernels/rowwise.h"
#include "wse/tiles/kernels/streamed_gemm.h"

namespace wse::testing {

/// An operation of a training step that both levels know.
enum class Work {
  kGemm,
  kWeightGradient,
  kAttention,
  kAttentionBackward,
  kNorm,
  kNormBackward,
  kGelu,
  kGeluBackward,
  kLoss
};

/// Sizes are those of a tile, so that tiles are full on any mesh.
struct CycleCase {
  Work work;
  fabric::Mesh mesh;
  tiles::DataType type;
  std::uint32_t tokens;
  std::uint32_t features;
  std::uint32_t outputs = 1;  ///< of a GEMM; heads in all of an attention

  std::uint32_t all_tokens() const { return tokens * mesh.rows; }
  std::uint32_t all_features() const { return features * mesh.columns; }
  std::uint32_t all_outputs() const { return outputs * mesh.columns; }
  std::string text() const {
    static constexpr const char* kNames[]{
        "gemm", "weight gradient", "attention", "attention gradient", "norm", "norm gradient",
        "gelu", "gelu gradient",   "loss"};
    return fmt::format("{} on {} x {}, {}, a tile: {} tokens, {} features, {}",
                       kNames[static_cast<std::size_t>(work)], mesh.columns, mesh.rows,
                       name_of(type), tokens, features, outputs);
  }
};

inline base::WorkItem item_of(const CycleCase& c) {
  using base::Operation;
  using base::VectorKind;
  base::WorkItem item;
  item.tokens = c.all_tokens();
  item.inputs = c.all_features();
  item.outputs = c.all_outputs();
  item.pattern.sequence = item.tokens;
  item.heads = c.outputs;
  const auto vector = [&](VectorKind kind) {
    item.operation = Operation::kVector;
    item.vector = kind;
  };
  switch (c.work) {
    case Work::kGemm:
      item.operation = Operation::kGemmForward;
      break;
    case Work::kWeightGradient:
      item.operation = Operation::kGemmWeightGradient;
      break;
    case Work::kAttention:
      item.operation = Operation::kAttentionForward;
      break;
    case Work::kAttentionBackward:
      item.operation = Operation::kAttentionBackward;
      break;
    case Work::kNorm:
      vector(VectorKind::kNormForward);
      break;
    case Work::kNormBackward:
      vector(VectorKind::kNormBackward);
      break;
    case Work::kGelu:
      vector(VectorKind::kGeluForward);
      break;
    case Work::kGeluBackward:
      vector(VectorKind::kGeluBackward);
      break;
    case Work::kLoss:
      vector(VectorKind::kLoss);
      break;
  }
  return item;
}

/// What the transaction level says, with the way of the first weights, and of sums to their owners, as the
/// fabric has it.
inline base::Cycles cycles_by_terms(const CycleCase& c) {
  using tiles::DataType;
  using tiles::Precision;
  const Precision precision = c.type == DataType::kFp16    ? Precision::kFp16
                              : c.type == DataType::kMixed ? Precision::kMixed
                                                           : Precision::kFp32;
  const base::Mapping mapping(c.mesh.columns, c.mesh.rows, 1);
  const base::Cycles cycles =
      tiles::total(tiles::cycles_of(item_of(c), mapping, tiles::TileConfig(), precision));
  const fabric::FabricConfig fabric;
  if (c.work == Work::kGemm) {
    return cycles + fabric.hop_latency_cycles * c.mesh.rows + fabric.ring_cycles(c.mesh.columns);
  }
  if (c.work == Work::kWeightGradient) return cycles + fabric.chain_cycles() * c.mesh.rows;
  return cycles;
}

/// What the kernel takes.
inline base::Cycles cycles_by_kernel(const CycleCase& c) {
  using tiles::RowwiseOp;
  const tiles::MeshConfig config;
  const auto run = [&](const tiles::KernelJob& job) { return run_kernel(job, config).cycles; };
  const auto rowwise = [&](RowwiseOp op, bool backward) {
    tiles::RowwiseShape s;
    s.mesh = c.mesh;
    s.tokens = c.all_tokens();
    s.features = c.all_features();
    s.type = c.type;
    s.op = op;
    s.backward = backward;
    return run(tiles::Rowwise(s, config, 1));
  };
  switch (c.work) {
    case Work::kGemm: {
      tiles::StreamedGemmShape s;
      s.mesh = c.mesh;
      s.tokens = c.all_tokens();
      s.inputs = c.all_features();
      s.outputs = c.all_outputs();
      s.type = c.type;
      return run(tiles::StreamedGemm(s, config, 1));
    }
    case Work::kWeightGradient:
      return run(tiles::GradientGemm(
          {c.mesh, c.all_tokens(), c.all_features(), c.all_outputs(), c.type}, config, 1));
    case Work::kAttention:
    case Work::kAttentionBackward: {
      tiles::AttentionShape s;
      s.mesh = c.mesh;
      s.tokens = c.all_tokens();
      s.heads = c.outputs;
      s.head_features = c.all_features() / c.outputs;
      s.type = c.type;
      s.backward = c.work == Work::kAttentionBackward;
      return run(tiles::Attention(s, config, 1));
    }
    case Work::kNorm:
      return rowwise(RowwiseOp::kLayerNorm, false);
    case Work::kNormBackward:
      return rowwise(RowwiseOp::kLayerNorm, true);
    case Work::kGelu:
      return rowwise(RowwiseOp::kGelu, false);
    case Work::kGeluBackward:
      return rowwise(RowwiseOp::kGelu, true);
    case Work::kLoss:
      return rowwise(RowwiseOp::kCrossEntropy, false) + rowwise(RowwiseOp::kCrossEntropy, true);
  }
  return 0;
}

/// The terms over the kernel, less one; the mean of many cases.
class CycleErrors {
 public:
  double add(const CycleCase& c) {
    const double error =
        static_cast<double>(cycles_by_terms(c)) / static_cast<double>(cycles_by_kernel(c)) - 1;
    sum_ += std::abs(error);
    ++count_;
    return error;
  }
  double mean() const { return sum_ / count_; }

 private:
  double sum_ = 0;
  int count_ = 0;
};

}  // namespace wse::testing
