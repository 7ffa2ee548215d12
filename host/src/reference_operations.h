// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace wse::host {

/// Activations, [tokens, features], row-major.
using Numbers = std::vector<double>;

/// Operations of a transformer in double precision, and their gradients, by plain loops.
namespace reference {

/// y = x W + b, W [inputs, outputs]; b may be null.
Numbers linear(const Numbers& x, std::size_t inputs, std::size_t outputs, const double* w,
               const double* b);
/// dx; adds to dw, and to db if it is not null.
Numbers linear_gradient(const Numbers& x, const Numbers& dy, std::size_t inputs,
                        std::size_t outputs, const double* w, double* dw, double* db);

/// Layer norm; `g`: scales, then shifts.
Numbers norm(const Numbers& x, std::size_t width, const double* g);
/// dx; adds to dg.
Numbers norm_gradient(const Numbers& x, const Numbers& dy, std::size_t width, const double* g,
                      double* dg);

Numbers gelu(const Numbers& x);
Numbers gelu_gradient(const Numbers& x, const Numbers& dy);

struct AttentionSizes {
  std::size_t sequences, tokens;  ///< of a sequence
  std::size_t heads, width;
};
/// Causal; qkv [tokens, 3 width].
Numbers attention(const Numbers& qkv, const AttentionSizes& sizes);
Numbers attention_gradient(const Numbers& qkv, const Numbers& dy, const AttentionSizes& sizes);

/// Mean cross-entropy; if `gradient` is not null, its gradient by the logits.
double cross_entropy(const Numbers& logits, const std::vector<std::uint32_t>& targets,
                     Numbers* gradient);

}  // namespace reference
}  // namespace wse::host
