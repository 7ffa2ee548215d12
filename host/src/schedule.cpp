// SPDX-License-Identifier: Apache-2.0
#include "wse/host/schedule.h"

#include <algorithm>

namespace wse::host {
namespace {

using base::Operation;
using base::Phase;
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

  void vector(Phase phase, std::uint64_t elements, std::uint64_t passes,
              std::uint64_t parameters_in = 0, std::uint64_t parameters_out = 0) {
    WorkItem w = item(Operation::kVector, phase);
    w.inputs = elements;
    w.outputs = passes;
    w.weight_bytes = parameters_in * kBytesPerParameter;
    w.gradient_bytes = parameters_out * kBytesPerParameter;
    w.gradient_parameters = parameters_out;
    begin_group();
    add(w);
    end_group();
  }
  void attention(Operation operation, Phase phase) {
    WorkItem w = item(operation, phase);
    w.inputs = model_.attention_width;
    w.outputs = 1;
    w.pattern = model_.pattern(layer_, config_.sequence);
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

  /// Bytes of `outputs` rows of a matrix: sparse weights travel with a 2-byte index each.
  std::uint64_t weight_bytes(const Matrix& m, std::uint64_t outputs) const {
    const std::uint64_t weights = m.inputs * outputs;
    const std::uint64_t bias = m.bias ? outputs * kBytesPerParameter : 0;
    if (config_.density_ppm == kMillion) return weights * kBytesPerParameter + bias;
    return base::mul_div(weights, config_.density_ppm, kMillion) * 2 * kBytesPerParameter + bias;
  }

  template <class Make>
  void blocks(const Matrix& m, const Make& make) {
    const std::uint64_t step =
        std::max<std::uint64_t>(1, config_.block_bytes / (m.inputs * kBytesPerParameter));
    for (std::uint64_t done = 0; done < m.outputs; done += step) {
      add(make(std::min(step, m.outputs - done)));
    }
  }
  void gemm_forward(const Matrix& m, Phase phase) {
    blocks(m, [&](std::uint64_t outputs) {
      WorkItem w = item(Operation::kGemmForward, phase);
      w.inputs = m.inputs;
      w.outputs = outputs;
      w.density_ppm = config_.density_ppm;
      w.weight_bytes = weight_bytes(m, outputs);
      return w;
    });
  }
  /// dX = dY W^T reduces over the outputs: the block is a share of the inputs, the bytes are those
  /// of the matrix.
  void gemm_backward(const Matrix& m) {
    begin_group();
    const Matrix transposed{m.outputs, m.inputs, false};
    std::uint64_t streamed = 0;
    std::uint64_t rows = 0;
    blocks(transposed, [&](std::uint64_t outputs) {
      WorkItem w = item(Operation::kGemmInputGradient, Phase::kBackward);
      w.inputs = m.outputs;
      w.outputs = outputs;
      w.density_ppm = config_.density_ppm;
      rows += outputs;
      // Of the bias each block brings its share, so that the matrix comes to the byte.
      const std::uint64_t until = base::mul_div(weight_bytes(m, m.outputs), rows, m.inputs);
      w.weight_bytes = until - streamed;
      streamed = until;
      return w;
    });
    blocks(m, [&](std::uint64_t outputs) {
      WorkItem w = item(Operation::kGemmWeightGradient, Phase::kBackward);
      w.inputs = m.inputs;
      w.outputs = outputs;
      w.gradient_bytes = weight_bytes(m, outputs);
      w.gradient_parameters = w.gradient_bytes / kBytesPerParameter;
      return w;
    });
    end_group();
  }

  void norms(Phase phase, std::uint64_t n) {
    const std::uint64_t parameters = model_.norm_parameters();
    for (std::uint64_t i = 0; i < n; ++i) {
      if (phase == Phase::kBackward) {
        vector(phase, model_.width, VectorPasses::kNormBackward, parameters, parameters);
      } else {
        vector(phase, model_.width, VectorPasses::kNormForward, parameters);
      }
    }
  }
  void activation(Phase phase) {
    const bool back = phase == Phase::kBackward;
    const std::uint64_t gelu = back ? VectorPasses::kGeluBackward : VectorPasses::kGeluForward;
    const std::uint64_t gate = back ? VectorPasses::kGateBackward : VectorPasses::kGateForward;
    vector(phase, model_.feed_forward, model_.gated ? gate : gelu);
  }
  void group(Phase phase, std::initializer_list<Matrix> matrices) {
    begin_group();
    for (const Matrix& m : matrices) gemm_forward(m, phase);
    end_group();
  }

  /// Whether a normalisation stands before or after its block changes no count.
  void layer_forward(Phase phase) {
    if (model_.parallel_blocks) {
      norms(phase, model_.norms_per_layer);
      group(phase, {model_.query_key_value(), model_.up()});
      attention(Operation::kAttentionForward, phase);
      activation(phase);
      group(phase, {model_.projection(), model_.down()});
    } else {
      norms(phase, 1);
      group(phase, {model_.query_key_value()});
      attention(Operation::kAttentionForward, phase);
      group(phase, {model_.projection()});
      vector(phase, model_.width, VectorPasses::kResidual);
      norms(phase, model_.norms_per_layer - 1);
      group(phase, {model_.up()});
      activation(phase);
      group(phase, {model_.down()});
    }
    vector(phase, model_.width, VectorPasses::kResidual);
  }
  void layer_backward() {
    gemm_backward(model_.down());
    activation(Phase::kBackward);
    gemm_backward(model_.up());
    norms(Phase::kBackward, model_.norms_per_layer - 1);
    gemm_backward(model_.projection());
    attention(Operation::kAttentionBackward, Phase::kBackward);
    gemm_backward(model_.query_key_value());
    norms(Phase::kBackward, 1);
    vector(Phase::kBackward, model_.width, VectorPasses::kResidual);
  }

  void tail_forward() {
    if (model_.final_norm) norms(Phase::kForward, 1);
    const std::vector<TailMatrix> tail = model_.tail();
    for (const TailMatrix& t : tail) {
      with_tokens(t, [&] { group(Phase::kForward, {t.matrix}); });
      if (t.norm_follows) norms(Phase::kForward, 1);
    }
    if (tail.empty()) return;
    const TailMatrix& last = tail.back();
    with_tokens(last, [&] { vector(Phase::kForward, last.matrix.outputs, VectorPasses::kLoss); });
  }
  void tail_backward() {
    const std::vector<TailMatrix> tail = model_.tail();
    for (auto t = tail.rbegin(); t != tail.rend(); ++t) {
      if (t->norm_follows) norms(Phase::kBackward, 1);
      with_tokens(*t, [&] { gemm_backward(t->matrix); });
    }
    if (model_.final_norm) norms(Phase::kBackward, 1);
  }
  template <class Body>
  void with_tokens(const TailMatrix& t, const Body& body) {
    const std::uint64_t all = tokens_;
    if (t.per_sequence) tokens_ = sequences_;
    body();
    tokens_ = all;
  }

  /// 2 bytes a feature and token for a layer's input, or all its intermediates.
  base::Bytes kept_per_layer() const {
    return config_.recompute ? 2 * tokens_ * model_.width : live_layer();
  }
  base::Bytes live_layer() const { return tokens_ * model_.intermediate_bytes(); }

  void begin_layer(std::uint32_t layer, Phase phase) {
    layer_ = layer;
    in_layer_ = true;
    resident_ = kept_per_layer() * (layer_ + 1) + (config_.recompute ? live_layer() : 0);
    layer_change(phase);
  }
  void forward() {
    const std::uint64_t d = model_.width;
    layer_ = 0;
    resident_ = tokens_ * d * kBytesPerParameter;
    vector(Phase::kForward, d, VectorPasses::kEmbedding);
    items_.back().sample_bytes_in = tokens_ * d * kBytesPerParameter;
    if (model_.embedding_norm) norms(Phase::kForward, 1);
    for (std::uint32_t layer = 0; layer < model_.layers; ++layer) {
      begin_layer(layer, Phase::kForward);
      layer_forward(Phase::kForward);
    }
    in_layer_ = false;
    tail_forward();
  }
  void backward() {
    const std::uint64_t d = model_.width;
    tail_backward();
    for (auto layer = static_cast<std::uint32_t>(model_.layers); layer-- > 0;) {
      begin_layer(layer, Phase::kBackward);
      if (config_.recompute) layer_forward(Phase::kRecompute);
      layer_backward();
    }
    in_layer_ = false;
    layer_ = 0;
    resident_ = tokens_ * d * kBytesPerParameter;
    if (model_.embedding_norm) norms(Phase::kBackward, 1);
    vector(Phase::kBackward, d, VectorPasses::kEmbedding);
    items_.back().sample_bytes_out = tokens_ * d * kBytesPerParameter;
  }

  const ModelSpec& model_;
  const ScheduleConfig& config_;
  std::vector<WorkItem> items_;
  std::uint64_t sequences_ = 0;
  std::uint64_t tokens_ = 0;
  std::uint32_t layer_ = 0;
  base::Bytes resident_ = 0;
  bool in_layer_ = false;
  bool last_ = false;
  bool group_begins_ = false;
};

}  // namespace

std::vector<WorkItem> build_schedule(const ModelSpec& model, const ScheduleConfig& config) {
  return Builder(model, config).build();
}

}  // namespace wse::host
