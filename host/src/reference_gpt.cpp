// SPDX-License-Identifier: Apache-2.0
#include "wse/host/reference_gpt.h"

#include "reference_operations.h"
#include "wse/base/check.h"

namespace wse::host {
namespace {

using namespace reference;

Numbers sum(const Numbers& a, const Numbers& b) {
  Numbers y(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) y[i] = a[i] + b[i];
  return y;
}

/// The table [rows, columns] as [columns, rows].
Numbers transposed(const double* table, std::size_t rows, std::size_t columns) {
  Numbers y(rows * columns);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) y[c * rows + r] = table[r * columns + c];
  }
  return y;
}

/// A step, with what the backward pass reads of the forward pass.
class Step {
 public:
  Step(const GptShape& shape, const std::vector<double>& parameters, const TokenBatch& batch)
      : shape_(shape),
        at_(shape),
        p_(parameters.data()),
        batch_(batch),
        width_(shape.width),
        inner_(shape.feed_forward),
        sizes_{batch.sequences, shape.positions, shape.heads, shape.width} {
    WSE_CHECK(parameters.size() == at_.count(), "parameters of another shape");
    WSE_CHECK(batch.tokens.size() == sizes_.sequences * sizes_.tokens &&
                  batch.targets.size() == batch.tokens.size(),
              "sequences of another length");
  }

  double forward() {
    embed();
    for (std::uint32_t l = 0; l < shape_.layers; ++l) layer(at_.layer(l));
    last_ = x_;
    normal_ = norm(last_, width_, p_ + at_.final_norm());
    head_ = transposed(p_ + at_.words(), shape_.vocabulary, width_);
    logits_ = linear(normal_, width_, shape_.vocabulary, head_.data(), nullptr);
    return cross_entropy(logits_, batch_.targets, nullptr);
  }

  std::vector<double> backward() {
    g_.assign(at_.count(), 0);
    Numbers dlogits;
    cross_entropy(logits_, batch_.targets, &dlogits);
    Numbers dhead(head_.size());
    const Numbers dnormal = linear_gradient(normal_, dlogits, width_, shape_.vocabulary,
                                            head_.data(), dhead.data(), nullptr);
    const Numbers dwords = transposed(dhead.data(), width_, shape_.vocabulary);
    for (std::size_t i = 0; i < dwords.size(); ++i) g_[at_.words() + i] += dwords[i];
    Numbers dx =
        norm_gradient(last_, dnormal, width_, p_ + at_.final_norm(), &g_[at_.final_norm()]);
    for (std::uint32_t l = shape_.layers; l-- > 0;) dx = layer_gradient(l, dx);
    embed_gradient(dx);
    return std::move(g_);
  }

 private:
  struct Kept {
    Numbers x, normal_1, qkv, context, middle, normal_2, up, active;
  };

  template <class What>
  void each_row(const What& what) {
    for (std::size_t t = 0; t < batch_.tokens.size(); ++t) {
      what(t, at_.words() + batch_.tokens[t] * width_,
           at_.positions() + t % sizes_.tokens * width_);
    }
  }
  void embed() {
    x_.resize(batch_.tokens.size() * width_);
    each_row([&](std::size_t t, std::size_t word, std::size_t position) {
      for (std::size_t i = 0; i < width_; ++i) {
        x_[t * width_ + i] = p_[word + i] + p_[position + i];
      }
    });
  }
  void embed_gradient(const Numbers& dx) {
    each_row([&](std::size_t t, std::size_t word, std::size_t position) {
      for (std::size_t i = 0; i < width_; ++i) {
        g_[word + i] += dx[t * width_ + i];
        g_[position + i] += dx[t * width_ + i];
      }
    });
  }
  void layer(const GptOffsets::Layer& at) {
    Kept k;
    k.x = x_;
    k.normal_1 = norm(k.x, width_, p_ + at.norm_1);
    k.qkv = linear(k.normal_1, width_, 3 * width_, p_ + at.qkv, p_ + at.qkv_bias);
    k.context = attention(k.qkv, sizes_);
    k.middle =
        sum(k.x, linear(k.context, width_, width_, p_ + at.projection, p_ + at.projection_bias));
    k.normal_2 = norm(k.middle, width_, p_ + at.norm_2);
    k.up = linear(k.normal_2, width_, inner_, p_ + at.up, p_ + at.up_bias);
    k.active = gelu(k.up);
    x_ = sum(k.middle, linear(k.active, inner_, width_, p_ + at.down, p_ + at.down_bias));
    kept_.push_back(std::move(k));
  }
  Numbers layer_gradient(std::uint32_t l, const Numbers& dx) {
    const Kept& k = kept_[l];
    const GptOffsets::Layer& at = at_.layer(l);
    const Numbers dactive = linear_gradient(k.active, dx, inner_, width_, p_ + at.down,
                                            &g_[at.down], &g_[at.down_bias]);
    const Numbers dnormal_2 = linear_gradient(k.normal_2, gelu_gradient(k.up, dactive), width_,
                                              inner_, p_ + at.up, &g_[at.up], &g_[at.up_bias]);
    const Numbers dmiddle =
        sum(dx, norm_gradient(k.middle, dnormal_2, width_, p_ + at.norm_2, &g_[at.norm_2]));
    const Numbers dcontext = linear_gradient(k.context, dmiddle, width_, width_, p_ + at.projection,
                                             &g_[at.projection], &g_[at.projection_bias]);
    const Numbers dnormal_1 =
        linear_gradient(k.normal_1, attention_gradient(k.qkv, dcontext, sizes_), width_, 3 * width_,
                        p_ + at.qkv, &g_[at.qkv], &g_[at.qkv_bias]);
    return sum(dmiddle, norm_gradient(k.x, dnormal_1, width_, p_ + at.norm_1, &g_[at.norm_1]));
  }

  const GptShape& shape_;
  const GptOffsets at_;
  const double* const p_;
  const TokenBatch& batch_;
  const std::size_t width_, inner_;
  const AttentionSizes sizes_;
  std::vector<Kept> kept_;  ///< by layer
  Numbers x_, last_, normal_, head_, logits_;
  std::vector<double> g_;
};

}  // namespace

GptResult reference_step(const GptShape& shape, const std::vector<double>& parameters,
                         const TokenBatch& batch) {
  Step step(shape, parameters, batch);
  GptResult result;
  result.loss = step.forward();
  result.gradients = step.backward();
  return result;
}

double reference_loss(const GptShape& shape, const std::vector<double>& parameters,
                      const TokenBatch& batch) {
  return Step(shape, parameters, batch).forward();
}

}  // namespace wse::host
