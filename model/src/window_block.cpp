// SPDX-License-Identifier: Apache-2.0
#include "window_block.h"

namespace wse::model {
namespace {

/// Outputs of the matrices of the same tensor that stand before it.
std::uint64_t outputs_before(const host::ModelSpec& model, const NamedMatrix& m) {
  const bool attention = m.matrix.tensor == base::Tensor::kAttention;
  const bool first = m.name == "qkv" || m.name == "up";
  if (m.backward) {
    if (!first) return 0;
    return attention ? model.projection().inputs : model.down().inputs;
  }
  if (first) return 0;
  return attention ? model.query_key_value().outputs : model.up().outputs;
}

}  // namespace

const base::WorkItem* first_block(const std::vector<base::WorkItem>& schedule,
                                  const host::ModelSpec& model, std::uint64_t layer,
                                  const NamedMatrix& matrix) {
  const base::Operation operation =
      matrix.backward ? base::Operation::kGemmInputGradient : base::Operation::kGemmForward;
  const base::Phase phase = matrix.backward ? base::Phase::kBackward : base::Phase::kForward;
  std::uint64_t before = outputs_before(model, matrix);
  for (const base::WorkItem& item : schedule) {
    if (!item.in_layer || item.layer != layer || item.operation != operation ||
        item.phase != phase || item.tensor != matrix.matrix.tensor) {
      continue;
    }
    if (before == 0) return &item;
    before -= std::min(before, item.outputs);
  }
  return nullptr;
}

}  // namespace wse::model
