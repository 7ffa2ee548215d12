// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "wse/base/activity.h"
#include "wse/base/attention_pattern.h"
#include "wse/base/units.h"

namespace wse::base {

/// What a work item asks of every tile.
enum class Operation : std::uint32_t {
  kGemmForward,         ///< Y = X W: weights in, partial sums reduced along rows
  kGemmInputGradient,   ///< dX = dY W^T: weights in, partial sums reduced along rows
  kGemmWeightGradient,  ///< dW = X^T dY: no weights in, gradients reduced along columns and sent
                        ///< out
  kAttentionForward,    ///< scores, softmax, context on resident activations
  kAttentionBackward,   ///< their gradients: twice the multiply-adds of the forward pass
  kVector,              ///< element-wise work: normalisation, activation, residual, loss, embedding
  kLayerChange,         ///< new routes and programs between two layers
  kRedistribute,        ///< activations move to other tiles, where the mapping changes
};

std::string_view name_of(Operation operation);

/// What a vector operation computes.
enum class VectorKind : std::uint8_t {
  kNormForward,
  kNormBackward,
  kGeluForward,
  kGeluBackward,
  kReluForward,
  kReluBackward,
  kGateForward,  ///< x sigmoid(x), times another projection
  kGateBackward,
  kResidual,
  kRouteForward,  ///< softmax over the experts, the largest, shares for the balancing loss
  kRouteBackward,
  kScaleByRoute,
  kDistances,  ///< the bias of a distance, added to the scores
  kLoss,       ///< cross-entropy and its gradient
  kEmbedding,
};
inline constexpr std::size_t kNumVectorKinds = 15;

/// What the weights of an item are.
enum class Tensor : std::uint8_t {
  kNone,
  kAttention,  ///< queries, keys, values, projection; also to the encoder, and tables of distances
  kFeedForward,  ///< of layers without experts
  kRouter,
  kExperts,
  kNorms,
  kHead,  ///< what follows the last layer; of a tied head the embedding
};
inline constexpr std::size_t kNumTensors = 7;

std::string_view name_of(Tensor tensor);

/// One entry of a training schedule: a block of an operation, with the bytes that cross the lanes
/// for it. Items are executed in order of `id` by every tile of the user rectangle.
struct WorkItem {
  std::uint32_t id = 0;
  Operation operation = Operation::kVector;
  Phase phase = Phase::kForward;
  std::uint32_t layer = 0;
  bool in_layer = false;  ///< not of the embedding or of what follows the last layer
  std::uint64_t inputs =
      0;  ///< gemm: features reduced over; vector and attention: elements (width) a token
  std::uint64_t outputs = 0;  ///< gemm: output features of this block
  std::uint64_t experts =
      1;  ///< gemm: blocks of this shape, one an expert, each on tokens of its own
  std::uint64_t tokens = 0;  ///< tokens of the micro-batch; of experts: of all of them together
  std::uint64_t most_tokens = 0;  ///< of experts: tokens of the busiest one
  VectorKind vector = VectorKind::kResidual;
  Tensor tensor = Tensor::kNone;          ///< whose weights enter, or gradients leave
  AttentionPattern pattern;               ///< attention: which keys a token sees
  std::uint64_t heads = 1;                ///< attention: in which the inputs are divided
  std::uint32_t density_ppm = 1'000'000;  ///< non-zero weights, parts per million
  Cycles masked_cycles = 0;  ///< gemm: what its random mask takes; 0: weights are evenly spread
  std::uint32_t copies = 1;  ///< of the feature dimension, side by side
  std::uint32_t copies_before = 1;        ///< redistribute: where the activations are
  Bytes weight_bytes = 0;                 ///< weights that enter
  Bytes gradient_bytes = 0;               ///< weight gradients that leave
  Bytes sample_bytes_in = 0;              ///< embedded tokens that enter
  Bytes sample_bytes_out = 0;             ///< gradients of embedded tokens that leave
  std::uint64_t gradient_parameters = 0;  ///< parameters whose gradients leave with this item
  Bytes resident_bytes = 0;       ///< activations resident on the wafer while this item runs
  bool begins_operation = false;  ///< waits until the results of all items before are in place
  bool ends_operation = false;    ///< its completion is told to the tiles
  bool last_micro_batch = false;  ///< its gradients complete the sum of the step

  /// 0 outside the layers, else the layer and one.
  std::uint32_t place() const { return in_layer ? layer + 1 : 0; }
  /// Outputs of all experts.
  std::uint64_t all_outputs() const { return experts * outputs; }
  /// Tokens over which the loops of a tile are laid out.
  std::uint64_t loop_tokens() const { return experts > 1 ? most_tokens : tokens; }
  /// Asks the same of a tile.
  bool same_work(const WorkItem& that) const {
    return operation == that.operation && phase == that.phase && inputs == that.inputs &&
           outputs == that.outputs && experts == that.experts && tokens == that.tokens &&
           most_tokens == that.most_tokens && pattern == that.pattern && heads == that.heads &&
           vector == that.vector && density_ppm == that.density_ppm &&
           masked_cycles == that.masked_cycles && copies == that.copies &&
           copies_before == that.copies_before;
  }
  Bytes bytes_in() const { return weight_bytes + sample_bytes_in; }
  Bytes bytes_out() const { return gradient_bytes + sample_bytes_out; }
};

}  // namespace wse::base
