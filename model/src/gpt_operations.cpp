// SPDX-License-Identifier: Apache-2.0
#include "gpt_operations.h"

#include "gpt_kernels.h"

namespace wse::model {
namespace {

/// Writes the step down, operation by operation.
class StepWriter {
 public:
  StepWriter(const GptMesh& on, const tiles::MeshConfig& config)
      : on_(on),
        at_(on.shape),
        layout_(on),
        k_(on, config, layout_),
        width_(FeaturePlaces::plain(on, on.shape.width)),
        heads_(FeaturePlaces::of_heads(on)),
        inner_(FeaturePlaces::plain(on, on.shape.feed_forward)),
        // The head is the table of words: [vocabulary, width].
        head_{width_, FeaturePlaces::plain(on, on.shape.vocabulary), at_.words(), 1,
              on.shape.width} {}

  std::vector<GptOperation> write() {
    forward();
    backward();
    return k_.take_operations();
  }

 private:
  MatrixPlace matrix(const FeaturePlaces& inputs, const FeaturePlaces& outputs,
                     std::size_t offset) const {
    return {inputs, outputs, offset, outputs.features(), 1};
  }
  /// y = x W + b.
  void linear(const std::string& name, const MatrixPlace& w, std::size_t bias, std::uint32_t x,
              std::uint32_t y) {
    k_.multiply(name, w, x, y);
    k_.add_bias(name + " bias", {w.outputs, bias}, y);
  }
  void linear_gradient(const std::string& name, const MatrixPlace& w, std::size_t bias,
                       std::uint32_t x, std::uint32_t dy, std::uint32_t dx) {
    k_.bias_gradient(name + " bias gradient", {w.outputs, bias}, dy);
    k_.weight_gradient(name + " weight gradient", w, x, dy);
    k_.multiply(name + " input gradient", w.transposed(), dy, dx);
  }

  void forward() {
    using Table = GptKernels::Table;
    const std::uint32_t x =
        layout_.layers.empty() ? layout_.final_norm.x : layout_.layers.front().norm_1.x;
    k_.look_up(Table::kWords, layout_.block);
    k_.look_up(Table::kPositions, layout_.dblock);
    k_.add(layout_.block, layout_.dblock, x);
    for (std::uint32_t l = 0; l < on_.shape.layers; ++l) layer(l);
    k_.norm(at_.final_norm(), layout_.final_norm);
    k_.multiply("head", head_, layout_.final_norm.y, layout_.logits);
    k_.loss();
  }
  void backward() {
    using Table = GptKernels::Table;
    k_.loss_gradient();
    k_.weight_gradient("head weight gradient", head_, layout_.final_norm.y, layout_.dlogits);
    k_.multiply("head input gradient", head_.transposed(), layout_.dlogits, layout_.dnorm);
    k_.norm_gradient(at_.final_norm(), layout_.final_norm, layout_.dnorm, layout_.dx);
    for (std::uint32_t l = on_.shape.layers; l-- > 0;) layer_gradient(l);
    k_.look_up_gradient(Table::kWords, layout_.dx);
    k_.look_up_gradient(Table::kPositions, layout_.dx);
  }

  void layer(std::uint32_t l) {
    const GptOffsets::Layer& p = at_.layer(l);
    const GptLayout::Layer& a = layout_.layers[l];
    const std::uint32_t next =
        l + 1 < on_.shape.layers ? layout_.layers[l + 1].norm_1.x : layout_.final_norm.x;
    k_.norm(p.norm_1, a.norm_1);
    linear("qkv", matrix(width_, heads_, p.qkv), p.qkv_bias, a.norm_1.y, a.qkv);
    k_.attention(a);
    linear("projection", matrix(width_, width_, p.projection), p.projection_bias, a.context,
           layout_.block);
    k_.add(a.norm_1.x, layout_.block, a.norm_2.x);
    k_.norm(p.norm_2, a.norm_2);
    linear("up", matrix(width_, inner_, p.up), p.up_bias, a.norm_2.y, a.up);
    k_.gelu(a.up, a.active);
    linear("down", matrix(inner_, width_, p.down), p.down_bias, a.active, layout_.block);
    k_.add(a.norm_2.x, layout_.block, next);
  }
  /// Takes dx of the layer's results, leaves that of its inputs.
  void layer_gradient(std::uint32_t l) {
    const GptOffsets::Layer& p = at_.layer(l);
    const GptLayout::Layer& a = layout_.layers[l];
    linear_gradient("down", matrix(inner_, width_, p.down), p.down_bias, a.active, layout_.dx,
                    layout_.dactive);
    k_.gelu_gradient(a.up, layout_.dactive, layout_.dup);
    linear_gradient("up", matrix(width_, inner_, p.up), p.up_bias, a.norm_2.y, layout_.dup,
                    layout_.dnorm);
    k_.norm_gradient(p.norm_2, a.norm_2, layout_.dnorm, layout_.dblock);
    k_.add(layout_.dx, layout_.dblock, layout_.dx);
    linear_gradient("projection", matrix(width_, width_, p.projection), p.projection_bias,
                    a.context, layout_.dx, layout_.dcontext);
    k_.attention_gradient(a, layout_.dcontext, layout_.dqkv);
    linear_gradient("qkv", matrix(width_, heads_, p.qkv), p.qkv_bias, a.norm_1.y, layout_.dqkv,
                    layout_.dnorm);
    k_.norm_gradient(p.norm_1, a.norm_1, layout_.dnorm, layout_.dblock);
    k_.add(layout_.dx, layout_.dblock, layout_.dx);
  }

  using GptOffsets = host::GptOffsets;
  const GptMesh& on_;
  const GptOffsets at_;
  const GptLayout layout_;
  GptKernels k_;
  const FeaturePlaces width_, heads_, inner_;
  const MatrixPlace head_;
};

}  // namespace

std::vector<GptOperation> gpt_operations(const GptMesh& on, const tiles::MeshConfig& config) {
  return StepWriter(on, config).write();
}

}  // namespace wse::model
