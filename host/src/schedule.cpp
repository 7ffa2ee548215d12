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

/// A weight matrix with its bias: outputs = inputs * W + b.
struct Matrix {
  std::uint64_t inputs;
  std::uint64_t outputs;
  bool bias = true;
};

class Builder {
 public:
  Builder(const ModelSpec& model, const ScheduleConfig& config) : model_(model), config_(config) {}

  std::vector<WorkItem> build() {
    for (std::size_t i = 0; i < config_.micro_batches.size(); ++i) {
      tokens_ = config_.micro_batches[i] * config_.sequence;
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
    w.tokens = tokens_;
    w.sequence = config_.sequence;
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
    w.inputs = model_.width;
    w.outputs = 1;
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

  Matrix qkv() const { return {model_.width, 3 * model_.width}; }
  Matrix projection() const { return {model_.width, model_.width}; }
  Matrix up() const { return {model_.width, model_.feed_forward}; }
  Matrix down() const { return {model_.feed_forward, model_.width}; }
  Matrix head() const { return {model_.width, model_.vocabulary, false}; }

  void layer_forward(Phase phase) {
    const std::uint64_t d = model_.width;
    vector(phase, d, VectorPasses::kNormForward, 2 * d);
    if (model_.parallel_blocks) {
      vector(phase, d, VectorPasses::kNormForward, 2 * d);
      group(phase, {qkv(), up()});
      attention(Operation::kAttentionForward, phase);
      vector(phase, model_.feed_forward, VectorPasses::kGeluForward);
      group(phase, {projection(), down()});
    } else {
      group(phase, {qkv()});
      attention(Operation::kAttentionForward, phase);
      group(phase, {projection()});
      vector(phase, d, VectorPasses::kResidual);
      vector(phase, d, VectorPasses::kNormForward, 2 * d);
      group(phase, {up()});
      vector(phase, model_.feed_forward, VectorPasses::kGeluForward);
      group(phase, {down()});
    }
    vector(phase, d, VectorPasses::kResidual);
  }
  void group(Phase phase, std::initializer_list<Matrix> matrices) {
    begin_group();
    for (const Matrix& m : matrices) gemm_forward(m, phase);
    end_group();
  }
  void layer_backward() {
    const std::uint64_t d = model_.width;
    gemm_backward(down());
    vector(Phase::kBackward, model_.feed_forward, VectorPasses::kGeluBackward);
    gemm_backward(up());
    vector(Phase::kBackward, d, VectorPasses::kNormBackward, 2 * d, 2 * d);
    gemm_backward(projection());
    attention(Operation::kAttentionBackward, Phase::kBackward);
    gemm_backward(qkv());
    vector(Phase::kBackward, d, VectorPasses::kNormBackward, 2 * d, 2 * d);
    vector(Phase::kBackward, d, VectorPasses::kResidual);
  }

  /// 2 d bytes a token for a layer's input; 34 d for all intermediates of a layer
  /// [korthikanti2022].
  base::Bytes kept_per_layer() const {
    return (config_.recompute ? 2 : 34) * tokens_ * model_.width;
  }
  base::Bytes live_layer() const { return 34 * tokens_ * model_.width; }

  void forward() {
    const std::uint64_t d = model_.width;
    layer_ = 0;
    resident_ = tokens_ * d * kBytesPerParameter;
    vector(Phase::kForward, d, VectorPasses::kEmbedding);
    items_.back().sample_bytes_in = tokens_ * d * kBytesPerParameter;
    for (layer_ = 0; layer_ < model_.layers; ++layer_) {
      resident_ = kept_per_layer() * (layer_ + 1) + (config_.recompute ? live_layer() : 0);
      layer_change(Phase::kForward);
      layer_forward(Phase::kForward);
    }
    vector(Phase::kForward, d, VectorPasses::kNormForward, 2 * d);
    if (!model_.head) return;
    group(Phase::kForward, {head()});
    vector(Phase::kForward, model_.vocabulary, VectorPasses::kLoss);
  }
  void backward() {
    const std::uint64_t d = model_.width;
    if (model_.head) gemm_backward(head());
    vector(Phase::kBackward, d, VectorPasses::kNormBackward, 2 * d, 2 * d);
    for (layer_ = static_cast<std::uint32_t>(model_.layers); layer_-- > 0;) {
      resident_ = kept_per_layer() * (layer_ + 1) + (config_.recompute ? live_layer() : 0);
      layer_change(Phase::kBackward);
      if (config_.recompute) layer_forward(Phase::kRecompute);
      layer_backward();
    }
    layer_ = 0;
    resident_ = tokens_ * d * kBytesPerParameter;
    vector(Phase::kBackward, d, VectorPasses::kEmbedding);
    items_.back().sample_bytes_out = tokens_ * d * kBytesPerParameter;
  }

  const ModelSpec& model_;
  const ScheduleConfig& config_;
  std::vector<WorkItem> items_;
  std::uint64_t tokens_ = 0;
  std::uint32_t layer_ = 0;
  base::Bytes resident_ = 0;
  bool last_ = false;
  bool group_begins_ = false;
};

}  // namespace

std::vector<WorkItem> build_schedule(const ModelSpec& model, const ScheduleConfig& config) {
  return Builder(model, config).build();
}

}  // namespace wse::host
