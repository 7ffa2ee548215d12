// SPDX-License-Identifier: Apache-2.0
#include "wse/host/schedule.h"

#include <algorithm>

namespace wse::host {
namespace {

using base::Operation;
using base::Phase;
using base::VectorKind;
using base::WorkItem;

constexpr std::uint64_t kBytesPerParameter = 2;  ///< fp16 on the lanes
constexpr std::uint64_t kMillion = 1'000'000;

class Builder {
 public:
  Builder(const ModelSpec& model, const ScheduleConfig& config) : model_(model), config_(config) {}

  std::vector<WorkItem> build() {
    for (std::size_t i = 0; i < config_.micro_batches.size(); ++i) {
      sequences_ = config_.micro_batches[i];
      tokens_ = sequences_ * config_.sequence;
      last_ = i + 1 == config_.micro_batches.size();
      route(i);
      forward();
      backward();
    }
    return std::move(items_);
  }

 private:
  WorkItem item(Operation operation, Phase phase) const {
    WorkItem w;
    w.operation = operation;
    w.phase = phase;
    w.layer = layer_;
    w.in_layer = in_layer_;
    w.tokens = tokens_;
    w.resident_bytes = resident_;
    w.last_micro_batch = last_;
    w.copies = copies_;
    return w;
  }
  void add(WorkItem w) {
    w.id = static_cast<std::uint32_t>(items_.size());
    w.begins_operation = group_begins_;
    group_begins_ = false;
    items_.push_back(w);
  }
  /// Items between begin and end need no results of each other.
  void begin_group() { group_begins_ = true; }
  void end_group() { items_.back().ends_operation = true; }

  void vector(Phase phase, std::uint64_t elements, VectorKind kind, std::uint64_t parameters_in = 0,
              std::uint64_t parameters_out = 0) {
    WorkItem w = item(Operation::kVector, phase);
    w.inputs = elements;
    w.vector = kind;
    w.weight_bytes = parameters_in * kBytesPerParameter;
    w.gradient_bytes = parameters_out * kBytesPerParameter;
    w.gradient_parameters = parameters_out;
    if (parameters_in + parameters_out > 0) {
      w.tensor = kind == VectorKind::kDistances ? base::Tensor::kAttention : base::Tensor::kNorms;
    }
    begin_group();
    add(w);
    end_group();
  }
  void attention(Operation operation, Phase phase) {
    attention(operation, phase, model_.pattern(layer_, config_.sequence));
  }
  /// Every token sees all of the encoder's result.
  void cross_attention(Operation operation, Phase phase) {
    attention(operation, phase, {base::AttentionKind::kFull, config_.sequence});
  }
  void attention(Operation operation, Phase phase, const base::AttentionPattern& pattern) {
    WorkItem w = item(operation, phase);
    w.inputs = model_.attention_width;
    w.outputs = 1;
    w.pattern = pattern;
    w.heads = model_.heads;
    begin_group();
    add(w);
    end_group();
  }
  void layer_change(Phase phase) {
    WorkItem w = item(Operation::kLayerChange, phase);
    begin_group();
    add(w);
    end_group();
  }
  /// What follows has the mapping of a layer, or of what stands behind the last; activations move
  /// where it is another one.
  void map(std::uint64_t place, Phase phase) {
    const std::uint32_t wanted = config_.copies.empty() ? 1 : config_.copies[place];
    if (wanted == copies_) return;
    WorkItem w = item(Operation::kRedistribute, phase);
    w.inputs = model_.width;
    w.copies_before = copies_;
    w.copies = copies_ = wanted;
    begin_group();
    add(w);
    end_group();
  }

  std::uint64_t bias(const Matrix& m, std::uint64_t outputs) const { return m.bias ? outputs : 0; }
  std::uint64_t non_zero(const Matrix& m, std::uint64_t outputs) const {
    return base::mul_div(m.inputs * outputs, config_.density_ppm, kMillion);
  }
  /// Bytes of `outputs` rows of a matrix: sparse weights travel with a 2-byte index each, or all weights
  /// do, where that is less.
  std::uint64_t weight_bytes(const Matrix& m, std::uint64_t outputs) const {
    const std::uint64_t sparse = 2 * non_zero(m, outputs);
    return (std::min(sparse, m.inputs * outputs) + bias(m, outputs)) * kBytesPerParameter;
  }

  /// Tokens that see a matrix: all of them, or those of each expert.
  using Loads = std::vector<std::uint64_t>;
  Loads all_tokens() const { return {tokens_}; }

  /// Cuts matrices of one shape, one a load, into blocks: a share of one matrix, or several whole
  /// ones.
  template <class Make>
  void blocks(const Matrix& m, const Loads& loads, const Make& make) {
    const std::uint64_t row = m.inputs * kBytesPerParameter;
    const std::uint64_t step = std::max<std::uint64_t>(1, config_.block_bytes / row);
    const std::uint64_t together =
        std::max<std::uint64_t>(1, config_.block_bytes / (row * m.outputs));
    for (std::size_t first = 0; first < loads.size(); first += together) {
      const std::size_t last = std::min<std::size_t>(first + together, loads.size());
      WorkItem block;
      block.experts = last - first;
      for (std::size_t i = first; i < last; ++i) {
        block.tokens += loads[i];
        block.most_tokens = std::max(block.most_tokens, loads[i]);
      }
      for (std::uint64_t done = 0; done < m.outputs; done += step) {
        block.outputs = std::min(step, m.outputs - done);
        make(block);
      }
    }
  }
  /// A block of a matrix, or of its transposed one.
  WorkItem gemm(Operation operation, Phase phase, const Matrix& m, const WorkItem& block) {
    WorkItem w = item(operation, phase);
    w.inputs = operation == Operation::kGemmInputGradient ? m.outputs : m.inputs;
    const bool expert = m.tensor == base::Tensor::kFeedForward && sparse();
    w.tensor = expert ? base::Tensor::kExperts : m.tensor;
    w.outputs = block.outputs;
    w.experts = block.experts;
    w.tokens = block.tokens;
    w.most_tokens = block.most_tokens;
    return w;
  }
  void gemm_forward(const Matrix& m, Phase phase, const Loads& loads) {
    blocks(m, loads, [&](const WorkItem& block) {
      WorkItem w = gemm(Operation::kGemmForward, phase, m, block);
      w.density_ppm = config_.density_ppm;
      w.weight_bytes = w.experts * weight_bytes(m, w.outputs);
      add(w);
    });
  }
  /// Results of a layer that was recomputed are the next layer's input, which was kept: nobody multiplies
  /// for them. The weights pass by: a layer is streamed as a whole.
  void pass_by(const Matrix& m, const Loads& loads) {
    blocks(m, loads, [&](const WorkItem& block) {
      WorkItem w = gemm(Operation::kGemmForward, Phase::kRecompute, m, block);
      w.density_ppm = config_.density_ppm;
      w.weight_bytes = w.experts * weight_bytes(m, w.outputs);
      w.outputs = 0;
      add(w);
    });
  }
  void gemm_backward(const Matrix& m) { gemm_backward(m, all_tokens()); }
  /// Blocks of both gradients take turns, so that weights come in while gradients go out.
  void gemm_backward(const Matrix& m, const Loads& loads) {
    const std::vector<WorkItem> inputs = input_gradients(m, loads);
    const std::vector<WorkItem> weights = weight_gradients(m, loads);
    begin_group();
    std::size_t next = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      add(inputs[i]);
      for (; next * inputs.size() < (i + 1) * weights.size(); ++next) add(weights[next]);
    }
    end_group();
  }
  /// dX = dY W^T reduces over the outputs: the block is a share of the inputs, the bytes are those
  /// of the matrix.
  std::vector<WorkItem> input_gradients(const Matrix& m, const Loads& loads) {
    std::vector<WorkItem> all;
    const Matrix transposed{m.outputs, m.inputs, false};
    std::uint64_t streamed = 0;
    std::uint64_t rows = 0;
    blocks(transposed, loads, [&](const WorkItem& block) {
      WorkItem w = gemm(Operation::kGemmInputGradient, Phase::kBackward, m, block);
      w.density_ppm = config_.density_ppm;
      rows += w.all_outputs();
      // Of the bias each block brings its share, so that the matrix comes to the byte.
      const std::uint64_t until = base::mul_div(weight_bytes(m, m.outputs), rows, m.inputs);
      w.weight_bytes = until - streamed;
      streamed = until;
      all.push_back(w);
    });
    return all;
  }
  std::vector<WorkItem> weight_gradients(const Matrix& m, const Loads& loads) {
    std::vector<WorkItem> all;
    blocks(m, loads, [&](const WorkItem& block) {
      WorkItem w = gemm(Operation::kGemmWeightGradient, Phase::kBackward, m, block);
      w.gradient_bytes = w.experts * weight_bytes(m, w.outputs);
      w.gradient_parameters = w.experts * (non_zero(m, w.outputs) + bias(m, w.outputs));
      all.push_back(w);
    });
    return all;
  }

  void norms(Phase phase, std::uint64_t n) {
    const std::uint64_t parameters = model_.norm_parameters();
    for (std::uint64_t i = 0; i < n; ++i) {
      if (phase == Phase::kBackward) {
        vector(phase, model_.width, VectorKind::kNormBackward, parameters, parameters);
      } else {
        vector(phase, model_.width, VectorKind::kNormForward, parameters);
      }
    }
  }
  void activation(Phase phase) {
    const bool back = phase == Phase::kBackward;
    const VectorKind gelu = back ? VectorKind::kGeluBackward : VectorKind::kGeluForward;
    const VectorKind relu = back ? VectorKind::kReluBackward : VectorKind::kReluForward;
    const VectorKind gate = back ? VectorKind::kGateBackward : VectorKind::kGateForward;
    vector(phase, model_.feed_forward, model_.gated ? gate : model_.relu ? relu : gelu);
  }
  void group(Phase phase, std::initializer_list<Matrix> matrices) {
    begin_group();
    for (const Matrix& m : matrices) gemm_forward(m, phase, all_tokens());
    end_group();
  }
  void experts(Phase phase, const Matrix& m) {
    begin_group();
    gemm_forward(m, phase, loads_[layer_]);
    end_group();
  }
  /// The matrices whose results are those of the layer.
  void last_group(Phase phase, std::initializer_list<Matrix> matrices, const Loads& loads) {
    begin_group();
    for (const Matrix& m : matrices) {
      phase == Phase::kRecompute ? pass_by(m, loads) : gemm_forward(m, phase, loads);
    }
    end_group();
  }
  bool sparse() const { return model_.experts_of(layer_) > 1; }

  /// Whether a normalisation stands before or after its block changes no count.
  void layer_forward(Phase phase) {
    distances(phase);
    if (model_.parallel_blocks) {
      norms(phase, model_.norms_per_layer);
      group(phase, {model_.query_key_value(), model_.up()});
      attention(Operation::kAttentionForward, phase);
      activation(phase);
      last_group(phase, {model_.projection(), model_.down()}, all_tokens());
    } else {
      norms(phase, 1);
      group(phase, {model_.query_key_value()});
      attention(Operation::kAttentionForward, phase);
      group(phase, {model_.projection()});
      vector(phase, model_.width, VectorKind::kResidual);
      if (model_.has_cross_attention(layer_)) cross_forward(phase);
      norms(phase, model_.norms_per_layer - 1);
      feed_forward(phase);
    }
    if (phase != Phase::kRecompute) vector(phase, model_.width, VectorKind::kResidual);
  }
  void cross_forward(Phase phase) {
    norms(phase, 1);
    group(phase, {model_.cross_query(), model_.cross_key_value()});
    cross_attention(Operation::kAttentionForward, phase);
    group(phase, {model_.projection()});
    vector(phase, model_.width, VectorKind::kResidual);
  }
  void feed_forward(Phase phase) {
    if (!sparse()) {
      group(phase, {model_.up()});
      activation(phase);
      last_group(phase, {model_.down()}, all_tokens());
      return;
    }
    group(phase, {model_.router()});
    vector(phase, model_.experts, VectorKind::kRouteForward);
    experts(phase, model_.up());
    activation(phase);
    last_group(phase, {model_.down()}, loads_[layer_]);
    if (phase != Phase::kRecompute) vector(phase, model_.width, VectorKind::kScaleByRoute);
  }
  void layer_backward() {
    feed_forward_backward();
    norms(Phase::kBackward, model_.norms_per_layer - 1);
    if (model_.has_cross_attention(layer_)) cross_backward();
    gemm_backward(model_.projection());
    attention(Operation::kAttentionBackward, Phase::kBackward);
    gemm_backward(model_.query_key_value());
    norms(Phase::kBackward, 1);
    distances(Phase::kBackward);
    vector(Phase::kBackward, model_.width, VectorKind::kResidual);
  }
  void feed_forward_backward() {
    if (sparse()) vector(Phase::kBackward, model_.width, VectorKind::kScaleByRoute);
    gemm_backward(model_.down(), sparse() ? loads_[layer_] : all_tokens());
    activation(Phase::kBackward);
    gemm_backward(model_.up(), sparse() ? loads_[layer_] : all_tokens());
    if (!sparse()) return;
    vector(Phase::kBackward, model_.experts, VectorKind::kRouteBackward);
    gemm_backward(model_.router());
  }
  void cross_backward() {
    gemm_backward(model_.projection());
    cross_attention(Operation::kAttentionBackward, Phase::kBackward);
    gemm_backward(model_.cross_query());
    gemm_backward(model_.cross_key_value());
    norms(Phase::kBackward, 1);
    vector(Phase::kBackward, model_.width, VectorKind::kResidual);
  }
  /// The table of distances is used by all layers of its stack and comes with the first.
  void distances(Phase phase) {
    if (model_.relative_buckets == 0 || !model_.begins_stack(layer_)) return;
    const std::uint64_t table = model_.relative_buckets * model_.heads;
    vector(phase, model_.heads, VectorKind::kDistances, table,
           phase == Phase::kBackward ? table : 0);
  }

  void tail_forward() {
    if (model_.final_norm) norms(Phase::kForward, 1);
    const std::vector<TailMatrix> tail = model_.tail();
    if (!tail.empty()) map(model_.layers, Phase::kForward);
    for (const TailMatrix& t : tail) {
      with_tokens(t, [&] { group(Phase::kForward, {t.matrix}); });
      if (t.norm_follows) norms(Phase::kForward, 1);
    }
    if (tail.empty()) return;
    const TailMatrix& last = tail.back();
    with_tokens(last, [&] { vector(Phase::kForward, last.matrix.outputs, VectorKind::kLoss); });
  }
  void tail_backward() {
    const std::vector<TailMatrix> tail = model_.tail();
    for (auto t = tail.rbegin(); t != tail.rend(); ++t) {
      if (t->norm_follows) norms(Phase::kBackward, 1);
      if (t == tail.rbegin() && config_.scores_again) {
        with_tokens(*t, [&] { scores_again(t->matrix); });
      }
      with_tokens(*t, [&] { gemm_backward(t->matrix); });
    }
    map(model_.layers - 1, Phase::kBackward);
    if (model_.final_norm) norms(Phase::kBackward, 1);
  }
  /// The loss needs the sum over all scores of a token before it has their gradients. With the weights
  /// that come for the gradients.
  void scores_again(const Matrix& m) {
    begin_group();
    blocks(m, all_tokens(), [&](const WorkItem& block) {
      WorkItem w = gemm(Operation::kGemmForward, Phase::kRecompute, m, block);
      w.density_ppm = config_.density_ppm;
      add(w);
    });
    end_group();
    vector(Phase::kRecompute, m.outputs, VectorKind::kLoss);
  }
  template <class Body>
  void with_tokens(const TailMatrix& t, const Body& body) {
    const std::uint64_t all = tokens_;
    if (t.per_sequence) tokens_ = sequences_;
    body();
    tokens_ = all;
  }

  /// 2 bytes a feature and token for a layer's input, or all its intermediates.
  base::Bytes kept_until(std::uint32_t layer) const {
    base::Bytes sum = 0;
    for (std::uint32_t l = 0; l <= layer; ++l) {
      sum += tokens_ * (recomputes(l) ? 2 * model_.width : model_.intermediate_bytes(l));
    }
    return sum;
  }
  bool recomputes(std::uint32_t layer) const { return host::recomputes(config_, model_, layer); }

  void begin_layer(std::uint32_t layer, Phase phase) {
    layer_ = layer;
    in_layer_ = true;
    resident_ = kept_until(layer);
    if (recomputes(layer)) resident_ += tokens_ * model_.intermediate_bytes(layer);
    map(layer, phase);
    layer_change(phase);
  }
  void route(std::uint64_t micro_batch) {
    loads_.assign(model_.layers, {});
    for (std::uint64_t layer = 0; layer < model_.layers; ++layer) {
      if (model_.experts_of(layer) == 1) continue;
      loads_[layer] =
          route_tokens(config_.routing, model_.experts, tokens_, layer, micro_batch).tokens;
    }
  }
  /// Embedded tokens of a stack enter the wafer.
  void embed() {
    in_layer_ = false;
    vector(Phase::kForward, model_.width, VectorKind::kEmbedding);
    items_.back().sample_bytes_in = tokens_ * model_.width * kBytesPerParameter;
    if (model_.embedding_norm) norms(Phase::kForward, 1);
  }
  /// Their gradients leave.
  void embed_backward() {
    in_layer_ = false;
    if (model_.embedding_norm) norms(Phase::kBackward, 1);
    vector(Phase::kBackward, model_.width, VectorKind::kEmbedding);
    items_.back().sample_bytes_out = tokens_ * model_.width * kBytesPerParameter;
  }
  void forward() {
    layer_ = 0;
    copies_ = config_.copies.empty() ? 1 : config_.copies.front();
    resident_ = tokens_ * model_.width * kBytesPerParameter;
    for (std::uint32_t layer = 0; layer < model_.layers; ++layer) {
      if (model_.begins_stack(layer)) {
        if (layer > 0 && model_.final_norm) norms(Phase::kForward, 1);
        embed();
      }
      begin_layer(layer, Phase::kForward);
      layer_forward(Phase::kForward);
    }
    in_layer_ = false;
    tail_forward();
  }
  void backward() {
    tail_backward();
    for (auto layer = static_cast<std::uint32_t>(model_.layers); layer-- > 0;) {
      begin_layer(layer, Phase::kBackward);
      if (recomputes(layer)) layer_forward(Phase::kRecompute);
      layer_backward();
      if (!model_.begins_stack(layer)) continue;
      if (layer == 0) resident_ = tokens_ * model_.width * kBytesPerParameter;
      embed_backward();
      if (layer > 0 && model_.final_norm) norms(Phase::kBackward, 1);
    }
    layer_ = 0;
  }

  const ModelSpec& model_;
  const ScheduleConfig& config_;
  std::vector<WorkItem> items_;
  std::vector<Loads> loads_;  ///< by layer; of sparse ones only
  std::uint64_t sequences_ = 0;
  std::uint64_t tokens_ = 0;
  std::uint32_t layer_ = 0;
  base::Bytes resident_ = 0;
  std::uint32_t copies_ = 1;
  bool in_layer_ = false;
  bool last_ = false;
  bool group_begins_ = false;
};

}  // namespace

RoutedTokens routed_tokens(const ModelSpec& model, const ScheduleConfig& config) {
  RoutedTokens sum;
  for (std::size_t micro = 0; micro < config.micro_batches.size(); ++micro) {
    const std::uint64_t tokens = config.micro_batches[micro] * config.sequence;
    for (std::uint64_t layer = 0; layer < model.layers; ++layer) {
      if (model.experts_of(layer) == 1) continue;
      sum.all += tokens;
      sum.dropped += route_tokens(config.routing, model.experts, tokens, layer, micro).dropped;
    }
  }
  return sum;
}

std::vector<WorkItem> build_schedule(const ModelSpec& model, const ScheduleConfig& config) {
  return Builder(model, config).build();
}

}  // namespace wse::host
